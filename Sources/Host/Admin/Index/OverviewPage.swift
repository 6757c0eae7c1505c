/// The index page for browsers: one document with all that it needs.
///
/// It is complete without the script, which adds rates and keeps the numbers up to date.
struct OverviewPage: ~Copyable {
    var html = HTMLText()
    let overview: Overview
    let visitor: Visitor

    init(_ overview: Overview, for visitor: Visitor) {
        self.overview = overview
        self.visitor = visitor
    }

    static func write(_ overview: Overview, for visitor: Visitor) -> String {
        var page = OverviewPage(overview, for: visitor)
        page.document()
        return page.finish()
    }

    private consuming func finish() -> String { html.finish() }

    private mutating func document() {
        html.markup("<!doctype html><html lang=en><head><meta charset=utf-8>")
        html.markup("<meta name=viewport content=\"width=device-width,initial-scale=1\"><title>")
        html.text("\(overview.mark.shape) sluice")
        html.markup("</title><style>")
        html.markup(trusted: PageStyle.text)
        html.markup("</style></head><body><div id=live data-shape=\"")
        html.text(overview.shape)
        html.markup("\">")
        head()
        banners()
        totals()
        for index in overview.listeners.indices { listener(index) }
        clusters()
        faults()
        certificates()
        filters()
        html.markup("</div>")
        pages()
        changes()
        html.markup("<script>")
        html.markup(trusted: PageScript.text)
        html.markup("</script></body></html>\n")
    }

    // MARK: Whether it is fine

    private mutating func head() {
        let (mark, config) = (overview.mark, overview.config)
        html.markup("<header><h1>sluice</h1><span class=\"state ")
        html.text(mark.kind)
        html.markup("\">")
        html.text("\(mark.shape) \(mark.word)")
        html.markup("</span><span>")
        html.text(overview.version)
        html.markup("</span><span>up ")
        html.live("age", "uptime_seconds", PlainNumber.age(overview.uptime / 1_000_000_000))
        html.markup("</span><span>config ")
        html.element("b", "\(config.generation)")
        html.text(" · \(config.summary) · since \(LogTime.text(config.since).prefix(19))Z")
        if let file = config.file { html.text(" · \(file)") }
        html.markup("</span><span id=pulse><noscript>totals since the start</noscript></span></header>")
    }

    private mutating func banners() {
        for reason in overview.unready { banner("▲ \(reason)", nil) }
        if let refused = overview.config.refused {
            let time = LogTime.text(refused.time).prefix(19)
            banner("▲ The config of \(time)Z was refused, the one before is in use.", refused.details)
        }
    }

    private mutating func banner(_ title: String, _ details: String?) {
        html.markup("<section class=\"banner bad\">")
        html.element("strong", title)
        if let details { html.element("pre", details) }
        html.markup("</section>")
    }

    private mutating func totals() {
        let totals = overview.totals
        html.markup("<section class=tiles>")
        tile("rate", "totals.requests", PlainNumber.count(totals.requests), "requests", "requests/s", spark: true)
        let good = PlainNumber.good(totals.errors, of: totals.answered)
        tile("good", "totals", good, "good answers", "good answers", spark: true)
        tile("p50", "totals.times", PlainNumber.span(totals.times.median), "p50", "p50", spark: true)
        tile("p99", "totals.times", PlainNumber.span(totals.times.high), "p99", "p99", spark: true)
        tile("num", "totals.active", PlainNumber.count(totals.active), "running requests", "running requests")
        tile("num", "totals.connections", PlainNumber.count(Int64(totals.connections)), "connections", "connections")
        tile("cpu", "totals.cpu", PlainNumber.time(Double(totals.cpu)), "CPU time", "CPU, in cores", spark: true)
        tile("mem", "totals.memory", PlainNumber.bytes(totals.memory), "memory", "memory")
        html.markup("</section>")
    }

    /// - Parameters:
    ///   - still: what the number is without the script.
    ///   - moving: what it is with it.
    private mutating func tile(
        _ kind: StaticString, _ path: String, _ value: String, _ still: String, _ moving: String, spark: Bool = false
    ) {
        html.markup("<div class=tile>")
        html.live(kind, path, value)
        html.markup("<small><span class=still>")
        html.text(kind.description == "num" || kind.description == "mem" ? still : "\(still) since the start")
        html.markup("</span><span class=moving>")
        html.text(moving)
        html.markup("</span></small>")
        if spark {
            html.markup("<i class=spark data-s=\"")
            html.text("\(kind) \(path)")
            html.markup("\"></i>")
        }
        html.markup("</div>")
    }

    /// The command that gives the data of a panel.
    mutating func command(_ target: String, isPost: Bool = false) {
        html.markup("<details class=command><summary>as command</summary><code>")
        html.text(visitor.command(target, isPost: isPost))
        html.markup("</code></details>")
    }
}
