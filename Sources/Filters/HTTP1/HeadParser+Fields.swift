internal import FilterAPI

extension HeadParser {
    /// Names and values that a client may list in `Connection`; more are an attack on whoever looks for each of them.
    private static let connectionOptionLimit = 64

    /// Reads one field, whose line lies in `first ..< last`.
    mutating func field(
        _ base: UnsafeRawPointer, _ first: Int, _ last: Int, _ names: HeaderNameTable, _ headers: inout Headers,
        _ limits: HeadLimits
    ) throws(Fault) {
        let position = unsafe nameEnd(base, first, last)
        guard position > first, position < last, unsafe base.load(fromByteOffset: position, as: UInt8.self) == 0x3A
        else {
            throw unsafe nameFault(base, first, position, last)
        }
        let nameCount = position - first
        guard last - first <= limits.field, nameCount <= Int(UInt16.max) else {
            throw tooMuch("http1.field_too_large")
        }
        var value = position + 1
        var valueEnd = last
        while value < valueEnd, unsafe Scan.isBlank(base.load(fromByteOffset: value, as: UInt8.self)) { value += 1 }
        while valueEnd > value, unsafe Scan.isBlank(base.load(fromByteOffset: valueEnd - 1, as: UInt8.self)) {
            valueEnd -= 1
        }
        guard unsafe Scan.isValue(base, value, valueEnd) else { throw malformed("http1.bad_value") }
        let (token, hash) = unsafe names.find(UnsafeRawBufferPointer(start: base + first, count: nameCount))
        let entry = Headers.Entry(
            nameOffset: UInt32(first), valueOffset: UInt32(value), valueCount: UInt32(valueEnd - value),
            hash: hash, nameCount: UInt16(truncatingIfNeeded: nameCount), token: token)
        unsafe try take(entry, base, &headers, limits)
    }

    /// Where the bytes end that a name may hold.
    func nameEnd(_ base: UnsafeRawPointer, _ first: Int, _ last: Int) -> Int {
        var position = first
        while position < last, unsafe ByteClass.isToken(base.load(fromByteOffset: position, as: UInt8.self)) {
            position &+= 1
        }
        return position
    }

    /// Takes a field whose bytes are in order.
    @inline(__always)
    mutating func take(
        _ entry: Headers.Entry, _ base: UnsafeRawPointer, _ headers: inout Headers, _ limits: HeadLimits
    ) throws(Fault) {
        guard fieldCount < limits.fields else { throw tooMuch("http1.too_many_fields") }
        fieldCount &+= 1
        let token = entry.token
        if token == 0 {
            let name = unsafe UnsafeRawBufferPointer(start: base + Int(entry.nameOffset), count: Int(entry.nameCount))
            if unsafe name.contains(UInt8(ascii: "_")) { meaning.flags.insert(.underscoreNames) }
        } else if isReadingTrailers {
            if KnownField.isForbiddenTrailer(token) { return }
        } else if token <= KnownField.lastSpecial {
            let text = unsafe UnsafeRawBufferPointer(
                start: base + Int(entry.valueOffset), count: Int(entry.valueCount))
            guard unsafe try special(token, text) else { return }
        }
        headers.appendEntry(entry)
    }

    private func nameFault(_ base: UnsafeRawPointer, _ first: Int, _ position: Int, _ last: Int) -> Fault {
        if position == last { return malformed("http1.no_colon") }
        let byte = unsafe base.load(fromByteOffset: position, as: UInt8.self)
        if position == first {
            return malformed(
                Scan.isBlank(byte) ? "http1.folded_field" : byte == 0x3A ? "http1.empty_name" : "http1.bad_name")
        }
        return malformed(Scan.isBlank(byte) ? "http1.space_before_colon" : "http1.bad_name")
    }

    private func tooMuch(_ reason: StaticString) -> Fault {
        role == .request ? Fault(.headTooLarge, reason) : malformed(reason)
    }

    // MARK: Fields with a meaning

    /// Notes what a field says about framing or the connection.
    ///
    /// - Returns: whether the field stays in the head.
    private mutating func special(_ token: UInt16, _ value: UnsafeRawBufferPointer) throws(Fault) -> Bool {
        switch token {
        case KnownField.host: meaning.hostCount += 1
        case KnownField.contentLength:
            unsafe try contentLength(value)
        case KnownField.transferEncoding:
            unsafe try transferEncoding(value)
            return false
        case KnownField.connection:
            unsafe try connection(value)
            return true
        case KnownField.keepAlive:
            unsafe meaning.keepAliveTimeout = FieldText.keepAliveTimeout(RawSpan(_unsafeBytes: value))
            return false
        case KnownField.proxyConnection: return false
        case KnownField.te:
            if unsafe ASCII.lists(RawSpan(_unsafeBytes: value), "trailers") { meaning.flags.insert(.teTrailers) }
            return false
        case KnownField.upgrade: meaning.flags.insert(.upgradeField)
        case KnownField.expect where role == .request:
            guard unsafe ASCII.equalIgnoringCase(RawSpan(_unsafeBytes: value), "100-continue") else {
                throw Fault(.expectationFailed, "http1.unknown_expectation")
            }
            meaning.flags.insert(.expectsContinue)
        default: break
        }
        return true
    }

    private mutating func contentLength(_ value: UnsafeRawBufferPointer) throws(Fault) {
        guard let number = unsafe ASCII.number(RawSpan(_unsafeBytes: value)) else {
            throw malformed("http1.bad_content_length")
        }
        if meaning.contentLength >= 0 {
            throw malformed(
                meaning.contentLength == number ? "http1.repeated_content_length" : "http1.differing_content_lengths")
        }
        meaning.contentLength = number
    }

    private mutating func transferEncoding(_ value: UnsafeRawBufferPointer) throws(Fault) {
        if meaning.flags.contains(.transferEncoding) { throw malformed("http1.repeated_transfer_encoding") }
        meaning.flags.insert(.transferEncoding)
        if unsafe ASCII.equalIgnoringCase(RawSpan(_unsafeBytes: value), "chunked") {
            meaning.flags.insert(.chunked)
        } else if role == .request {
            // Without chunks at the end, nobody can say where the body ends (RFC 9112 section 6.3).
            guard unsafe FieldText.endsWithChunked(RawSpan(_unsafeBytes: value)) else {
                throw Fault(.badRequest, "http1.bad_transfer_encoding")
            }
            meaning.flags.insert(.unknownCoding)
        } else {
            throw malformed("http1.unknown_transfer_encoding")
        }
    }

    private mutating func connection(_ value: UnsafeRawBufferPointer) throws(Fault) {
        let span = unsafe RawSpan(_unsafeBytes: value)
        meaning.flags.insert(.connectionField)
        var start = 0
        while start <= span.byteCount {
            var end = start
            while end < span.byteCount, unsafe value[end] != UInt8(ascii: ",") { end += 1 }
            let token = ASCII.trimmed(span.extracting(start..<end))
            if ASCII.equalIgnoringCase(token, "close") {
                meaning.flags.insert(.close)
            } else if ASCII.equalIgnoringCase(token, "keep-alive") {
                meaning.flags.insert(.keepAlive)
            } else if ASCII.equalIgnoringCase(token, "upgrade") {
                meaning.flags.insert(.upgradeListed)
            } else if token.byteCount > 0 {
                meaning.flags.insert(.namesFields)
                meaning.connectionOptions &+= 1
                guard meaning.connectionOptions <= Self.connectionOptionLimit else {
                    throw malformed("http1.too_many_connection_options")
                }
            }
            start = end + 1
        }
    }
}
