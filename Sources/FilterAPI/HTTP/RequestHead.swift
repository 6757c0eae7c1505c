/// The head of a request: method, target and fields, as filters see and change it.
///
/// The codec has already taken out what belongs to one connection only (RFC 9110 section 7.6.1): filters see no
/// `Connection`, `Transfer-Encoding` or `Keep-Alive`, and what they add of these is dropped. `Content-Length` stays
/// visible; a filter that changes a body removes it, and the codec frames the message anew.
public struct RequestHead: ~Copyable {
    /// The fields, `Host` included.
    public var headers: Headers
    /// The method.
    public var method: Method
    /// Of the client's connection, as far as Sluice trusts it: `https` where TLS ended here.
    public var scheme: Scheme
    /// The version of HTTP that the client spoke.
    public var version: HTTPVersion
    /// How the body's end is known.
    public var bodyLength: BodyLength
    /// The protocol that the client asks to change to, if any; the name is in the `Upgrade` field.
    public var wantsUpgrade: Bool
    /// Whether the client waits for `100 Continue` before it sends the body.
    public var expectsContinue: Bool

    @usableFromInline package var methodRange: TextRange
    @usableFromInline package var targetRange: TextRange
    /// Bytes of the target before `?`.
    @usableFromInline package var pathCount: Int
    @usableFromInline package var authorityRange: TextRange
    @usableFromInline package var clientRange: TextRange

    /// An empty head, to be filled by a codec.
    public init() {
        headers = Headers()
        method = .get
        scheme = .http
        version = .http11
        bodyLength = .none
        wantsUpgrade = false
        expectsContinue = false
        methodRange = .empty
        targetRange = .empty
        pathCount = 0
        authorityRange = .empty
        clientRange = .empty
    }

    /// Makes the head empty again; memory is kept.
    package mutating func reset() {
        headers.reset()
        method = .get
        scheme = .http
        version = .http11
        bodyLength = .none
        wantsUpgrade = false
        expectsContinue = false
        methodRange = .empty
        targetRange = .empty
        pathCount = 0
        authorityRange = .empty
        clientRange = .empty
    }

    /// The method as written.
    public var methodText: RawSpan {
        @_lifetime(borrow self) get { headers.text(methodRange) }
    }

    /// Path and query: `/items?id=1`; `*` for OPTIONS, `host:port` for CONNECT.
    public var target: RawSpan {
        @_lifetime(borrow self) get { headers.text(targetRange) }
    }

    /// The target without its query.
    public var path: RawSpan {
        @_lifetime(borrow self)
        get { headers.text(TextRange(offset: targetRange.offset, count: UInt32(pathCount))) }
    }

    /// The query, without the question mark; empty where there is none.
    public var query: RawSpan {
        @_lifetime(borrow self)
        get {
            let start = min(UInt32(pathCount) + 1, targetRange.count)
            return headers.text(TextRange(offset: targetRange.offset + start, count: targetRange.count - start))
        }
    }

    /// Host and port as the client named them; the same text as in the `Host` field.
    public var authority: RawSpan {
        @_lifetime(borrow self) get { headers.text(authorityRange) }
    }

    /// The client's address as the trusted proxies in front say it, without a port. Empty where none says it: the client
    /// is then the connection's other end, ``ConnectionFacts/remoteIP``.
    public var clientAddress: RawSpan {
        @_lifetime(borrow self) get { headers.text(clientRange) }
    }

    /// Replaces path and query.
    ///
    /// - Returns: false where the text could not stand in a request line: nothing is changed then.
    @discardableResult
    public mutating func setTarget(_ text: borrowing RawSpan) -> Bool {
        guard Self.isTarget(text) else {
            headers.refusedEdits += 1
            return false
        }
        targetRange = headers.store(text)
        measurePath()
        return true
    }

    /// Replaces path and query; see ``setTarget(_:)-(RawSpan)``.
    @discardableResult
    public mutating func setTarget(_ text: String) -> Bool { unsafe setTarget(text.utf8Span.span.bytes) }

    /// Replaces the method.
    ///
    /// - Returns: false where the text is not a token: nothing is changed then.
    @discardableResult
    public mutating func setMethod(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.allSatisfy(HeaderName.isTokenByte) else { return false }
        methodRange = unsafe headers.store(text.utf8Span.span.bytes)
        method = unsafe Method(named: text.utf8Span.span.bytes)
        return true
    }

    /// Replaces host and port, in the `Host` field too.
    @discardableResult
    public mutating func setAuthority(_ text: borrowing RawSpan) -> Bool {
        guard headers.set(.host, text) else { return false }
        let entry = unsafe headers.entries[headers.index(of: .host)]
        authorityRange = TextRange(offset: entry.valueOffset, count: entry.valueCount)
        return true
    }

    /// Replaces host and port; see ``setAuthority(_:)-(RawSpan)``.
    @discardableResult
    public mutating func setAuthority(_ text: String) -> Bool { unsafe setAuthority(text.utf8Span.span.bytes) }

    /// A second head with the same content, for replay.
    public borrowing func copy() -> RequestHead {
        var other = RequestHead()
        other.assign(from: self)
        return other
    }

    /// Takes over the content of another head; its memory is kept, so that a head which is used again and again allocates
    /// nothing.
    public mutating func assign(from other: borrowing RequestHead) {
        headers.copy(from: other.headers)
        method = other.method
        scheme = other.scheme
        version = other.version
        bodyLength = other.bodyLength
        wantsUpgrade = other.wantsUpgrade
        expectsContinue = other.expectsContinue
        methodRange = other.methodRange
        targetRange = other.targetRange
        pathCount = other.pathCount
        authorityRange = other.authorityRange
        clientRange = other.clientRange
    }

    package mutating func measurePath() {
        pathCount = Self.pathLength(headers.text(targetRange))
    }

    private static func pathLength(_ target: borrowing RawSpan) -> Int {
        for index in 0..<target.byteCount
        where unsafe target.unsafeLoad(fromByteOffset: index, as: UInt8.self) == UInt8(ascii: "?") {
            return index
        }
        return target.byteCount
    }

    /// Visible ASCII without a fragment.
    private static func isTarget(_ text: borrowing RawSpan) -> Bool {
        if text.byteCount == 0 { return false }
        for index in 0..<text.byteCount {
            let byte = unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if byte <= 0x20 || byte >= 0x7F || byte == UInt8(ascii: "#") { return false }
        }
        return true
    }
}

/// How the end of a message's body is known.
public enum BodyLength: Sendable, Equatable {
    /// There is no body.
    case none
    /// By a number of bytes.
    case known(Int)
    /// By the message's own marks: chunks, frames, or the end of the connection.
    case unknown
}

/// `http` or `https`.
public enum Scheme: UInt8, Sendable {
    /// Clear text.
    case http
    /// Over TLS.
    case https

    /// As written in a URI.
    public var text: StaticString { self == .http ? "http" : "https" }
}

/// The version of HTTP that a peer spoke.
public enum HTTPVersion: UInt8, Sendable {
    /// HTTP/1.0
    case http10
    /// HTTP/1.1
    case http11
    /// HTTP/2
    case http2

    /// As access logs write it.
    public var text: StaticString {
        switch self {
        case .http10: "HTTP/1.0"
        case .http11: "HTTP/1.1"
        case .http2: "HTTP/2"
        }
    }
}
