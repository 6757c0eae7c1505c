internal import FilterAPI

/// Ways to write a trace into fields.
struct TraceFormats: OptionSet {
    let rawValue: UInt8

    /// `traceparent` and `tracestate` (W3C Trace Context).
    static let w3c = TraceFormats(rawValue: 1)
    /// `x-b3-traceid` and the fields beside it (B3 of Zipkin).
    static let b3 = TraceFormats(rawValue: 2)
    /// `b3`.
    static let b3Single = TraceFormats(rawValue: 4)
}

extension TraceFormats {
    init(_ formats: [Trace.Format]) {
        self = []
        for format in formats {
            switch format {
            case .w3c: insert(.w3c)
            case .b3: insert(.b3)
            case .b3Single: insert(.b3Single)
            }
        }
    }

    /// Writes a trace in these formats.
    func write(_ context: TraceContext, to headers: inout Headers) {
        if contains(.w3c) { TraceParent.write(context, to: &headers) }
        if contains(.b3) { B3Fields.write(context, to: &headers) }
        if contains(.b3Single) { B3Single.write(context, to: &headers) }
    }

    /// Removes all fields of these formats.
    func remove(from headers: inout Headers) {
        if contains(.w3c) {
            headers.remove(.traceparent)
            headers.remove(.tracestate)
        }
        if contains(.b3) { B3Fields.remove(from: &headers) }
        if contains(.b3Single) { headers.remove(.b3) }
    }
}
