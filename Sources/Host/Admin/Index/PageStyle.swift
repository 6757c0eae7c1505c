/// How the index page looks. Colours only underline what shapes and words say already.
enum PageStyle {
    static let text = """
        :root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1b2430;--soft:#5c6877;--line:#d9dfe6;
        --good:#0b6e99;--warn:#8a5a00;--bad:#b3261e;--badbg:#fdeceb;--box:#eef3f8;--c2:#2f7fb5;
        --c3:#8aa4b8;--c4:#d99a1c;--c5:#b3261e}
        @media(prefers-color-scheme:dark){:root{--bg:#12161c;--card:#1a2029;--ink:#e4e9ef;--soft:#97a3b1;
        --line:#2d3642;--good:#6cbbe6;--warn:#e6b450;--bad:#ff8a80;--badbg:#3a1d1c;--box:#222b37;
        --c2:#4c9ed4;--c3:#5f7486;--c4:#e0a93a;--c5:#ff6f61}}
        *{box-sizing:border-box}
        body{margin:0 auto;padding:16px;max-width:1180px;background:var(--bg);color:var(--ink);
        font:15px/1.45 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;
        overflow-wrap:anywhere}
        b,td.n,th.n{font-variant-numeric:tabular-nums}b{font-weight:600}
        small,.soft,em{color:var(--soft);font-size:.85em}em{font-style:normal}
        a{color:var(--good)}code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,"DejaVu Sans Mono",monospace;
        font-size:.87em}
        header{display:flex;flex-wrap:wrap;gap:4px 18px;align-items:baseline;margin-bottom:14px;
        color:var(--soft)}
        header b{color:var(--ink)}h1{font-size:1.35rem;margin:0;color:var(--ink)}
        h2{font-size:1.05rem;margin:0;display:inline}h2 small{font-weight:400}h2 span{margin:0 10px 0 6px}
        h3{font-size:.9rem;margin:10px 0 0;color:var(--soft)}
        section{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:12px 16px;
        margin:0 0 14px}
        .state{font-weight:600;padding:1px 10px;border-radius:99px;border:1px solid currentColor}
        .good{color:var(--good)}.warn{color:var(--warn)}.bad,.bad b{color:var(--bad)}
        #pulse{margin-left:auto}#pulse button{font:inherit;font-size:.85em}
        .banner{background:var(--badbg);border-color:var(--bad)}
        .banner pre{margin:8px 0 0;white-space:pre-wrap;color:var(--ink)}
        .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(112px,1fr));gap:10px 16px}
        .tile b{display:block;font-size:1.4rem;line-height:1.25;white-space:nowrap}
        html:not(.moves) .moving,html:not(.moves) .numbers :is(td,th):nth-child(4),.moves .still{display:none}
        .spark{display:block;height:26px;margin-top:2px}.spark svg{display:block;width:100%;height:100%;
        overflow:visible}
        .spark path{fill:none;stroke:var(--good);stroke-width:1.5;vector-effect:non-scaling-stroke}
        html:not(.moves) .spark{display:none}.figures .spark{display:inline-block;width:90px;height:16px;
        margin:0 2px}
        .figures{display:flex;flex-wrap:wrap;gap:2px 20px;margin:8px 0;color:var(--soft)}
        .figures b{color:var(--ink)}
        .figures b+b{color:var(--good)}
        .command{float:right;text-align:right;font-size:.85em;color:var(--soft);max-width:100%}
        .command summary{cursor:pointer}.command code{display:inline-block;text-align:left;user-select:all;
        background:var(--box);padding:4px 8px;border-radius:6px;margin:4px 0}
        .shares{display:flex;flex-wrap:wrap;gap:2px 16px;align-items:center;margin:6px 0 10px;font-size:.87em}
        .bar{display:flex;flex:1 1 200px;height:9px;border-radius:5px;overflow:hidden;gap:2px}
        .bar i{min-width:3px;flex-basis:0}
        .bar .c1,.bar .c2{background:var(--c2)}.bar .c3{background:var(--c3)}
        .bar .c4{background:repeating-linear-gradient(45deg,var(--c4) 0 4px,transparent 4px 6px)}
        .bar .c5{background:repeating-linear-gradient(90deg,var(--c5) 0 3px,transparent 3px 5px)}
        .key:before{content:"■ ";color:var(--c2)}.key.c3:before{color:var(--c3)}
        .key.c4:before{content:"▨ ";color:var(--c4)}
        .key.c5:before{content:"▥ ";color:var(--c5)}
        .chain{list-style:none;display:flex;flex-wrap:wrap;gap:10px 0;margin:10px 0 2px;padding:0;
        align-items:stretch}
        .chain li{display:flex;flex-direction:column;justify-content:center;position:relative;margin-right:26px;
        padding:6px 12px;border-radius:8px;min-width:64px;max-width:100%}
        .chain li:not(:last-child):after{content:"▶";position:absolute;right:-20px;top:50%;
        transform:translateY(-50%);color:var(--soft);font-size:.75em}
        .chain .filter{justify-content:flex-start}.filter{background:var(--box);border:1px solid var(--line);
        border-top:3px solid var(--good)}
        .filter.plugin{border-style:dashed;border-top-style:double}
        .filter.slow .time{color:var(--ink);font-weight:600}
        .filter small{white-space:nowrap}.end{padding:6px 0!important;color:var(--soft)}
        .scroll{overflow-x:auto;margin:6px -16px 0;padding:0 16px}
        table{border-collapse:collapse;width:100%;margin-top:8px}th{font-weight:600;text-align:left}
        thead th{color:var(--soft);font-size:.85em;font-weight:500}
        td,th{padding:3px 12px 3px 0;vertical-align:baseline;overflow-wrap:normal}
        .n,.numbers :is(td,th):nth-child(n+3){text-align:right;white-space:nowrap}tr>:last-child{padding-right:0}
        tr.head~tr td:first-child{padding-left:16px}
        tr.head>*{border-top:1px solid var(--line);padding-top:6px}td b{font-weight:400}
        tr.head b{font-weight:600}
        .address,tbody th{min-width:11.5em;overflow-wrap:anywhere}.address small{margin-left:8px}
        .left{white-space:nowrap}td p{margin:0 0 4px;color:var(--soft)}
        td i{font-style:normal;white-space:nowrap}.healthy:before{content:"● "}.healthy{color:var(--good)}
        .pending{color:var(--soft)}.pending:before{content:"○ "}.kept{color:var(--warn)}
        .kept:before{content:"▲ "}
        .ejected,.failed{color:var(--bad)}.ejected:before{content:"◆ "}.failed:before{content:"✕ "}
        dl{display:grid;grid-template-columns:max-content 1fr;gap:2px 18px;margin:8px 0 0}
        dd{margin:0;color:var(--soft)}
        dd code{margin-left:10px}form{margin:8px 0;clear:both}
        button{font:inherit;padding:2px 12px;cursor:pointer}
        form span{color:var(--soft)}input,select{font:inherit}
        output{display:block;white-space:pre-wrap;margin-top:8px}
        @media(max-width:600px){body{padding:8px;font-size:14px}section{padding:10px 12px}#pulse{margin-left:0}
        .chain{flex-direction:column;gap:22px}.chain li{margin-right:0;display:block}
        .chain li strong,.chain li em,.chain li small{margin-right:10px}
        .chain li:not(:last-child):after{content:"▼";right:auto;left:14px;top:auto;bottom:-19px;
        transform:none}dl{grid-template-columns:1fr}dd{margin-bottom:6px}
        .scroll{margin:6px -12px 0;padding:0 12px}td,th{padding-right:9px}
        tr.head~tr td:first-child{padding-left:6px}.tiles{grid-template-columns:repeat(2,1fr)}}
        """
}
