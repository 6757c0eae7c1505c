internal import FilterAPI

/// Parameters in a query: `a=1&b=2`.
package enum QueryText {
    /// Tests the value of the first parameter with a name.
    ///
    /// - Parameters:
    ///   - query: without the question mark.
    ///   - scratch: memory for values that have to be decoded.
    static func passes(_ test: ValueTest, _ name: String, _ query: RawSpan, _ scratch: inout ByteText) -> Bool {
        // SAFETY: the string outlives the span.
        let name = unsafe name.utf8Span.span.bytes
        guard let range = firstValue(in: query, where: { isSame($0, name, &scratch) }) else {
            return test.passesAbsence
        }
        let value = query.extracting(range)
        guard isEncoded(value) else { return test.passes(value) }
        scratch.removeAll()
        decode(value, into: &scratch)
        return test.passes(scratch.bytes)
    }

    /// Where the value of the first parameter stands whose name, as it was sent, is the one that is looked for.
    @inline(__always)
    static func firstValue(in query: RawSpan, where isWanted: (RawSpan) -> Bool) -> Range<Int>? {
        var start = 0
        while start < query.byteCount {
            var end = query.firstIndex(of: UInt8(ascii: "&"), from: start)
            if end < 0 { end = query.byteCount }
            var equals = query.firstIndex(of: UInt8(ascii: "="), from: start)
            if equals < 0 || equals > end { equals = end }
            if isWanted(query.extracting(start..<equals)) { return min(equals + 1, end)..<end }
            start = end + 1
        }
        return nil
    }

    /// A name or a value without its encoding, for whoever reads few of them; what is no UTF-8 is replaced.
    package static func decoded(_ text: Substring) -> String {
        var output = ByteText()
        // SAFETY: the string outlives the span.
        unsafe decode(String(text).utf8Span.span.bytes, into: &output)
        return String(decoding: output.copy(), as: UTF8.self)
    }

    private static func isSame(_ text: RawSpan, _ name: RawSpan, _ scratch: inout ByteText) -> Bool {
        guard isEncoded(text) else { return ASCII.equal(text, name) }
        scratch.removeAll()
        decode(text, into: &scratch)
        return ASCII.equal(scratch.bytes, name)
    }

    private static func isEncoded(_ text: RawSpan) -> Bool {
        for index in 0..<text.byteCount {
            let byte = text.byte(at: index)
            if byte == UInt8(ascii: "%") || byte == UInt8(ascii: "+") { return true }
        }
        return false
    }

    /// Undoes the encoding of forms; a `%` that begins no escape stays.
    private static func decode(_ text: RawSpan, into output: inout ByteText) {
        var index = 0
        while index < text.byteCount {
            let byte = text.byte(at: index)
            if byte == UInt8(ascii: "%"), index + 2 < text.byteCount,
                let high = ByteClass.hexValue(text.byte(at: index + 1)),
                let low = ByteClass.hexValue(text.byte(at: index + 2))
            {
                output.append(UInt8(high << 4 | low))
                index += 3
            } else {
                output.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
                index += 1
            }
        }
    }
}
