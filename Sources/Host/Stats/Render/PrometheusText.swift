internal import FilterAPI
internal import Filters

/// Statistics in Prometheus' text format 0.0.4: each family once, with what it means.
///
/// A number that has always been 0 is not shown, unless it is one that means something by being 0: what nobody uses
/// costs no series.
struct PrometheusText: ~Copyable {
    /// Bounds of times in nanoseconds, as OpenTelemetry advises for HTTP, and three below them for what is near.
    private static let timeBounds: [(bound: UInt64, text: StaticString)] = [
        (500_000, "0.0005"), (1_000_000, "0.001"), (2_500_000, "0.0025"), (5_000_000, "0.005"), (10_000_000, "0.01"),
        (25_000_000, "0.025"), (50_000_000, "0.05"), (75_000_000, "0.075"), (100_000_000, "0.1"),
        (250_000_000, "0.25"), (500_000_000, "0.5"), (750_000_000, "0.75"), (1_000_000_000, "1"),
        (2_500_000_000, "2.5"), (5_000_000_000, "5"), (7_500_000_000, "7.5"), (10_000_000_000, "10"),
    ]
    /// Bounds of times that connections are open.
    private static let longBounds: [(bound: UInt64, text: StaticString)] = [
        (10_000_000, "0.01"), (100_000_000, "0.1"), (1_000_000_000, "1"), (10_000_000_000, "10"),
        (100_000_000_000, "100"), (1_000_000_000_000, "1000"), (10_000_000_000_000, "10000"),
    ]
    /// Bounds of times that filters take.
    private static let shortBounds: [(bound: UInt64, text: StaticString)] = [
        (100, "0.0000001"), (250, "0.00000025"), (500, "0.0000005"), (1000, "0.000001"), (2500, "0.0000025"),
        (5000, "0.000005"), (10_000, "0.00001"), (25_000, "0.000025"), (50_000, "0.00005"), (100_000, "0.0001"),
        (250_000, "0.00025"), (1_000_000, "0.001"), (5_000_000, "0.005"), (25_000_000, "0.025"),
        (100_000_000, "0.1"), (1_000_000_000, "1"), (10_000_000_000, "10"),
    ]
    private static let countBounds: [(bound: UInt64, text: StaticString)] = [
        (1, "1"), (10, "10"), (100, "100"), (1000, "1000"), (10_000, "10000"), (100_000, "100000"),
        (1_000_000, "1000000"), (10_000_000, "10000000"), (100_000_000, "100000000"), (1_000_000_000, "1000000000"),
    ]

    private var text = ByteText(capacity: 256 << 10)
    private var totals = HistogramTotals()
    private let onlyUsed: Bool

    /// One family on the way to the text.
    private final class Family {
        let entry: StatSchema.Entry
        var members: [(entry: Int, set: Int)] = []
        init(_ entry: StatSchema.Entry) { self.entry = entry }
    }

    /// - Parameter onlyUsed: leaves out what is 0 and is shown otherwise.
    private init(onlyUsed: Bool) { self.onlyUsed = onlyUsed }

    /// The text of all groups.
    static func render(_ groups: [StatGroup], onlyUsed: Bool = false) -> ByteText {
        var writer = PrometheusText(onlyUsed: onlyUsed)
        writer.write(groups)
        return writer.finish()
    }

    private consuming func finish() -> ByteText { text }

    private mutating func write(_ groups: [StatGroup]) {
        // Groups with the same statistics and the same kind of owner are looked at together.
        var places: [SetKey: Int] = [:]
        var sets: [[StatGroup]] = []
        for group in groups {
            let key = SetKey(schema: ObjectIdentifier(group.schema), family: group.scope.family)
            if let place = places[key] {
                sets[place].append(group)
            } else {
                places[key] = sets.count
                sets.append([group])
            }
        }
        var families: [String: Family] = [:]
        for (place, set) in sets.enumerated() {
            for (index, entry) in set[0].schema.entries.enumerated() where !entry.prometheus.isEmpty {
                let name = Self.fullName(entry, in: set[0].scope)
                let family = families[name] ?? Family(entry)
                families[name] = family
                // One name means one kind of number, whoever uses it.
                if family.entry.description.kind == entry.description.kind { family.members.append((index, place)) }
            }
        }
        for (name, family) in families.sorted(by: { $0.key < $1.key }) {
            let start = text.count
            writeHeader(name, family.entry.description)
            let first = text.count
            for member in family.members {
                for group in sets[member.set] { write(name, group, member.entry) }
            }
            if text.count == first { text.truncate(to: start) }
        }
    }

    private struct SetKey: Hashable {
        let schema: ObjectIdentifier
        let family: String
    }

    private static func fullName(_ entry: StatSchema.Entry, in scope: StatScope) -> String {
        entry.prometheus.hasPrefix("=") ? String(entry.prometheus.dropFirst()) : scope.family + entry.prometheus
    }

    private mutating func writeHeader(_ name: String, _ description: StatDescription) {
        if !description.meaning.isEmpty {
            text.append("# HELP ")
            text.append(name)
            text.append(" ")
            text.append(description.meaning.split(separator: "\n").joined(separator: " "))
            text.append("\n")
        }
        text.append("# TYPE ")
        text.append(name)
        text.append(" ")
        text.append(description.kind.rawValue)
        text.append("\n")
    }

    private mutating func write(_ name: String, _ group: StatGroup, _ index: Int) {
        let entry = group.schema.entries[index]
        if entry.description.kind == .histogram {
            group.read(entry, into: &totals)
            if totals.count > 0 { writeHistogram(name, group, entry) }
            return
        }
        let value = group.value(entry)
        if value == 0, onlyUsed || !entry.isAlwaysShown {
            guard !onlyUsed, group.notes(index, isZero: true) else { return }
        } else if value != 0 {
            _ = group.notes(index, isZero: false)
        }
        writeName(name, "", group, entry)
        text.append(" ")
        if entry.description.unit == .time { appendSeconds(value) } else { text.append(decimal: Int(value)) }
        text.append("\n")
    }

    private static func bounds(_ range: StatSchema.TimeRange) -> [(bound: UInt64, text: StaticString)] {
        switch range {
        case .code: shortBounds
        case .requests: timeBounds
        case .connections: longBounds
        }
    }

    private mutating func writeHistogram(_ name: String, _ group: StatGroup, _ entry: StatSchema.Entry) {
        let bounds =
            switch entry.description.unit {
            case .time: Self.bounds(entry.range)
            case .bytes, .none: Self.countBounds
            }
        var counts = Array(repeating: UInt64(0), count: bounds.count)
        totals.counts(upTo: bounds.map(\.bound), into: &counts)
        for (index, bound) in bounds.enumerated() {
            writeName(name, "_bucket", group, entry, le: bound.text)
            text.append(" ")
            text.append(decimal: counts[index])
            text.append("\n")
        }
        writeName(name, "_bucket", group, entry, le: "+Inf")
        text.append(" ")
        text.append(decimal: totals.count)
        text.append("\n")
        writeName(name, "_sum", group, entry)
        text.append(" ")
        if entry.description.unit == .time {
            appendSeconds(Int64(clamping: totals.sum))
        } else {
            text.append(decimal: totals.sum)
        }
        text.append("\n")
        writeName(name, "_count", group, entry)
        text.append(" ")
        text.append(decimal: totals.count)
        text.append("\n")
    }

    private mutating func writeName(
        _ name: String, _ suffix: StaticString, _ group: StatGroup, _ entry: StatSchema.Entry, le: StaticString? = nil
    ) {
        text.append(name)
        text.append(suffix)
        let labels = group.scope.labels
        guard !labels.isEmpty || !entry.label.isEmpty || le != nil else { return }
        text.append("{")
        text.append(labels)
        if !entry.label.isEmpty {
            if !labels.isEmpty { text.append(",") }
            text.append(entry.label)
        }
        if let le {
            if !labels.isEmpty || !entry.label.isEmpty { text.append(",") }
            text.append("le=\"")
            text.append(le)
            text.append("\"")
        }
        text.append("}")
    }

    /// Nanoseconds as seconds.
    private mutating func appendSeconds(_ nanoseconds: Int64) {
        if nanoseconds < 0 { text.append("-") }
        text.append(decimal: nanoseconds.magnitude / 1_000_000_000)
        let fraction = nanoseconds.magnitude % 1_000_000_000
        guard fraction > 0 else { return }
        text.append(".")
        text.append(decimal: fraction, width: 9)
    }
}
