internal import FilterAPI

/// What a request's fields say of a trace, in all formats together.
struct IncomingTrace {
    /// The first valid one: of W3C, of `b3`, of the fields `x-b3-…`.
    private(set) var claim: TraceClaim?
    /// Its format; empty where there is none.
    private(set) var source: TraceFormats = []
    /// Formats of which there are fields, valid or not.
    private(set) var present: TraceFormats = []
    /// Those whose fields are not valid.
    private(set) var invalid: TraceFormats = []

    init(_ headers: borrowing Headers) {
        take(TraceParent.read(headers), .w3c)
        take(B3Single.read(headers), .b3Single)
        take(B3Fields.read(headers), .b3)
    }

    private mutating func take(_ reading: TraceReading, _ format: TraceFormats) {
        switch reading {
        case .absent: return
        case .invalid: invalid.insert(format)
        case .valid(let found):
            if claim == nil {
                claim = found
                source = format
            }
        }
        present.insert(format)
    }
}
