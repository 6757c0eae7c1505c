internal import FilterAPI

/// What a request says of the trace that it belongs to.
struct TraceClaim: Equatable {
    /// nil where there is a decision only, for a trace that is to begin.
    var trace: TraceID?
    /// The span of the sender; 0 where there is no trace.
    var span: UInt64 = 0
    /// Whether the trace is recorded; nil where the sender leaves that open.
    var isSampled: Bool?
    /// What else is known: ``TraceFlags/random`` and ``TraceFlags/debug``.
    var flags: TraceFlags = []
}

/// What the fields of one format come to.
enum TraceReading: Equatable {
    /// There are none.
    case absent
    /// They are not as they should be, and as good as none.
    case invalid
    /// They say this.
    case valid(TraceClaim)
}
