internal import FilterAPI

/// The field `tracestate` (W3C Trace Context level 2, section 3.3): a list of up to 32 members, of which none is ours.
///
/// What comes in one field and is not too long goes on as it is. Several fields become one, since not every reader looks
/// for more than one.
enum TraceState {
    /// Of a list that is passed on.
    static let mostMembers = 32
    /// More may be passed on, and less may not; where it is cut, long members go first (section 3.3.1.5).
    static let mostBytes = 512
    static let longMember = 128

    /// What was found in all fields together.
    private struct Survey {
        var fields = 0
        var members = 0
        /// Of the members, and the commas between them.
        var bytes = 0
        /// Of the fields as they are.
        var rawBytes = 0
    }

    /// Makes the list as it goes on.
    ///
    /// - Parameter scratch: text of no meaning before and after.
    /// - Returns: whether all of it goes on.
    static func tidy(_ headers: inout Headers, scratch: inout ByteText) -> Bool {
        guard headers.contains(.tracestate) else { return true }
        guard let survey = survey(headers) else {
            headers.remove(.tracestate)
            return false
        }
        if survey.members == 0 {
            headers.remove(.tracestate)
            return true
        }
        if survey.fields == 1, survey.rawBytes <= mostBytes { return true }
        let isCut = survey.bytes > mostBytes
        scratch.removeAll()
        gather(headers, longest: isCut ? longMember : .max, into: &scratch)
        if scratch.isEmpty { headers.remove(.tracestate) } else { headers.set(.tracestate, scratch.bytes) }
        return !isCut
    }

    /// - Returns: nil where a member is not as it should be, or there are too many.
    private static func survey(_ headers: borrowing Headers) -> Survey? {
        var survey = Survey()
        var index = headers.index(of: .tracestate)
        while index >= 0 {
            let text = headers.value(at: index)
            survey.fields += 1
            survey.rawBytes += text.byteCount
            var position = 0
            while let member = next(text, &position) {
                guard isMember(text.extracting(member)), survey.members < mostMembers else { return nil }
                survey.bytes += member.count + (survey.members > 0 ? 1 : 0)
                survey.members += 1
            }
            index = headers.index(of: .tracestate, from: index + 1)
        }
        return survey
    }

    /// Appends what fits.
    private static func gather(_ headers: borrowing Headers, longest: Int, into list: inout ByteText) {
        var index = headers.index(of: .tracestate)
        while index >= 0 {
            let text = headers.value(at: index)
            var position = 0
            while let member = next(text, &position) {
                if member.count > longest { continue }
                let comma = list.isEmpty ? 0 : 1
                // What is last is the oldest.
                if list.count + comma + member.count > mostBytes { return }
                if comma > 0 { list.append(",") }
                list.append(text.extracting(member))
            }
            index = headers.index(of: .tracestate, from: index + 1)
        }
    }

    /// The next member that is not empty, without blanks around it; nil at the end.
    private static func next(_ text: RawSpan, _ position: inout Int) -> Range<Int>? {
        while position < text.byteCount {
            let comma = text.firstIndex(of: UInt8(ascii: ","), from: position)
            var end = comma < 0 ? text.byteCount : comma
            var start = position
            position = end + 1
            while start < end, isBlank(text.byte(at: start)) { start += 1 }
            while end > start, isBlank(text.byte(at: end - 1)) { end -= 1 }
            if start < end { return start..<end }
        }
        return nil
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// A key of 1 to 256 bytes, `=`, and a value of 1 to 256 bytes.
    private static func isMember(_ text: RawSpan) -> Bool {
        let equals = text.firstIndex(of: UInt8(ascii: "="))
        guard equals > 0, equals <= 256, isAlphanumeric(text.byte(at: 0)) else { return false }
        for index in 1..<equals where !isKeyByte(text.byte(at: index)) { return false }
        let value = text.extracting((equals + 1)..<text.byteCount)
        guard value.byteCount > 0, value.byteCount <= 256 else { return false }
        for index in 0..<value.byteCount where !isValueByte(value.byte(at: index)) { return false }
        return true
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z") || byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private static func isKeyByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "*"), UInt8(ascii: "/"), UInt8(ascii: "@"): true
        default: isAlphanumeric(byte)
        }
    }

    /// Printable, and neither `,` nor `=`.
    private static func isValueByte(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte <= 0x7E && byte != UInt8(ascii: ",") && byte != UInt8(ascii: "=")
    }
}
