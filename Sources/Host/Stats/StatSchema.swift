internal import FilterAPI

/// Which statistics are kept of one kind of thing, and where each stands in its memory.
///
/// One for all clusters, one for all listeners, and so on: what is kept of each is then nothing but numbers.
final class StatSchema: Sendable {
    /// One statistic.
    struct Entry: Sendable {
        let description: StatDescription
        /// The name in Prometheus behind that of the scope; a whole name where it begins with `=`; empty for what is
        /// not shown there.
        let prometheus: String
        /// A label beside those of the scope, such as `response_code_class="2xx"`; empty for none.
        let label: String
        /// Shown as 0 too; others are not before they were something else once.
        let isAlwaysShown: Bool
        /// Which buckets a histogram has in Prometheus.
        let range: TimeRange
        /// Its word in the memory of one slot.
        fileprivate(set) var position = 0

        init(
            _ description: StatDescription, prometheus: String? = nil, label: String = "", isAlwaysShown: Bool = false,
            range: TimeRange = .requests
        ) {
            self.description = description
            self.prometheus =
                prometheus ?? description.exposedAs.map { "=\($0)" } ?? PrometheusName.of(description)
            self.label = label
            self.isAlwaysShown = isAlwaysShown
            self.range = range
        }
    }

    /// What times a histogram is of.
    enum TimeRange: Sendable {
        /// What filters take: well below a millisecond.
        case code
        /// What requests take.
        case requests
        /// How long connections are open.
        case connections
    }

    let entries: [Entry]
    /// Words of one slot, in whole cache lines, so that two workers never write to the same one.
    let slotWords: Int

    init(_ entries: [Entry]) {
        var placed = entries
        for index in placed.indices { placed[index].position = index }
        self.entries = placed
        slotWords = (entries.count + 7) / 8 * 8
    }

    convenience init(_ descriptions: [StatDescription]) { self.init(descriptions.map { Entry($0) }) }

    /// The position of an entry.
    func index(of name: String, _ kind: StatDescription.Kind) -> Int? {
        entries.firstIndex { $0.description.name == name && $0.description.kind == kind }
    }
}

extension StatSchema.Entry {
    /// One counter for each class of statuses: of 1xx there is 101 only.
    static func statusClasses(_ name: String) -> [StatSchema.Entry] {
        (1...5).map { number in
            StatSchema.Entry(
                .counter(
                    "\(name)_\(number)xx",
                    number == 1 ? "Requests answered with 101." : "Requests answered with a status of this class."),
                prometheus: "\(name)_xx_total", label: "response_code_class=\"\(number)xx\"")
        }
    }
}

/// Names as Prometheus wants them: base units, and `_total` behind what only grows.
enum PrometheusName {
    static func of(_ description: StatDescription) -> String {
        var name = Array(PrometheusLabels.word(description.name).utf8)
        func drop(_ suffix: String) {
            if name.count > suffix.utf8.count, name.suffix(suffix.utf8.count).elementsEqual(suffix.utf8) {
                name.removeLast(suffix.utf8.count)
            }
        }
        drop("_total")
        switch description.unit {
        case .time:
            drop("_ms")
            name += "_seconds".utf8
        case .bytes:
            drop("_bytes")
            name += "_bytes".utf8
        case .none: break
        }
        if description.kind == .counter { name += "_total".utf8 }
        return String(decoding: name, as: UTF8.self)
    }
}
