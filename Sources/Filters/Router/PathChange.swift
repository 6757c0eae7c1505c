internal import FilterAPI

/// A path that is made from a request's.
enum PathChange {
    /// Takes the place of the first bytes.
    case prefix(String, count: Int)
    /// Takes the place of all of it.
    case whole(String)
    /// Takes the place of what an expression matches.
    case pattern(Pattern, with: String)

    /// Appends the new path.
    ///
    /// - Returns: false where nothing changes; then nothing is appended.
    func apply(to path: RawSpan, into text: inout ByteText) -> Bool {
        switch self {
        case .whole(let whole): text.append(whole)
        case .pattern(let pattern, let replacement):
            let start = text.count
            guard pattern.replace(in: path, with: replacement, into: &text) else { return false }
            // A replacement that took the first slash away gets it back: a target must have one.
            if text.count == start || text.bytes.byte(at: start) != UInt8(ascii: "/") { text.insert("/", at: start) }
        case .prefix(let prefix, let count):
            guard path.byteCount >= count else { return false }
            text.append(prefix)
            var rest = path.extracting(count..<path.byteCount)
            // `/v1` replaced by `/` makes of `/v1/x` not `//x` but `/x`.
            if prefix.hasSuffix("/"), rest.byteCount > 0, rest.byte(at: 0) == UInt8(ascii: "/") {
                rest = rest.extracting(1..<rest.byteCount)
            }
            text.append(rest)
        }
        return true
    }
}
