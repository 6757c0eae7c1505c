internal import FilterAPI

/// The field `b3`: trace, span, decision and parent in one, or a decision alone.
enum B3Single {
    static func read(_ headers: borrowing Headers) -> TraceReading {
        switch headers.single(.b3) {
        case .absent: .absent
        case .repeated: .invalid
        case .at(let index): parse(headers.value(at: index)).map { .valid($0) } ?? .invalid
        }
    }

    static func parse(_ text: RawSpan) -> TraceClaim? {
        var claim = TraceClaim()
        if text.byteCount == 1 { return decide(text.byte(at: 0), &claim) ? claim : nil }
        let dash = text.firstIndex(of: UInt8(ascii: "-"))
        guard dash > 0, let trace = text.extracting(0..<dash).b3TraceID else { return nil }
        guard let span = text.lowerHex64(at: dash + 1), span != 0 else { return nil }
        claim.trace = trace
        claim.span = span
        let rest = text.extracting((dash + 17)..<text.byteCount)
        switch rest.byteCount {
        case 0: return claim
        case 2: return decide(rest, &claim) ? claim : nil
        case 19:
            // The parent of the sender's span: nothing that is done here depends on it.
            guard decide(rest, &claim), rest.byte(at: 2) == UInt8(ascii: "-"), rest.lowerHex64(at: 3) != nil else {
                return nil
            }
            return claim
        default: return nil
        }
    }

    static func write(_ context: TraceContext, to headers: inout Headers) {
        var text = TraceText()
        text.append(context.trace)
        text.append("-")
        text.append(hex: context.span)
        text.append(context.flags.contains(.debug) ? "-d" : context.isSampled ? "-1" : "-0")
        if context.parent != 0 {
            text.append("-")
            text.append(hex: context.parent)
        }
        text.set(.b3, in: &headers)
    }

    /// A dash and the letter of a decision.
    private static func decide(_ text: RawSpan, _ claim: inout TraceClaim) -> Bool {
        text.byte(at: 0) == UInt8(ascii: "-") && decide(text.byte(at: 1), &claim)
    }

    private static func decide(_ letter: UInt8, _ claim: inout TraceClaim) -> Bool {
        switch letter {
        case UInt8(ascii: "0"): claim.isSampled = false
        case UInt8(ascii: "1"): claim.isSampled = true
        case UInt8(ascii: "d"):
            claim.isSampled = true
            claim.flags = .debug
        default: return false
        }
        return true
    }
}

extension RawSpan {
    /// The identifier of a trace as B3 has it, of 64 or 128 bits; nil where the text is none.
    var b3TraceID: TraceID? {
        let trace: TraceID
        switch byteCount {
        case 16:
            guard let low = lowerHex64(at: 0) else { return nil }
            trace = TraceID(high: 0, low: low)
        case 32:
            guard let high = lowerHex64(at: 0), let low = lowerHex64(at: 16) else { return nil }
            trace = TraceID(high: high, low: low)
        default: return nil
        }
        return trace.isZero ? nil : trace
    }
}
