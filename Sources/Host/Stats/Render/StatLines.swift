internal import FilterAPI
internal import Filters

/// Statistics by the names and in the forms that Envoy's users know: lines, or JSON.
struct StatLines: ~Copyable {
    /// Quantiles of histograms.
    static let quantiles: [(share: Double, text: StaticString)] = [
        (0, "0"), (0.25, "25"), (0.5, "50"), (0.75, "75"), (0.9, "90"), (0.95, "95"), (0.99, "99"), (0.995, "99.5"),
        (0.999, "99.9"), (1, "100"),
    ]

    /// What is shown.
    struct Choice: Sendable {
        /// Leaves out what has never been anything else than 0.
        var onlyUsed = false
        /// Only names in which this is found; used by one thread.
        var pattern: Handover<Pattern>?
        /// Leaves out what is of another kind.
        var kind: StatDescription.Kind?

        func shows(_ name: String) -> Bool {
            // SAFETY: the name outlives the span.
            unsafe pattern?.value.matchesPart(name.utf8Span.span.bytes) ?? true
        }
    }

    private struct Line {
        let name: String
        let group: StatGroup
        let index: Int
        var entry: StatSchema.Entry { group.schema.entries[index] }
    }

    private let lines: [Line]
    private var totals = HistogramTotals()
    private var text = ByteText(capacity: 64 << 10)

    private init(_ groups: [StatGroup], _ choice: Choice) {
        var lines: [Line] = []
        var totals = HistogramTotals()
        for group in groups {
            for (index, entry) in group.schema.entries.enumerated() {
                if let kind = choice.kind, kind != entry.description.kind { continue }
                if choice.onlyUsed, !Self.isUsed(group, index, entry, &totals) { continue }
                let name = Self.name(of: entry, in: group)
                if choice.shows(name) { lines.append(Line(name: name, group: group, index: index)) }
            }
        }
        self.lines = lines.sorted { $0.name < $1.name }
    }

    private static func isUsed(
        _ group: StatGroup, _ index: Int, _ entry: StatSchema.Entry, _ totals: inout HistogramTotals
    ) -> Bool {
        if entry.description.kind == .histogram {
            group.read(entry, into: &totals)
            return totals.count > 0
        }
        return group.notes(index, isZero: group.value(entry) == 0)
    }

    /// A full name; of a series with its labels.
    private static func name(of entry: StatSchema.Entry, in group: StatGroup) -> String {
        let name = group.scope.prefix + entry.description.name
        return group.scope.series.isEmpty ? name : "\(name){\(group.scope.series)}"
    }

    /// `name: value`, one a line; histograms behind the others.
    static func text(_ groups: [StatGroup], _ choice: Choice) -> ByteText {
        var writer = StatLines(groups, choice)
        writer.writeText()
        return writer.finish()
    }

    /// Envoy's JSON.
    static func json(_ groups: [StatGroup], _ choice: Choice) -> ByteText {
        var writer = StatLines(groups, choice)
        writer.writeJSON()
        return writer.finish()
    }

    private consuming func finish() -> ByteText { text }

    private mutating func writeText() {
        for line in lines where line.entry.description.kind != .histogram {
            text.append(line.name)
            text.append(": ")
            append(line.group.value(line.entry), line.entry.description.unit)
            text.append("\n")
        }
        for line in lines where line.entry.description.kind == .histogram {
            line.group.read(line.entry, into: &totals)
            text.append(line.name)
            text.append(":")
            if totals.count == 0 { text.append(" No recorded values") }
            for (share, name) in Self.quantiles where totals.count > 0 {
                text.append(" P")
                text.append(name)
                // The first number of the two is that of the last interval, which there is none of here.
                text.append("(nan,")
                append(quantile: share, line.entry.description.unit)
                text.append(")")
            }
            text.append("\n")
        }
    }

    private mutating func writeJSON() {
        text.append("{\"stats\":[")
        var isFirst = true
        for line in lines where line.entry.description.kind != .histogram {
            if !isFirst { text.append(",") }
            isFirst = false
            text.append("{\"name\":\"")
            text.append(json: line.name)
            text.append("\",\"value\":")
            append(line.group.value(line.entry), line.entry.description.unit)
            text.append("}")
        }
        let histograms = lines.filter { $0.entry.description.kind == .histogram }
        if !histograms.isEmpty {
            if !isFirst { text.append(",") }
            writeJSON(histograms)
        }
        text.append("]}\n")
    }

    private mutating func writeJSON(_ histograms: [Line]) {
        text.append("{\"histograms\":{\"supported_quantiles\":[")
        for (index, quantile) in Self.quantiles.enumerated() {
            if index > 0 { text.append(",") }
            text.append(quantile.text)
        }
        text.append("],\"computed_quantiles\":[")
        for (index, line) in histograms.enumerated() {
            if index > 0 { text.append(",") }
            line.group.read(line.entry, into: &totals)
            text.append("{\"name\":\"")
            text.append(json: line.name)
            text.append("\",\"values\":[")
            for (position, quantile) in Self.quantiles.enumerated() {
                if position > 0 { text.append(",") }
                text.append("{\"interval\":null,\"cumulative\":")
                if totals.count == 0 {
                    text.append("null")
                } else {
                    append(quantile: quantile.share, line.entry.description.unit)
                }
                text.append("}")
            }
            text.append("]}")
        }
        text.append("]}}")
    }

    /// Times are in milliseconds, as Envoy's are.
    private mutating func append(_ value: Int64, _ unit: StatUnit) {
        text.append(decimal: Int(unit == .time ? value / 1_000_000 : value))
    }

    private mutating func append(quantile share: Double, _ unit: StatUnit) {
        let value = totals.quantile(share) ?? 0
        text.append(decimal: unit == .time ? value / 1_000_000 : value)
    }
}
