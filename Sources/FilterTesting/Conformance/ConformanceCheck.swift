/// What the conformance suite looks at, each with what it means to fail.
public enum ConformanceCheck: String, Sendable, CaseIterable {
    /// The manifest says who the filter is, in the form that everybody reads.
    case manifest
    /// Settings are decoded, and what is wrong with them is refused with words.
    case settings
    /// The interest names the events that the filter needs.
    case interest
    /// The filter can be made for several workers, and each works.
    case workers
    /// No rule of the contract is broken; see ``BrokenRule``.
    case rules
    /// Each reason of a fault is in the manifest.
    case reasons
    /// The statistics that are asked for are those that the manifest describes.
    case statistics
    /// What came goes on to its end.
    case completeness
    /// Bytes are neither lost, nor doubled, nor changed.
    case bytes
    /// It does not matter how bytes are cut.
    case splits
    /// `Content-Length` is that of the body that goes on.
    case framing
    /// What is held is let go.
    case holding
    /// A request is not sent anew without end.
    case replays
    /// A replay from above is a stream like any other.
    case replayFromAbove
    /// A stream after many others goes like the first one, however these ended.
    case balance
    /// Filters do not share what they have not asked the worker to share.
    case isolation
    /// What belongs to a stream is freed with it, and the filter with its chain.
    case release
    /// A terminal answers, or attaches a cluster.
    case terminal
    /// A handshake that has begun ends.
    case handshake
}

/// Something that a filter does not do as it should.
public struct Finding: Sendable, Equatable, CustomStringConvertible {
    /// What was looked at.
    public var check: ConformanceCheck
    /// What is wrong, in one sentence.
    public var sentence: String
    /// What was done to the filter; empty where it was only looked at.
    public var script: String

    /// From its parts.
    public init(_ check: ConformanceCheck, _ sentence: String, script: String = "") {
        self.check = check
        self.sentence = sentence
        self.script = script
    }

    /// The check, the sentence and the script.
    public var description: String {
        "\(check.rawValue): \(sentence)" + (script.isEmpty ? "" : " (in: \(script))")
    }
}
