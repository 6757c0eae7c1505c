internal import FilterAPI

/// The fields `x-b3-…`: a trace and a span, or neither; a decision; the debug flag.
enum B3Fields {
    static func read(_ headers: borrowing Headers) -> TraceReading {
        let trace = headers.single(.xB3Traceid)
        let span = headers.single(.xB3Spanid)
        let parent = headers.single(.xB3Parentspanid)
        let sampled = headers.single(.xB3Sampled)
        let flags = headers.single(.xB3Flags)
        if trace == .absent, span == .absent, parent == .absent, sampled == .absent, flags == .absent { return .absent }
        var claim = TraceClaim()
        guard readIDs(trace, span, parent, headers, &claim), readSampled(sampled, headers, &claim),
            readFlags(flags, headers, &claim)
        else { return .invalid }
        return .valid(claim)
    }

    private static func readIDs(
        _ trace: SingleField, _ span: SingleField, _ parent: SingleField, _ headers: borrowing Headers,
        _ claim: inout TraceClaim
    ) -> Bool {
        switch (trace, span) {
        case (.absent, .absent): return parent == .absent
        case (.at(let traceIndex), .at(let spanIndex)):
            guard let trace = headers.value(at: traceIndex).b3TraceID,
                let span = id(headers.value(at: spanIndex)), span != 0
            else { return false }
            claim.trace = trace
            claim.span = span
        default: return false
        }
        switch parent {
        case .absent: return true
        case .repeated: return false
        case .at(let index): return id(headers.value(at: index)) != nil
        }
    }

    private static func id(_ text: RawSpan) -> UInt64? { text.byteCount == 16 ? text.lowerHex64(at: 0) : nil }

    private static func readSampled(
        _ field: SingleField, _ headers: borrowing Headers, _ claim: inout TraceClaim
    ) -> Bool {
        guard case .at(let index) = field else { return field == .absent }
        let value = headers.value(at: index)
        // Early tracers wrote words.
        if ASCII.equal(value, "1") || ASCII.equal(value, "true") {
            claim.isSampled = true
        } else if ASCII.equal(value, "0") || ASCII.equal(value, "false") {
            claim.isSampled = false
        } else {
            return false
        }
        return true
    }

    /// The debug flag is a decision, too, and the stronger one.
    private static func readFlags(
        _ field: SingleField, _ headers: borrowing Headers, _ claim: inout TraceClaim
    ) -> Bool {
        guard case .at(let index) = field else { return field == .absent }
        let value = headers.value(at: index)
        if ASCII.equal(value, "1") {
            claim.isSampled = true
            claim.flags = .debug
            return true
        }
        return ASCII.equal(value, "0")
    }

    static func write(_ context: TraceContext, to headers: inout Headers) {
        var trace = TraceText()
        trace.append(context.trace)
        trace.set(.xB3Traceid, in: &headers)
        set(.xB3Spanid, context.span, in: &headers)
        if context.parent != 0 {
            set(.xB3Parentspanid, context.parent, in: &headers)
        } else {
            headers.remove(.xB3Parentspanid)
        }
        if context.flags.contains(.debug) {
            headers.set(.xB3Flags, "1")
            headers.remove(.xB3Sampled)
        } else {
            headers.remove(.xB3Flags)
            headers.set(.xB3Sampled, context.isSampled ? "1" : "0")
        }
    }

    private static func set(_ name: HeaderName, _ id: UInt64, in headers: inout Headers) {
        var text = TraceText()
        text.append(hex: id)
        text.set(name, in: &headers)
    }

    static func remove(from headers: inout Headers) {
        headers.remove(.xB3Traceid)
        headers.remove(.xB3Spanid)
        headers.remove(.xB3Parentspanid)
        headers.remove(.xB3Sampled)
        headers.remove(.xB3Flags)
    }
}
