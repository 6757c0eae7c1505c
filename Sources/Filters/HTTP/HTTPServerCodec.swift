public import FilterAPI

// What the methods of a codec are for is said at its protocol.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
/// HTTP towards clients: HTTP/2 where TLS has agreed on it or the first bytes are its preface, else HTTP/1.
public final class HTTPServerCodec: ServerCodec {
    public static let manifest = Manifest(
        id: "http", summary: "Speaks HTTP/1 and HTTP/2 with clients.", posture: .clientAndUpstream,
        reasons: HTTP1Reasons.server + HTTP2Reasons.server)

    public typealias Settings = HTTP1ServerCodec.Settings
    public typealias StreamState = HTTP2Slot

    /// Per connection.
    public struct ConnectionState {
        /// Also what reads the first bytes where nobody knows yet.
        var http1: HTTP1ServerCodec.ConnectionState
        var http2: HTTP2Server.Connection?
        var isDecided: Bool
        /// How many bytes have come that may begin the preface of HTTP/2; at most two of `PRI`.
        var prefix: UInt8 = 0
    }

    let http1: HTTP1ServerCodec
    let http2: HTTP2Server
    let settings: Settings

    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        http1 = try HTTP1ServerCodec(settings, on: &worker)
        http2 = HTTP2Server(http1)
    }

    public static func applicationProtocols(_ settings: Settings) -> [String] {
        switch settings.protocol {
        case .auto: ["h2", "http/1.1"]
        case .http1: ["http/1.1"]
        case .http2: ["h2"]
        }
    }

    public func accept(_ link: inout CodecLink) throws(Fault) -> ConnectionState {
        var state = ConnectionState(http1: try http1.accept(&link), http2: nil, isDecided: true)
        let agreed = link.connection.tls?.applicationProtocol
        if settings.protocol == .http2 || settings.protocol == .auto && agreed == "h2" {
            try begin(&state, &link)
        } else if settings.protocol == .auto, agreed == nil {
            state.isDecided = false
            link.speaks(nil)
        }
        return state
    }

    private func begin(_ state: inout ConnectionState, _ link: inout CodecLink) throws(Fault) {
        link.disarm()
        link.speaks(.http2)
        state.http2 = try http2.accept(&link)
        if state.http1.isDraining { drain(&state, &link) }
    }

    public func decode(
        _ input: inout ByteChunk, ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent {
        if let connection = state.http2 { return try http2.decode(&input, ended: ended, connection, &link) }
        if state.isDecided { return try http1.decode(&input, ended: ended, &state.http1, &link) }
        return try decide(&input, ended, &state, &link)
    }

    /// No method of HTTP/1 is called `PRI` (RFC 9113 section 3.4).
    private func decide(
        _ input: inout ByteChunk, _ ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent {
        var matched = Int(state.prefix)
        var index = 0
        while matched < 3, index < input.count,
            unsafe input.bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self) == Self.preface(matched)
        {
            matched += 1
            index += 1
        }
        if matched < 3, index == input.count, !ended {
            input.removeFirst(index)
            // A head has begun, of whichever version.
            if state.prefix == 0, matched > 0, settings.headTimeout > .zero { link.arm(after: settings.headTimeout) }
            state.prefix = UInt8(matched)
            return .needMore
        }
        state.isDecided = true
        let isHTTP2 = matched == 3
        if isHTTP2 { try begin(&state, &link) } else { link.speaks(.http11) }
        // What was taken before comes first.
        if state.prefix > 0 {
            var taken: ByteChunk = state.prefix == 1 ? ByteChunk("P") : ByteChunk("PR")
            if case .needMore = try decode(&taken, ended: false, &state, &link) {
            } else {
                throw Fault(.badRequest, "http1.not_http")
            }
        }
        return try decode(&input, ended: ended, &state, &link)
    }

    private static func preface(_ index: Int) -> UInt8 {
        index == 0 ? UInt8(ascii: "P") : index == 1 ? UInt8(ascii: "R") : UInt8(ascii: "I")
    }

    public func interimHead(
        _ head: inout ResponseHead, _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) {
        if let connection = state.http2 { return try http2.interimHead(&head, stream, connection, &link) }
        try http1.interimHead(&head, stream, &state.http1, &link)
    }

    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ stream: StreamHandle, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault) {
        if let connection = state.http2 { return try http2.responseHead(&head, last: last, stream, connection, &link) }
        try http1.responseHead(&head, last: last, stream, &state.http1, &link)
    }

    public func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ stream: StreamHandle, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault) {
        if let connection = state.http2 { return try http2.responseBody(&chunk, last: last, stream, connection, &link) }
        try http1.responseBody(&chunk, last: last, stream, &state.http1, &link)
    }

    public func responseTrailers(
        _ trailers: inout Headers, _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) {
        if let connection = state.http2 { return try http2.responseTrailers(&trailers, stream, connection, &link) }
        try http1.responseTrailers(&trailers, stream, &state.http1, &link)
    }

    public func reset(
        _ stream: StreamHandle, _ fault: Fault, _ state: inout ConnectionState, _ link: inout CodecLink
    ) {
        if let connection = state.http2 { return http2.reset(stream, fault, connection, &link) }
        http1.reset(stream, fault, &state.http1, &link)
    }

    public func streamClosed(_ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink) {
        if let connection = state.http2 { return http2.streamClosed(stream, connection, &link) }
        http1.streamClosed(stream, &state.http1, &link)
    }

    public func timerFired(_ state: inout ConnectionState, _ link: inout CodecLink) throws(Fault) -> ServerEvent {
        if let connection = state.http2 { return try http2.timerFired(connection, &link) }
        if !state.isDecided, state.prefix > 0 { throw Fault(.requestTimeout, "http1.head_timeout") }
        return try http1.timerFired(&state.http1, &link)
    }

    public func drain(_ state: inout ConnectionState, _ link: inout CodecLink) {
        if let connection = state.http2 { return http2.drain(connection, &link) }
        http1.drain(&state.http1, &link)
    }

    public func consumed(
        _ count: Int, _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink
    ) {
        if let connection = state.http2 { http2.consumed(count, stream, connection, &link) }
    }

    public func flush(_ room: Int, _ state: inout ConnectionState, _ link: inout CodecLink) {
        state.http2?.session.write(room, &link)
    }
}
