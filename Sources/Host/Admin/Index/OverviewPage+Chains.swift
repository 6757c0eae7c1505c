/// The picture of each listener's chains.
extension OverviewPage {
    mutating func listener(_ index: Int) {
        let listener = overview.listeners[index]
        html.markup("<section data-b=listeners.")
        html.text("\(index)")
        html.markup("><h2><small>listener</small>")
        html.element("span", listener.name)
        html.markup("<small>")
        html.text(listener.addresses.joined(separator: ", "))
        html.markup("</small></h2>")
        command("/stats?usedonly&filter=" + Self.escaped("^(http|listener)\\.\(listener.name)\\."))
        html.markup("<p class=figures>")
        if listener.isHTTP { requests(listener) }
        figure("connections") { $0.live("num", "open_connections", PlainNumber.count(listener.openConnections)) }
        html.markup("</p>")
        if listener.answered > 0 { shares(listener) }
        for (number, chain) in listener.chains.enumerated() {
            self.chain(chain, "chains.\(number)", to: listener.clusters)
        }
        html.markup("</section>")
    }

    private mutating func requests(_ listener: ListenerOverview) {
        figure("") {
            $0.live("num", "requests", PlainNumber.count(listener.requests))
            $0.markup(" requests ")
            $0.live("rate", "requests")
            $0.markup("<i class=spark data-s=\"rate requests\"></i>")
        }
        figure("good") { $0.live("good", "", PlainNumber.good(listener.errors, of: listener.answered)) }
        figure("p50") { $0.live("p50", "times", PlainNumber.span(listener.times.median)) }
        figure("p99") { $0.live("p99", "times", PlainNumber.span(listener.times.high)) }
        if listener.unanswered > 0 {
            figure("without an answer") {
                $0.live("num", "unanswered", PlainNumber.count(listener.unanswered))
            }
        }
        if listener.cutOff > 0 {
            figure("cut off") { $0.live("num", "cut_off", PlainNumber.count(listener.cutOff)) }
        }
    }

    mutating func figure(_ name: String, _ value: (inout HTMLText) -> Void) {
        html.markup("<span>")
        value(&html)
        html.markup(" ")
        html.text(name)
        html.markup("</span>")
    }

    /// Answers by class as a bar, with the numbers beside it.
    private mutating func shares(_ listener: ListenerOverview) {
        html.markup("<div class=shares><div class=bar>")
        for (index, count) in listener.classes.enumerated() where count > 0 {
            html.markup("<i class=c")
            html.text("\(index + 1)")
            html.markup(" style=\"flex-grow:")
            html.text("\(max(1, count * 1000 / listener.answered))")
            html.markup("\"></i>")
        }
        html.markup("</div>")
        for (index, count) in listener.classes.enumerated() where count > 0 {
            html.markup("<span class=\"key c")
            html.text("\(index + 1)")
            html.markup("\">")
            html.text("\(index + 1)xx ")
            html.live("num", "classes.\(index + 1)xx", PlainNumber.count(count))
            html.markup("</span>")
        }
        html.markup("</div>")
    }

    private mutating func chain(_ chain: ListenerOverview.Chain, _ path: String, to clusters: [String]) {
        if !chain.name.isEmpty { html.element("h3", chain.name) }
        html.markup("<ol class=chain><li class=end>client</li>")
        let slowest = chain.filters.map { $0.down.high + $0.up.high }.max() ?? 0
        for (number, filter) in chain.filters.enumerated() {
            let isSlowest = slowest > 0 && filter.down.high + filter.up.high == slowest
            self.filter(filter, "\(path).filters.\(number)", isSlowest: isSlowest)
        }
        if !clusters.isEmpty {
            html.markup("<li class=end>")
            let shown = clusters.prefix(12)
            for (index, cluster) in shown.enumerated() {
                if index > 0 { html.markup(" · ") }
                html.text(cluster)
            }
            if clusters.count > shown.count { html.text(" and \(clusters.count - shown.count) more") }
            html.markup("</li>")
        }
        html.markup("</ol>")
    }

    private mutating func filter(_ filter: FilterOverview, _ path: String, isSlowest: Bool) {
        html.markup("<li data-b=")
        html.text(path)
        html.markup(" class=\"filter")
        if filter.isPlugin { html.markup(" plugin") }
        if isSlowest { html.markup(" slow") }
        html.markup("\" title=\"")
        html.text(filter.summary)
        html.markup("\">")
        html.element("strong", filter.name)
        if filter.isPlugin { html.markup("<em>.so</em>") }
        if filter.name != filter.id { html.element("em", filter.id) }
        if filter.isOpen { html.markup("<em class=bad>■ open</em>") }
        for counter in filter.counters {
            html.markup("<small>")
            html.text(counter.name.replacingUnderscores)
            html.markup(" ")
            html.live("num", "counters.\(counter.name)", PlainNumber.count(counter.value))
            html.markup("</small>")
        }
        time("↓", filter.down, "request")
        time("↑", filter.up, "response")
        html.markup("</li>")
    }

    private mutating func time(_ arrow: String, _ time: Latency, _ path: String) {
        guard time.count > 0 else { return }
        html.markup("<small class=time title=\"p50 and p99 since the start\">")
        html.text("\(arrow) ")
        html.live("ns", "\(path).p50", PlainNumber.time(time.median))
        html.markup(" · ")
        html.live("ns", "\(path).p99", PlainNumber.time(time.high))
        html.markup("</small>")
    }

    /// For a query; what is none of the plain letters is escaped.
    static func escaped(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                bytes.append(byte)
            default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

extension String {
    /// Words with spaces between them.
    fileprivate var replacingUnderscores: String { split(separator: "_").joined(separator: " ") }
}
