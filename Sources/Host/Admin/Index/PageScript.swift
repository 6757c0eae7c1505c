/// What keeps the index page up to date. It writes text and draws lines by the document's own methods only, so that no
/// name can become markup.
///
/// Whoever changes it changes `hash`, too: a test tells the right one.
enum PageScript {
    /// What the content security policy says of the script.
    static let hash = "sha256-KHrn9EoDdWjHfgCXkruU0qzN1YNteyNmNiqguM3aAag="

    static let text = #"""
        "use strict";
        (() => {
        const EVERY = 2000, KEPT = 90, WINDOW = 10, $ = id => document.getElementById(id);
        let seen = [], lines = {}, timer = 0, stopped = false;
        // Where in the data an element's value is: below the places that the elements around it name.
        const place = (element, path) => { for (; (element = element.parentElement?.closest("[data-b]"));)
          path = element.dataset.b + (path ? "." + path : ""); return path; };
        const at = (data, path) => path.split(".").reduce((value, key) => value == null ? value : value[key], data);
        const group = number => Math.round(number).toLocaleString("en-US");
        const short = x => x < 9.995 ? x.toFixed(2) : x < 99.95 ? x.toFixed(1) : group(x);
        const rate = x => x === 0 ? "0" : x < 9.995 ? x.toFixed(1) : group(x);
        const time = x => !(x > 0) ? "–" : x < 1e3 ? Math.floor(x) + " ns" : x < 1e6 ? short(x / 1e3) + " µs"
          : x < 1e9 ? short(x / 1e6) + " ms" : short(x / 1e9) + " s";
        // Of requests, whose clock stands still within one turn of the loop.
        const span = x => x > 0 && x < 1e3 ? "< 1 µs" : time(x);
        const bytes = x => { let u = 0; for (; x >= 1024 && u < 4; u++) x /= 1024;
          return (u ? short(x) : group(x)) + " " + ["B", "KiB", "MiB", "GiB", "TiB"][u]; };
        const age = s => s < 60 ? s + " s" : s < 3600 ? Math.floor(s / 60) + " min " + s % 60 + " s"
          : s < 86400 ? Math.floor(s / 3600) + " h " + Math.floor(s / 60) % 60 + " min"
          : Math.floor(s / 86400) + " d " + Math.floor(s / 3600) % 24 + " h";
        // What is new since a sample; a number that went down was reset.
        const grown = (now, then, path) => { const a = at(now, path), b = at(then, path);
          return b == null || a < b ? a : a - b; };
        const per = (now, then, path) => grown(now, then, path) * 1000 / Math.max(1, now.clock - then.clock);
        const quantile = (now, then, path, share) => {
          const a = at(now, path + ".buckets") || [], b = at(then, path + ".buckets") || [], old = {};
          for (let i = 0; i < b.length; i += 2) old[b[i]] = b[i + 1];
          const fresh = []; let sum = 0;
          for (let i = 0; i < a.length; i += 2) {
            const n = Math.max(0, a[i + 1] - (old[a[i]] || 0)); fresh.push([a[i], n]); sum += n; }
          let left = share * sum;
          for (const [bound, n] of fresh) { left -= n; if (n && left <= 0) return bound; }
          return null; };
        const good = (now, then, path) => { const all = grown(now, then, path + ".answered");
          return all > 0 ? 1 - Math.min(1, grown(now, then, path + ".errors") / all) : null; };
        // The value of a kind at a path, over the time between two samples; null where nothing happened.
        const value = (kind, path, now, then) => kind === "rate" ? per(now, then, path)
          : kind === "cpu" ? per(now, then, path) / 1e9 : kind === "good" ? good(now, then, path)
          : kind === "p50" ? quantile(now, then, path, .5) : kind === "p99" ? quantile(now, then, path, .99)
          : at(now, path);
        const show = (kind, x) => x == null ? "–" : kind === "rate" ? rate(x) + "/s" : kind === "cpu" ? x.toFixed(2)
          : kind === "good" ? (x === 1 ? "100" : (Math.floor(x * 1e4) / 100).toFixed(2)) + " %"
          : kind === "ns" ? time(x) : kind === "p50" || kind === "p99" ? span(x) : kind === "mem" ? bytes(x)
          : kind === "age" ? age(x) : group(x);
        const write = (element, text) => { if (element.textContent !== text) element.textContent = text; };
        function draw(holder, now, then) {
          const [kind, own] = holder.dataset.s.split(" "), path = place(holder, own), name = kind + path;
          const line = lines[name] = lines[name] || [];
          line.push(value(kind, path, now, then)); if (line.length > KEPT) line.shift();
          const known = line.filter(x => x != null), high = kind === "good" ? 1 : Math.max(...known, 1e-9);
          const low = kind === "good" ? Math.min(.9, ...known) : 0, step = 100 / Math.max(line.length - 1, 29);
          let drawn = "", pen = false;
          line.forEach((x, i) => { if (x == null) { pen = false; return; }
            drawn += (pen ? "L" : "M") + (i * step).toFixed(1) + " "
              + (23 - 22 * (x - low) / (high - low || 1)).toFixed(1); pen = true; });
          let svg = holder.firstChild;
          if (!svg) {
            const make = tag => document.createElementNS("http://www.w3.org/2000/svg", tag);
            svg = make("svg"); svg.appendChild(make("path")); holder.appendChild(svg);
            for (const [name, text] of [["viewBox", "0 0 100 24"], ["preserveAspectRatio", "none"],
              ["aria-hidden", "true"]]) svg.setAttribute(name, text); }
          svg.firstChild.setAttribute("d", drawn);
        }
        function update(now) {
          const last = seen[seen.length - 1];
          // Another process, or counters that begin again: rates begin again, too.
          if (last && now.clock <= last.clock) { seen = []; lines = {}; }
          seen.push(now); if (seen.length > WINDOW + 1) seen.shift();
          if (seen.length < 2) return;
          const before = seen[seen.length - 2], first = seen[0];
          document.documentElement.classList.add("moves");
          // Shares and quantiles over a few seconds, as one interval may have too little in it.
          document.querySelectorAll("[data-k]").forEach(e => { const words = e.dataset.k.split(" ");
            const kind = words.length > 1 ? words[0] : "num", p = place(e, words.pop());
            if (at(now, p) === undefined) return;
            const then = kind === "rate" || kind === "cpu" ? before : first;
            write(e, show(kind === "loss" ? "num" : kind, value(kind, p, now, then)));
            if (kind === "loss") e.parentNode.classList.toggle("bad", grown(now, first, p) > 0); });
          document.querySelectorAll("[data-s]").forEach(e => draw(e, now, before));
        }
        // Other things are there than before: the page is asked for anew, and its upper part taken from it.
        async function rebuild(shape) {
          const reply = await fetch("/", { headers: { accept: "text/html" }, cache: "no-store" });
          if (!reply.ok) throw new Error("status " + reply.status);
          const fresh = new DOMParser().parseFromString(await reply.text(), "text/html").getElementById("live");
          $("live").replaceWith(document.adoptNode(fresh)); $("live").dataset.shape = shape;
        }
        function say(text, again) {
          const pulse = $("pulse"); pulse.textContent = text;
          if (!again) return;
          const button = document.createElement("button"); button.textContent = "go on";
          button.onclick = () => { stopped = false; seen = []; say(""); tick(); };
          pulse.append(" ", button);
        }
        async function tick() {
          clearTimeout(timer);
          if (stopped) return;
          if (document.hidden) return say("paused while hidden");
          try {
            const reply = await fetch("/?format=json", { cache: "no-store" });
            if (!reply.ok) throw new Error("status " + reply.status);
            const now = await reply.json();
            now.faults = Object.fromEntries(now.faults.map(fault => [fault.reason.replaceAll(".", "/"), fault]));
            if (now.shape !== $("live").dataset.shape) await rebuild(now.shape);
            // Places in the data have changed, and with them what the samples before are of.
            if (seen.length && seen[0].places !== now.places) { lines = {}; seen = []; }
            update(now);
            say("live, every " + EVERY / 1000 + " s");
            timer = setTimeout(tick, EVERY);
          } catch (error) {
            stopped = true;
            document.documentElement.classList.remove("moves");
            say("✕ not live any more: " + error.message, true);
          }
        }
        document.addEventListener("visibilitychange", () => { if (!document.hidden) { seen = []; tick(); } });
        document.querySelectorAll("form[data-post]").forEach(form => form.addEventListener("submit", async event => {
          event.preventDefault();
          const page = form.dataset.post, said = $("said"), token = $("token");
          if (form.dataset.ask && !confirm(page + ": really?")) return;
          const query = new URLSearchParams(new FormData(form)).toString(), headers = {};
          if (token) headers.authorization = "Bearer " + token.value;
          try {
            const reply = await fetch(page + (query ? "?" + query : ""), { method: "POST", headers });
            said.textContent = page + ": " + (reply.ok ? "● " : "✕ " + reply.status + " ") + (await reply.text());
          } catch (error) { said.textContent = page + ": ✕ " + error.message; }
        }));
        document.addEventListener("click", event => { const code = event.target.closest(".command code");
          if (code && navigator.clipboard) navigator.clipboard.writeText(code.textContent).catch(() => {}); });
        tick();
        })();
        """#
}
