/// Types of content, as a filter that compresses is told them.
public struct MediaTypeList: Sendable {
    private struct Pattern {
        /// In lower case: the whole type, or what stands before the `*`.
        let start: [UInt8]
        /// What stands behind the `*`; nil where there is none.
        let end: [UInt8]?
    }

    /// What is text, and is asked for often.
    public static let usualTypes = [
        "text/html", "text/plain", "text/css", "text/javascript", "text/xml", "text/csv", "text/markdown",
        "application/javascript", "application/json", "application/*+json", "application/xml", "application/*+xml",
        "image/svg+xml",
    ]

    private let patterns: [Pattern]

    /// From the texts of a config.
    ///
    /// - Parameter texts: `type/subtype`; `*` may stand for the subtype, or for its beginning.
    public init(_ texts: [String]) {
        patterns = texts.map { text in
            let text = Array(text.lowercased().utf8)
            if text == Array("*/*".utf8) { return Pattern(start: [], end: []) }
            guard let star = text.firstIndex(of: UInt8(ascii: "*")) else { return Pattern(start: text, end: nil) }
            return Pattern(start: Array(text[..<star]), end: Array(text[(star + 1)...]))
        }
    }

    /// Whether a message's content is of one of these types.
    ///
    /// Never for gRPC, which compresses its messages one by one; for a stream of events only where that is named: it
    /// would keep a compressor for as long as it is open.
    public func matches(_ headers: borrowing Headers) -> Bool {
        let index = headers.index(of: .contentType)
        guard index >= 0 else { return false }
        let type = Self.type(headers.value(at: index))
        if Self.isGRPC(type) { return false }
        let isEvents = Self.isEventStream(type)
        for pattern in patterns where !isEvents || pattern.end == nil {
            if Self.matches(type, pattern) { return true }
        }
        return false
    }

    /// Whether a message's content is a stream of events, each of which matters as soon as it comes.
    public static func isEventStream(_ headers: borrowing Headers) -> Bool {
        headers.withValue(.contentType) { isEventStream(type($0)) } ?? false
    }

    /// Whether a message belongs to gRPC.
    public static func isGRPC(_ headers: borrowing Headers) -> Bool {
        headers.withValue(.contentType) { isGRPC(type($0)) } ?? false
    }

    private static func isEventStream(_ type: RawSpan) -> Bool { ASCII.equalIgnoringCase(type, "text/event-stream") }

    private static func isGRPC(_ type: RawSpan) -> Bool {
        type.byteCount >= 16 && ASCII.equalIgnoringCase(type.extracting(0..<16), "application/grpc")
    }

    /// Without parameters.
    @_lifetime(copy value)
    private static func type(_ value: RawSpan) -> RawSpan {
        let semicolon = value.firstIndex(of: UInt8(ascii: ";"))
        return ASCII.trimmed(value.extracting(0..<(semicolon < 0 ? value.byteCount : semicolon)))
    }

    private static func matches(_ type: RawSpan, _ pattern: Pattern) -> Bool {
        let start = unsafe pattern.start.span.bytes
        guard let tail = pattern.end else { return ASCII.equalIgnoringCase(type, start) }
        let end = unsafe tail.span.bytes
        let count = type.byteCount
        guard count > start.byteCount + end.byteCount || count > 0 && start.byteCount == 0 else { return false }
        return ASCII.equalIgnoringCase(type.extracting(0..<start.byteCount), start)
            && ASCII.equalIgnoringCase(type.extracting(count - end.byteCount..<count), end)
    }
}
