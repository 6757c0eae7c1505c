internal import FilterAPI

/// Reads the head of an HTTP/1 message, line by line, in as many pieces as it comes in.
///
/// A head that lies in one piece is read in place and then copied once, as a block, to where the fields point into it.
/// A head that comes in pieces is gathered in that block, and reading goes on where it stopped. Strict: what RFC 9112
/// lets a recipient tolerate is refused, since every leniency is a way for two parsers to disagree.
///
/// SAFETY: all loads are below `end`, which is the number of bytes at `base`.
@safe
struct HeadParser {
    enum Role { case request, response }

    /// What the first line said.
    struct StartLine {
        var method = TextRange.empty
        var target = TextRange.empty
        /// Whether the target needs a second look before it is used as a path.
        var isPlainPath = true
        var status = 0
        var version = HTTPVersion.http11
    }

    private(set) var start = StartLine()
    private(set) var meaning = HeadMeaning()
    /// Bytes of the head that have been read, with the lines before it.
    private(set) var size = 0
    private let role: Role
    private var lineStart = 0
    private var scanned = 0
    private var gathered = 0
    private var emptyLines = 0
    private var hasStarted = false
    private let isTrailers: Bool

    init(_ role: Role) {
        self.role = role
        isTrailers = false
    }

    /// Reads the trailers behind a chunked body: the same lines, without a first one.
    init(trailersOf role: Role) {
        self.role = role
        isTrailers = true
        hasStarted = true
    }

    /// Whether a byte of the head has been seen.
    var hasBegun: Bool { gathered > 0 || hasStarted }

    /// Makes ready for the next head.
    mutating func reset() { self = isTrailers ? HeadParser(trailersOf: role) : HeadParser(role) }

    /// Reads on.
    ///
    /// - Parameters:
    ///   - input: loses what belongs to the head.
    ///   - headers: gets the block and the fields; empty before the first call.
    /// - Returns: whether the head is complete; if not, all of the input has been taken.
    mutating func parse(
        _ input: inout ByteChunk, into headers: inout Headers, _ limits: HeadLimits
    ) throws(Fault) -> Bool {
        if gathered == 0 {
            let done = unsafe try input.withUnsafeBytes { bytes throws(Fault) in
                guard let base = bytes.baseAddress else { return false }
                return unsafe try lines(base, bytes.count, &headers, limits)
            }
            size = done ? lineStart : input.count
            if size > limits.head { throw tooLarge(limits) }
            _ = headers.store(input.bytes.extracting(first: size))
            if !done { gathered = size }
            input.removeFirst(size)
            return done
        }
        let before = gathered
        // No more than the limit is ever gathered, however much has arrived.
        let taken = min(input.count, limits.head + 1 - gathered)
        _ = headers.store(input.bytes.extracting(first: taken))
        gathered += taken
        let block = unsafe UnsafeRawPointer(headers.bytes)
        guard unsafe try lines(block, gathered, &headers, limits) else {
            if gathered > limits.head { throw tooLarge(limits) }
            size = gathered
            input.removeFirst(taken)
            return false
        }
        if lineStart > limits.head { throw tooLarge(limits) }
        size = lineStart
        headers.used = lineStart
        input.removeFirst(lineStart - before)
        return true
    }

    private func tooLarge(_ limits: HeadLimits) -> Fault {
        if role == .response { return Fault(.upstreamProtocol, "http1.response_head_too_large") }
        if !hasStarted { return Fault(.targetTooLong, "http1.target_too_long") }
        return Fault(.headTooLarge, "http1.head_too_large")
    }

    // MARK: Lines

    /// - Returns: whether the empty line that ends the head was reached; `lineStart` is behind it then.
    private mutating func lines(
        _ base: UnsafeRawPointer, _ end: Int, _ headers: inout Headers, _ limits: HeadLimits
    ) throws(Fault) -> Bool {
        while true {
            let feed = unsafe Scan.lineFeed(base, scanned, end)
            guard feed < end else {
                scanned = end
                if !hasStarted { unsafe try checkUnfinishedStart(base, end, limits) }
                return false
            }
            guard feed > lineStart, unsafe base.load(fromByteOffset: feed - 1, as: UInt8.self) == 0x0D else {
                throw malformed("http1.bare_lf")
            }
            let first = lineStart
            let last = feed - 1
            lineStart = feed + 1
            scanned = lineStart
            if first == last {
                if hasStarted { return true }
                emptyLines += 1
                if emptyLines > 2 || role == .response { throw malformed("http1.empty_lines") }
            } else if hasStarted {
                unsafe try field(base, first, last, &headers, limits)
            } else {
                hasStarted = true
                unsafe try startLine(base, first, last, limits)
            }
        }
    }

    /// Something that cannot become a request is refused without waiting for its end.
    private func checkUnfinishedStart(_ base: UnsafeRawPointer, _ end: Int, _ limits: HeadLimits) throws(Fault) {
        guard role == .request, end > lineStart else { return }
        let byte = unsafe base.load(fromByteOffset: lineStart, as: UInt8.self)
        if byte != 0x0D, !ByteClass.isToken(byte) { throw malformed("http1.not_http") }
        if end - lineStart > limits.target + 64 { throw Fault(.targetTooLong, "http1.target_too_long") }
    }

    func malformed(_ reason: StaticString) -> Fault {
        role == .request ? Fault(.badRequest, reason) : Fault(.upstreamProtocol, reason)
    }

    // MARK: The first line

    private mutating func startLine(
        _ base: UnsafeRawPointer, _ first: Int, _ last: Int, _ limits: HeadLimits
    ) throws(Fault) {
        if role == .request {
            unsafe try requestLine(base, first, last, limits)
        } else {
            unsafe try statusLine(base, first, last)
        }
    }

    private mutating func requestLine(
        _ base: UnsafeRawPointer, _ first: Int, _ last: Int, _ limits: HeadLimits
    ) throws(Fault) {
        var position = first
        while position < last, unsafe ByteClass.isToken(base.load(fromByteOffset: position, as: UInt8.self)) {
            position += 1
        }
        guard position > first, position < last, unsafe base.load(fromByteOffset: position, as: UInt8.self) == 0x20 else {
            throw Fault(.badRequest, "http1.bad_method")
        }
        guard position - first <= 32 else { throw Fault(.badRequest, "http1.method_too_long") }
        start.method = TextRange(offset: UInt32(first), count: UInt32(position - first))
        let target = position + 1
        position = target
        var isPlain = true
        while position < last {
            let byte = unsafe base.load(fromByteOffset: position, as: UInt8.self)
            if byte == 0x20 { break }
            guard ByteClass.isTarget(byte) else { throw Fault(.badRequest, "http1.bad_target") }
            // A percent sign, two slashes or a dot behind a slash: the path may have another normal form.
            if byte == UInt8(ascii: "%") { isPlain = false }
            if byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/"), position > target,
                unsafe base.load(fromByteOffset: position - 1, as: UInt8.self) == UInt8(ascii: "/")
            {
                isPlain = false
            }
            position += 1
        }
        guard position > target else { throw Fault(.badRequest, "http1.no_target") }
        guard position - target <= limits.target else { throw Fault(.targetTooLong, "http1.target_too_long") }
        guard position < last else { throw Fault(.badRequest, "http1.no_version") }
        start.target = TextRange(offset: UInt32(target), count: UInt32(position - target))
        start.isPlainPath = isPlain
        start.version = unsafe try version(base, position + 1, last)
    }

    private func version(_ base: UnsafeRawPointer, _ first: Int, _ last: Int) throws(Fault) -> HTTPVersion {
        // `HTTP/1.` and a digit, compared as one number.
        guard last - first == 8 else { throw malformed("http1.bad_version") }
        let word = unsafe base.loadUnaligned(fromByteOffset: first, as: UInt64.self)
        if word == 0x312E_312F_5054_5448 { return .http11 }
        if word == 0x302E_312F_5054_5448 { return .http10 }
        let isHTTP = word & 0x00FF_00FF_FFFF_FFFF | 0x0000_2E00_0000_0000 == word & 0x00FF_FFFF_FFFF_FFFF
            && word & 0xFF_FFFF_FFFF == 0x2F_5054_5448
        guard isHTTP, unsafe isDigit(base, first + 5), unsafe isDigit(base, first + 7) else {
            throw malformed("http1.bad_version")
        }
        throw role == .request
            ? Fault(.versionNotSupported, "http1.version_not_supported") : malformed("http1.version_not_supported")
    }

    private func isDigit(_ base: UnsafeRawPointer, _ position: Int) -> Bool {
        unsafe base.load(fromByteOffset: position, as: UInt8.self) &- UInt8(ascii: "0") <= 9
    }

    private mutating func statusLine(_ base: UnsafeRawPointer, _ first: Int, _ last: Int) throws(Fault) {
        guard last - first >= 12, unsafe base.load(fromByteOffset: first + 8, as: UInt8.self) == 0x20 else {
            throw malformed("http1.bad_status_line")
        }
        start.version = unsafe try version(base, first, first + 8)
        var status = 0
        for position in first + 9..<first + 12 {
            let digit = unsafe base.load(fromByteOffset: position, as: UInt8.self) &- UInt8(ascii: "0")
            guard digit <= 9 else { throw malformed("http1.bad_status") }
            status = status * 10 + Int(digit)
        }
        guard status >= 100, status <= 599 else { throw malformed("http1.bad_status") }
        start.status = status
        guard last > first + 12 else { return }
        guard unsafe base.load(fromByteOffset: first + 12, as: UInt8.self) == 0x20 else {
            throw malformed("http1.bad_status_line")
        }
        guard unsafe Scan.isValue(base, first + 13, last) else { throw malformed("http1.bad_reason") }
    }

    // MARK: Fields

    @inline(__always)
    private mutating func field(
        _ base: UnsafeRawPointer, _ first: Int, _ last: Int, _ headers: inout Headers, _ limits: HeadLimits
    ) throws(Fault) {
        var position = first
        while position < last, unsafe ByteClass.isToken(base.load(fromByteOffset: position, as: UInt8.self)) {
            position += 1
        }
        guard position > first, position < last, unsafe base.load(fromByteOffset: position, as: UInt8.self) == 0x3A else {
            throw unsafe nameFault(base, first, position, last)
        }
        guard last - first <= limits.field else {
            throw role == .request
                ? Fault(.headTooLarge, "http1.field_too_large") : malformed("http1.field_too_large")
        }
        let nameCount = position - first
        var value = position + 1
        var valueEnd = last
        while value < valueEnd, unsafe Scan.isBlank(base.load(fromByteOffset: value, as: UInt8.self)) { value += 1 }
        while valueEnd > value, unsafe Scan.isBlank(base.load(fromByteOffset: valueEnd - 1, as: UInt8.self)) {
            valueEnd -= 1
        }
        guard unsafe Scan.isValue(base, value, valueEnd) else { throw malformed("http1.bad_value") }
        guard headers.count < limits.fields else {
            throw role == .request
                ? Fault(.headTooLarge, "http1.too_many_fields") : malformed("http1.too_many_fields")
        }
        let name = unsafe UnsafeRawBufferPointer(start: base + first, count: nameCount)
        let (token, hash) = unsafe HeaderNameTable.shared.find(name)
        let text = unsafe UnsafeRawBufferPointer(start: base + value, count: valueEnd - value)
        if isTrailers {
            // What frames, routes or authenticates must not come after the fact (RFC 9110 section 6.5.1).
            if KnownField.isForbiddenTrailer(token) { return }
        } else if token != 0, token <= KnownField.lastSpecial {
            guard unsafe try special(token, text) else { return }
        } else if token == 0, unsafe name.contains(UInt8(ascii: "_")) {
            meaning.flags.insert(.underscoreNames)
        }
        headers.appendEntry(
            Headers.Entry(
                nameOffset: UInt32(first), valueOffset: UInt32(value), valueCount: UInt32(valueEnd - value),
                hash: hash, nameCount: UInt16(truncatingIfNeeded: nameCount), token: token))
    }

    private func nameFault(_ base: UnsafeRawPointer, _ first: Int, _ position: Int, _ last: Int) -> Fault {
        if position == last { return malformed("http1.no_colon") }
        let byte = unsafe base.load(fromByteOffset: position, as: UInt8.self)
        if position == first {
            return malformed(Scan.isBlank(byte) ? "http1.folded_field" : byte == 0x3A ? "http1.empty_name" : "http1.bad_name")
        }
        return malformed(Scan.isBlank(byte) ? "http1.space_before_colon" : "http1.bad_name")
    }

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
            unsafe connection(value)
            return true
        case KnownField.keepAlive:
            unsafe meaning.keepAliveTimeout = FieldText.keepAliveTimeout(value)
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
            // A list of good tokens is a coding that we do not have; anything else is nonsense.
            throw unsafe FieldText.isTokenList(value)
                ? Fault(.notImplemented, "http1.unknown_transfer_encoding")
                : Fault(.badRequest, "http1.bad_transfer_encoding")
        } else {
            throw malformed("http1.unknown_transfer_encoding")
        }
    }

    private mutating func connection(_ value: UnsafeRawBufferPointer) {
        let span = unsafe RawSpan(_unsafeBytes: value)
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
            }
            start = end + 1
        }
    }
}

/// Tokens of the fields that say something about framing or the connection; they are the first in the table.
enum KnownField {
    static let host: UInt16 = 1
    static let connection: UInt16 = 2
    static let contentLength: UInt16 = 3
    static let transferEncoding: UInt16 = 4
    static let keepAlive: UInt16 = 5
    static let proxyConnection: UInt16 = 6
    static let te: UInt16 = 7
    static let trailer: UInt16 = 8
    static let upgrade: UInt16 = 9
    static let expect: UInt16 = 10
    static let lastSpecial: UInt16 = 10

    private static let forbiddenTrailers: Set<UInt16> = {
        let names: [HeaderName] = [
            .authorization, .cookie, .setCookie, .contentEncoding, .contentType, .contentRange, .cacheControl,
            .maxForwards, .range, .wwwAuthenticate, .proxyAuthenticate, .proxyAuthorization, .age, .date, .expires,
            .location, .retryAfter, .vary, .ifMatch, .ifNoneMatch, .ifModifiedSince, .ifUnmodifiedSince, .ifRange,
            .xForwardedFor, .xForwardedHost, .xForwardedProto, .xRequestID,
        ]
        return Set(names.map(\.token)).union(1...lastSpecial)
    }()

    static func isForbiddenTrailer(_ token: UInt16) -> Bool { token != 0 && forbiddenTrailers.contains(token) }
}
