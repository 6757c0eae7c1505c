/// Counters, gauges or histograms of one name that differ by labels, such as one for each route.
///
/// Each combination is made when it is first asked for. What labels say may come from peers, so there is a most: from
/// then on whatever is new is counted in one further series, whose only label is `otel_metric_overflow="true"`, as
/// OpenTelemetry has it.
///
/// Finding a series hashes its labels: keep what you found where requests come by.
public final class StatFamily<Series: BitwiseCopyable> {
    private var known: [[String]: Series] = [:]
    private let make: ([String]) -> Series

    package init(_ make: @escaping ([String]) -> Series) { self.make = make }

    /// The series with these values of the labels, in the order in which the labels were named; on the worker that asked
    /// for the family only.
    public subscript(_ values: String...) -> Series { find(values) }

    /// See the subscript.
    public func find(_ values: [String]) -> Series {
        if let found = known[values] { return found }
        let made = make(values)
        known[values] = made
        return made
    }
}

/// Who asks for statistics: one filter of one chain.
package struct StageIdentity: Sendable {
    /// The name in the chain.
    package var stage: String
    /// The listener's or cluster's name.
    package var owner: String
    package var side: Side
    /// Whether it works on HTTP, and not on bytes.
    package var isHTTP: Bool
    package var manifest: Manifest

    package init(stage: String, owner: String, side: Side, isHTTP: Bool, manifest: Manifest) {
        self.stage = stage
        self.owner = owner
        self.side = side
        self.isHTTP = isHTTP
        self.manifest = manifest
    }

    /// Of a filter type.
    package init<F: Filter>(_ type: F.Type, stage: String, owner: String, side: Side) {
        self.init(
            stage: stage, owner: owner, side: side, isHTTP: type is any HTTPEvents.Type, manifest: type.manifest)
    }
}

/// Labels of a series, and how many series its family may have.
package struct StatLabels: Sendable {
    package var pairs: [(name: String, value: String)]
    package var most: Int

    package init(_ pairs: [(name: String, value: String)], most: Int) {
        self.pairs = pairs
        self.most = most
    }
}
