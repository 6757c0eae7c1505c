package import FilterAPI

/// Reads the head of an HTTP/1 message, line by line, in as many pieces as it comes in.
///
/// A head that lies in one piece is read in place and then copied once, as a block, to where the fields point into it.
/// A head that comes in pieces is gathered in that block, and reading goes on where it stopped. Strict: what RFC 9112
/// lets a recipient tolerate is refused, since every leniency is a way for two parsers to disagree. What is said of a
/// head does not depend on the pieces it came in.
///
/// The first line is read in `+StartLine`, the others in `+PlainField` if they are like most, or in `+Fields`.
///
/// SAFETY: all loads are below `end`, which is the number of bytes at `base`.
@safe
package struct HeadParser {
    /// Whose messages are read.
    package enum Role { case request, response }

    /// What the first line said.
    struct StartLine {
        var method = TextRange.empty
        var target = TextRange.empty
        /// Whether the target needs no second look before it is used as a path.
        var isPlainPath = true
        var status = 0
        var version = HTTPVersion.http11
    }

    var start = StartLine()
    var meaning = HeadMeaning()
    /// Bytes of the head that have been read, with the lines before it.
    private(set) var size = 0
    let role: Role
    let isReadingTrailers: Bool
    /// Fields that were read, those that are not passed on included.
    var fieldCount = 0
    private(set) var lineStart = 0
    private var scanned = 0
    private var gathered = 0
    private var hasStarted = false

    /// Reads heads.
    package init(_ role: Role) {
        self.role = role
        isReadingTrailers = false
    }

    /// Reads the trailers behind a chunked body: the same lines, without a first one.
    init(trailersOf role: Role) {
        self.role = role
        isReadingTrailers = true
        hasStarted = true
    }

    /// Whether a byte of the head has been seen.
    var hasBegun: Bool { gathered > 0 || hasStarted }

    /// Makes ready for the next head.
    package mutating func reset() { self = HeadParser(role) }

    /// Reads on.
    ///
    /// - Parameters:
    ///   - input: loses what belongs to the head.
    ///   - headers: gets the block and the fields; empty before the first call.
    /// - Returns: whether the head is complete; if not, all of the input has been taken.
    package mutating func parse(
        _ input: inout ByteChunk, into headers: inout Headers, _ limits: HeadLimits
    ) throws(Fault) -> Bool {
        if gathered > 0 { return try parseOn(&input, into: &headers, limits) }
        // No more than the limit is ever looked at, however much has arrived.
        let count = min(input.count, limits.head + 1)
        let done = unsafe try input.withUnsafeBytes { bytes throws(Fault) in
            guard let base = bytes.baseAddress else { return false }
            return unsafe try lines(base, count, &headers, limits)
        }
        size = done ? lineStart : count
        if size > limits.head { throw tooLarge(limits) }
        _ = headers.store(input.bytes.extracting(first: size))
        if !done { gathered = size }
        input.removeFirst(size)
        return done
    }

    /// Reads on where the beginning has been gathered.
    private mutating func parseOn(
        _ input: inout ByteChunk, into headers: inout Headers, _ limits: HeadLimits
    ) throws(Fault) -> Bool {
        let before = gathered
        let taken = min(input.count, limits.head + 1 - gathered)
        _ = headers.store(input.bytes.extracting(first: taken))
        gathered += taken
        let block = unsafe UnsafeRawPointer(headers.bytes)
        let done = unsafe try lines(block, gathered, &headers, limits)
        size = done ? lineStart : gathered
        if size > limits.head { throw tooLarge(limits) }
        if done { headers.used = size }
        input.removeFirst(size - before)
        return done
    }

    private func tooLarge(_ limits: HeadLimits) -> Fault {
        if role == .response { return Fault(.upstreamProtocol, "http1.response_head_too_large") }
        if !hasStarted { return Fault(.targetTooLong, "http1.target_too_long") }
        return Fault(.headTooLarge, "http1.head_too_large")
    }

    func malformed(_ reason: StaticString) -> Fault {
        role == .request ? Fault(.badRequest, reason) : Fault(.upstreamProtocol, reason)
    }

    // MARK: Lines

    /// - Returns: whether the empty line that ends the head was reached; `lineStart` is behind it then.
    private mutating func lines(
        _ base: UnsafeRawPointer, _ end: Int, _ headers: inout Headers, _ limits: HeadLimits
    ) throws(Fault) -> Bool {
        let names = HeaderNameTable.shared
        while true {
            if hasStarted, scanned == lineStart {
                if unsafe isEmptyLine(base, end) { return true }
                if unsafe try plainField(base, end, names, &headers, limits) { continue }
            }
            let feed = unsafe Scan.lineFeed(base, scanned, end)
            guard feed < end else {
                scanned = end
                if !hasStarted, end > lineStart { _ = unsafe try self.methodEnd(base, end, limits) }
                return false
            }
            let methodEnd = hasStarted ? 0 : unsafe try self.methodEnd(base, feed, limits)
            guard feed > lineStart, unsafe base.load(fromByteOffset: feed - 1, as: UInt8.self) == 0x0D else {
                throw malformed("http1.bare_lf")
            }
            let first = lineStart
            let last = feed - 1
            endLine(at: feed + 1)
            if first == last {
                if hasStarted { return true }
                // The codec has dropped those that a client may send.
                throw malformed("http1.empty_lines")
            } else if hasStarted {
                unsafe try field(base, first, last, names, &headers, limits)
            } else {
                hasStarted = true
                unsafe try startLine(base, first, methodEnd, last, limits)
            }
        }
    }

    /// Steps over the empty line, where the next one is it.
    @inline(__always)
    private mutating func isEmptyLine(_ base: UnsafeRawPointer, _ end: Int) -> Bool {
        guard lineStart &+ 2 <= end, unsafe Scan.isLineEnd(base, lineStart) else { return false }
        endLine(at: lineStart &+ 2)
        return true
    }

    /// Steps over a line that has been read.
    @inline(__always)
    mutating func endLine(at next: Int) {
        lineStart = next
        scanned = next
    }

    /// Finds the space behind the method.
    ///
    /// What cannot become a request is refused here without waiting for the end of its line, and in the same words
    /// where the end has come.
    ///
    /// - Parameter end: of what has come of the first line, with its CR where it is complete.
    /// - Returns: where the method ends; `end` where it has not ended yet, or there is none.
    private func methodEnd(_ base: UnsafeRawPointer, _ end: Int, _ limits: HeadLimits) throws(Fault) -> Int {
        guard role == .request else { return end }
        var position = lineStart
        while position < end {
            let byte = unsafe base.load(fromByteOffset: position, as: UInt8.self)
            if !ByteClass.isToken(byte) {
                if position == lineStart, byte == 0x0D, end - position == 1 { return end }
                if byte != 0x20 { throw malformed(position == lineStart ? "http1.not_http" : "http1.bad_method") }
                if position == lineStart { throw malformed("http1.not_http") }
                break
            }
            position &+= 1
            if position - lineStart > 32 { throw malformed("http1.method_too_long") }
        }
        if end - lineStart > limits.target + 64 { throw Fault(.targetTooLong, "http1.target_too_long") }
        return position
    }
}
