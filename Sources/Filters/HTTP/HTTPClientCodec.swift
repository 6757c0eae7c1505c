public import FilterAPI

// What the methods of a codec are for is said at its protocol.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
/// HTTP towards upstreams: HTTP/1 unless the cluster says HTTP/2, or lets TLS agree on one of them.
public final class HTTPClientCodec: ClientCodec {
    public static let manifest = Manifest(
        id: "http", summary: "Speaks HTTP/1 and HTTP/2 with upstreams.",
        reasons: HTTP1Reasons.upstreams + HTTP2Reasons.upstreams)

    public typealias Settings = HTTP1ClientCodec.Settings
    public typealias StreamState = HTTP2Slot

    /// Per connection.
    public struct ConnectionState {
        var http1: HTTP1ClientCodec.ConnectionState
        var http2: HTTP2Client.Connection?
    }

    private let http1: HTTP1ClientCodec
    private let http2: HTTP2Client
    private let settings: Settings

    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        http1 = try HTTP1ClientCodec(settings, on: &worker)
        http2 = HTTP2Client(limits: http1.limits, settings: settings.http2)
    }

    public static func applicationProtocols(_ settings: Settings) -> [String] {
        switch settings.protocol {
        case .http1: []
        case .auto: ["h2", "http/1.1"]
        case .http2: ["h2"]
        }
    }

    public func connect(_ link: inout CodecLink) throws(Fault) -> ConnectionState {
        var state = ConnectionState(http1: try http1.connect(&link), http2: nil)
        let agreed = link.connection.tls?.applicationProtocol
        if settings.protocol == .http2 || settings.protocol == .auto && agreed == "h2" {
            link.speaks(.http2)
            state.http2 = try http2.connect(&link)
        }
        return state
    }

    public func freeStreams(_ state: inout ConnectionState) -> Int {
        if let connection = state.http2 { return http2.freeStreams(connection) }
        return http1.freeStreams(&state.http1)
    }

    public func isReusable(_ state: inout ConnectionState) -> Bool {
        if let connection = state.http2 { return http2.isReusable(connection) }
        return http1.isReusable(&state.http1)
    }

    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ stream: StreamHandle, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault) {
        if let connection = state.http2 { return try http2.requestHead(&head, last: last, stream, connection, &link) }
        try http1.requestHead(&head, last: last, stream, &state.http1, &link)
    }

    public func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ stream: StreamHandle, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault) {
        if let connection = state.http2 { return try http2.requestBody(&chunk, last: last, stream, connection, &link) }
        try http1.requestBody(&chunk, last: last, stream, &state.http1, &link)
    }

    public func requestTrailers(
        _ trailers: inout Headers, _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) {
        if let connection = state.http2 { return try http2.requestTrailers(&trailers, stream, connection, &link) }
        try http1.requestTrailers(&trailers, stream, &state.http1, &link)
    }

    public func decode(
        _ input: inout ByteChunk, ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ClientEvent {
        if let connection = state.http2 { return try http2.decode(&input, ended: ended, connection, &link) }
        return try http1.decode(&input, ended: ended, &state.http1, &link)
    }

    public func reset(_ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink) {
        if let connection = state.http2 { return http2.reset(stream, connection, &link) }
        http1.reset(stream, &state.http1, &link)
    }

    public func streamClosed(_ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink) {
        if let connection = state.http2 { http2.streamClosed(stream, connection, &link) }
    }

    public func timerFired(_ state: inout ConnectionState, _ link: inout CodecLink) throws(Fault) {
        if let connection = state.http2 { try http2.timerFired(connection, &link) }
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
