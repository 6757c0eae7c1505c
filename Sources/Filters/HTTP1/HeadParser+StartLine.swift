internal import FilterAPI

extension HeadParser {
    /// Reads the first line, which lies in `first ..< last`.
    mutating func startLine(
        _ base: UnsafeRawPointer, _ first: Int, _ methodEnd: Int, _ last: Int, _ limits: HeadLimits
    ) throws(Fault) {
        if role == .request {
            unsafe try requestLine(base, first, methodEnd, last, limits)
        } else {
            unsafe try statusLine(base, first, last)
        }
    }

    private mutating func requestLine(
        _ base: UnsafeRawPointer, _ first: Int, _ methodEnd: Int, _ last: Int, _ limits: HeadLimits
    ) throws(Fault) {
        guard methodEnd < last else { throw Fault(.badRequest, "http1.bad_method") }
        start.method = TextRange(offset: UInt32(first), count: UInt32(methodEnd - first))
        let target = methodEnd + 1
        let position = unsafe try scanTarget(base, target, last)
        guard position > target else { throw Fault(.badRequest, "http1.no_target") }
        guard position - target <= limits.target else { throw Fault(.targetTooLong, "http1.target_too_long") }
        guard position < last else { throw Fault(.badRequest, "http1.no_version") }
        start.target = TextRange(offset: UInt32(target), count: UInt32(position - target))
        start.version = unsafe try version(base, position + 1, last)
    }

    /// - Returns: where the target ends: at a space, or at the line's end.
    @inline(__always)
    private mutating func scanTarget(_ base: UnsafeRawPointer, _ first: Int, _ last: Int) throws(Fault) -> Int {
        var position = first
        var isPlain = true
        var before: UInt8 = 0
        while position < last {
            let byte = unsafe base.load(fromByteOffset: position, as: UInt8.self)
            if byte == 0x20 || byte == UInt8(ascii: "?") { break }
            guard ByteClass.isTarget(byte) else { throw Fault(.badRequest, "http1.bad_target") }
            // A percent sign, two slashes, or a dot behind a slash: the path may have another normal form.
            if byte == UInt8(ascii: "%") { isPlain = false }
            if before == UInt8(ascii: "/"), byte == UInt8(ascii: ".") || byte == UInt8(ascii: "/") { isPlain = false }
            before = byte
            position += 1
        }
        start.isPlainPath = isPlain
        while position < last {
            let byte = unsafe base.load(fromByteOffset: position, as: UInt8.self)
            if byte == 0x20 { break }
            guard ByteClass.isTarget(byte) else { throw Fault(.badRequest, "http1.bad_target") }
            position += 1
        }
        return position
    }

    private func version(_ base: UnsafeRawPointer, _ first: Int, _ last: Int) throws(Fault) -> HTTPVersion {
        guard last - first == 8 else { throw malformed("http1.bad_version") }
        // `HTTP/1.` and a digit, compared as one number.
        let word = unsafe base.loadUnaligned(fromByteOffset: first, as: UInt64.self)
        if word == 0x312E_312F_5054_5448 { return .http11 }
        if word == 0x302E_312F_5054_5448 { return .http10 }
        let isNamed = word & 0xFF_FFFF_FFFF == 0x2F_5054_5448
        guard isNamed, unsafe isDigit(base, first + 5), unsafe isDigit(base, first + 7),
            unsafe base.load(fromByteOffset: first + 6, as: UInt8.self) == UInt8(ascii: ".")
        else { throw malformed("http1.bad_version") }
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
}
