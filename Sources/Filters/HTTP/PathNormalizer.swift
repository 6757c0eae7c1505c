internal import FilterAPI

/// Brings a path into its one form before anything is decided by it (RFC 3986 sections 5.2.4 and 6.2.2).
///
/// Runs only for paths that may need it; the parser has seen which do.
struct PathNormalizer {
    var escapedSlashes = HTTP1ServerCodec.EscapedSlashes.reject
    var mergeSlashes = false
    var normalize = true
    private var path: [UInt8] = []

    init(escapedSlashes: HTTP1ServerCodec.EscapedSlashes, mergeSlashes: Bool, normalize: Bool) {
        self.escapedSlashes = escapedSlashes
        self.mergeSlashes = mergeSlashes
        self.normalize = normalize
    }

    /// Rewrites the head's target where its normal form is another one.
    mutating func apply(to head: inout RequestHead) throws(Fault) {
        let query = head.target.byteCount - head.path.byteCount
        path.removeAll(keepingCapacity: true)
        try unescape(head.path)
        if normalize { resolveDots() }
        if mergeSlashes { merge() }
        if path.isEmpty || path[0] != UInt8(ascii: "/") { path.insert(UInt8(ascii: "/"), at: 0) }
        let isSame = ASCII.equal(unsafe path.span.bytes, head.path)
        if isSame { return }
        if query > 0 {
            let target = head.target
            let tail = target.extracting(last: query)
            unsafe tail.withUnsafeBytes { unsafe path.append(contentsOf: $0) }
        }
        let span = unsafe path.span.bytes
        guard head.setTarget(span) else { throw Fault(.badRequest, "http1.bad_target") }
    }

    /// Undoes escapes of what never needs one, and decides about those of slashes.
    private mutating func unescape(_ text: RawSpan) throws(Fault) {
        var index = 0
        while index < text.byteCount {
            let byte = unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            guard byte == UInt8(ascii: "%") else {
                path.append(byte)
                index += 1
                continue
            }
            guard index + 2 < text.byteCount,
                let high = unsafe ByteClass.hexValue(text.unsafeLoad(fromByteOffset: index + 1, as: UInt8.self)),
                let low = unsafe ByteClass.hexValue(text.unsafeLoad(fromByteOffset: index + 2, as: UInt8.self))
            else { throw Fault(.badRequest, "http1.bad_escape") }
            try append(UInt8(high << 4 | low), escapedAt: index, of: text)
            index += 3
        }
    }

    private mutating func append(_ value: UInt8, escapedAt index: Int, of text: RawSpan) throws(Fault) {
        switch value {
        case 0: throw Fault(.badRequest, "http1.escaped_nul")
        case UInt8(ascii: "/"), UInt8(ascii: "\\"):
            if escapedSlashes == .reject { throw Fault(.badRequest, "http1.escaped_slash") }
            if escapedSlashes == .unescape { return path.append(UInt8(ascii: "/")) }
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: "~"):
            if normalize { return path.append(value) }
        default: break
        }
        for offset in 0..<3 { path.append(unsafe text.unsafeLoad(fromByteOffset: index + offset, as: UInt8.self)) }
    }

    /// Resolves `.` and `..`, in place; never above the root.
    private mutating func resolveDots() {
        var read = 0
        var write = 0
        let count = path.count
        while read < count {
            // `read` stands at a slash, or at the path's beginning.
            var end = read + 1
            while end < count, path[end] != UInt8(ascii: "/") { end += 1 }
            let segment = end - read - 1
            let isDot = segment == 1 && path[read + 1] == UInt8(ascii: ".")
            let isDots = segment == 2 && path[read + 1] == UInt8(ascii: ".") && path[read + 2] == UInt8(ascii: ".")
            if isDots {
                while write > 0 {
                    write -= 1
                    if path[write] == UInt8(ascii: "/") { break }
                }
            }
            if isDot || isDots {
                if end == count {
                    path[write] = UInt8(ascii: "/")
                    write += 1
                }
            } else {
                for index in read..<end {
                    path[write] = path[index]
                    write += 1
                }
            }
            read = end
        }
        path.removeSubrange(write...)
    }

    private mutating func merge() {
        var write = 0
        for index in path.indices {
            if index > 0, path[index] == UInt8(ascii: "/"), path[write - 1] == UInt8(ascii: "/") { continue }
            path[write] = path[index]
            write += 1
        }
        path.removeSubrange(write...)
    }
}
