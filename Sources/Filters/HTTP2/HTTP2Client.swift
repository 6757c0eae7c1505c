internal import CNGHTTP2
internal import FilterAPI

/// HTTP/2 towards upstreams: what a cluster's `http` does with a connection that speaks it.
final class HTTP2Client {
    let streams = HTTP2Streams()
    let scratch = HTTP2Scratch()
    let limits: HeadLimits
    let settings: HTTP2Settings

    init(limits: HeadLimits, settings: HTTP2Settings) {
        self.limits = limits
        self.settings = settings
    }

    /// Per connection.
    final class Connection {
        let session: HTTP2Session
        var timerIsArmed = false

        init(session: HTTP2Session) { self.session = session }
    }

    /// Streams on a connection whose upstream has not said yet how many it takes: the first request need not wait to hear it,
    /// and there are upstreams that end the connection for more than they take.
    static let presumedStreams = 1

    func connect(_ link: inout CodecLink) throws(Fault) -> Connection {
        let session = try HTTP2Session(
            .client, streams: streams, scratch: scratch, limits: limits, settings: settings, &link)
        let connection = Connection(session: session)
        watch(connection, &link)
        return connection
    }

    /// How many more streams the connection takes.
    func freeStreams(_ connection: Connection) -> Int {
        let session = connection.session
        guard !session.isGoingAway, session.fatal == nil,
            unsafe nghttp2_session_get_next_stream_id(session.raw) < 1 << 30
        else { return 0 }
        let told = unsafe nghttp2_session_get_remote_settings(
            session.raw, NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS)
        let most = session.hasHeardSettings ? Int(told) : Self.presumedStreams
        return max(0, min(most, settings.maxConcurrentStreams) - session.activeCount)
    }

    func isReusable(_ connection: Connection) -> Bool {
        !connection.session.isGoingAway && connection.session.fatal == nil
    }

    // MARK: The request

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ handle: StreamHandle, _ connection: Connection,
        _ link: inout CodecLink
    ) throws(Fault) {
        if head.method == .connect { throw Fault(.notImplemented, "http2.connect_to_upstream") }
        let session = connection.session
        let stream = streams.take()
        link.setHTTP2Stream(stream, of: handle)
        session.add(stream, id: 0, handle: handle, link.now)
        if head.method == .head { stream.flags.insert(.isHead) }
        do throws(Fault) {
            if head.wantsUpgrade {
                try prepareTunnel(head, stream)
                // Nobody may ask before the upstream has said that it knows what is asked for (RFC 8441 section 3).
                guard session.hasHeardSettings else { return stream.flags.formUnion(.waits) }
                try checkForTunnels(session)
            } else {
                try setLength(head, stream, last: last)
            }
            try send(head, last: last, stream, session, isSecure: link.connection.isTLS)
        } catch {
            // The record is another stream's next time.
            link.setHTTP2Stream(nil, of: handle)
            session.drop(stream)
            throw error
        }
    }

    private func send(
        _ head: borrowing RequestHead, last: Bool, _ stream: HTTP2Stream, _ session: HTTP2Session, isSecure: Bool
    ) throws(Fault) {
        let opensTunnel = stream.flags.contains(.isTunnel)
        let without: HTTP2Fields.Without = opensTunnel ? [.host, .contentLength, .handshake] : .host
        try session.send(head, stream, last: last && !opensTunnel, without: without) { scratch in
            if opensTunnel {
                scratch.add(":method", "CONNECT")
                scratch.add(":protocol", "websocket")
            } else {
                scratch.add(":method", head.methodText)
            }
            scratch.add(":scheme", isSecure ? "https" : "http")
            if head.authority.byteCount > 0 { scratch.add(":authority", head.authority) }
            scratch.add(":path", head.target)
        }
    }

    // MARK: Tunnels

    /// An upgrade of HTTP/1 becomes an extended CONNECT (RFC 8441).
    private func prepareTunnel(_ head: borrowing RequestHead, _ stream: HTTP2Stream) throws(Fault) {
        guard head.headers.equals(.upgrade, "websocket") else {
            throw Fault(.notImplemented, "http2.unknown_protocol")
        }
        stream.upgradeKey = head.headers.values(.secWebsocketKey).first ?? ""
        stream.flags.formUnion([.isTunnel, .isUpgrade])
    }

    private func checkForTunnels(_ session: HTTP2Session) throws(Fault) {
        let told = unsafe nghttp2_session_get_remote_settings(session.raw, NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL)
        if told != 1 { throw Fault(.upstreamProtocol, "http2.no_extended_connect") }
    }

    /// The upstream has said what it takes: a tunnel that has waited for it is asked for.
    private func openTunnel(_ stream: HTTP2Stream, _ session: HTTP2Session, _ link: inout CodecLink) -> ClientEvent? {
        stream.flags.remove(.waits)
        let isSecure = link.connection.isTLS
        do throws(Fault) {
            try checkForTunnels(session)
            try link.withRequestHead(stream.handle) { head throws(Fault) in
                try send(head, last: false, stream, session, isSecure: isSecure)
            }
            return nil
        } catch {
            return .reset(stream.handle, error)
        }
    }

    private func setLength(_ head: borrowing RequestHead, _ stream: HTTP2Stream, last: Bool) throws(Fault) {
        let index = head.headers.index(of: .contentLength)
        guard index >= 0 else { return }
        guard let length = ASCII.number(head.headers.value(at: index)) else {
            throw Fault(.filterFailed, "http2.bad_content_length")
        }
        if last, length > 0 { throw Fault(.filterFailed, "http2.body_length_mismatch") }
        stream.owed = length
    }

    func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ handle: StreamHandle, _ connection: Connection,
        _ link: inout CodecLink
    ) throws(Fault) {
        guard let stream = link.http2Stream(handle) else { return }
        // Nothing goes into a tunnel that the upstream has declined.
        if stream.flags.contains(.declined) { return }
        try connection.session.send(&chunk, last: last, stream, link)
    }

    func requestTrailers(
        _ trailers: inout Headers, _ handle: StreamHandle, _ connection: Connection, _ link: inout CodecLink
    ) throws(Fault) {
        guard let stream = link.http2Stream(handle), !stream.flags.contains(.wireDone) else { return }
        try connection.session.sendTrailers(trailers, stream)
    }

    // MARK: The response

    func decode(
        _ input: inout ByteChunk, ended: Bool, _ connection: Connection, _ link: inout CodecLink
    ) throws(Fault) -> ClientEvent {
        let session = connection.session
        while true {
            while let event = session.next() {
                if let told = try translate(event, session, &link) { return told }
            }
            if let fault = session.fatal { throw fault }
            guard !input.isEmpty else { break }
            session.read(&input, &link)
        }
        if ended { throw Fault(.upstreamClosed, "upstream.closed", replay: .ifIdempotent) }
        return .needMore
    }

    private func translate(
        _ event: HTTP2Event, _ session: HTTP2Session, _ link: inout CodecLink
    ) throws(Fault) -> ClientEvent? {
        let (handle, stream) = unsafe (event.handle, event.stream)
        let isOver = stream.handle != handle || stream.flags.contains(.hostDone)
        switch event.kind {
        case .interim: return isOver ? nil : interim(stream, session, &link)
        case .head: return isOver ? nil : head(event, session, &link)
        case .body:
            let chunk = session.takeBody(event.count)
            if isOver || stream.flags.contains(.stopped) {
                // The record may be another stream's by now.
                if stream.handle == handle { session.consumed(chunk.count, stream) }
                return nil
            }
            return .responseBody(handle, chunk, last: event.isLast)
        case .trailers:
            if isOver { return nil }
            if let fault = stream.fault { return stop(stream, fault, session) }
            return .responseTrailers(handle)
        case .reset:
            if isOver || stream.flags.contains(.stopped) { return nil }
            return .reset(handle, event.fault ?? HTTP2Fault.ofReset(0, .client))
        case .ready: return isOver ? nil : openTunnel(stream, session, &link)
        case .refused, .end: return nil
        }
    }

    /// The answer cannot be used; the connection can.
    private func stop(_ stream: HTTP2Stream, _ fault: Fault, _ session: HTTP2Session) -> ClientEvent {
        stream.flags.insert(.stopped)
        session.reset(stream, NGHTTP2_PROTOCOL_ERROR)
        return .reset(stream.handle, fault)
    }

    private func interim(_ stream: HTTP2Stream, _ session: HTTP2Session, _ link: inout CodecLink) -> ClientEvent? {
        stream.interims += 1
        guard stream.interims <= HTTP1ClientCodec.interimLimit else {
            return stop(stream, Fault(.upstreamProtocol, "http2.too_many_interim_responses"), session)
        }
        let expects = link.withRequestHead(stream.handle) { $0.expectsContinue }
        let isDropped = link.withResponseHead(stream.handle) { head in
            guard head.status == 100, !expects else {
                head.version = .http2
                head.headers.remove(.contentLength)
                return false
            }
            head.reset()
            return true
        }
        return isDropped ? .interimDropped : .interimHead(stream.handle)
    }

    private func head(_ event: HTTP2Event, _ session: HTTP2Session, _ link: inout CodecLink) -> ClientEvent {
        let stream = unsafe event.stream
        if let fault = stream.fault { return stop(stream, fault, session) }
        link.withFacts(event.handle) { $0.upstreamResponseHeadBytes = stream.fieldBytes }
        let isLast = event.isLast
        var fault: Fault?
        link.withResponseHead(event.handle) { head in
            head.version = .http2
            if head.status.code < 200 { fault = Fault(.upstreamProtocol, "http2.no_status") }
            if stream.flags.contains(.isUpgrade) { Self.answerUpgrade(&head, stream) }
            let length = head.headers.index(of: .contentLength)
            if isLast || stream.flags.contains(.isHead) {
                head.bodyLength = .none
            } else if length >= 0, head.status != 101 {
                guard let length = ASCII.number(head.headers.value(at: length)) else {
                    fault = Fault(.upstreamProtocol, "http2.bad_content_length")
                    return
                }
                head.bodyLength = .known(length)
            } else {
                head.bodyLength = .unknown
            }
        }
        if let fault { return stop(stream, fault, session) }
        return .responseHead(event.handle, last: isLast)
    }

    private static func answerUpgrade(_ head: inout ResponseHead, _ stream: HTTP2Stream) {
        guard head.status.code / 100 == 2 else {
            stream.flags.insert(.declined)
            return
        }
        head.status = 101
        head.headers.remove(.contentLength)
        head.headers.set(.upgrade, "websocket")
        head.headers.set(.secWebsocketAccept, WebSocketKey.answer(to: stream.upgradeKey))
    }

    // MARK: Streams

    func reset(_ handle: StreamHandle, _ connection: Connection, _ link: inout CodecLink) {
        guard let stream = link.http2Stream(handle) else { return }
        connection.session.reset(stream, NGHTTP2_CANCEL)
    }

    func streamClosed(_ handle: StreamHandle, _ connection: Connection, _ link: inout CodecLink) {
        guard let stream = link.http2Stream(handle) else { return }
        link.setHTTP2Stream(nil, of: handle)
        connection.session.closed(stream, link.now)
    }

    func consumed(_ count: Int, _ handle: StreamHandle, _ connection: Connection, _ link: inout CodecLink) {
        guard let stream = link.http2Stream(handle) else { return }
        connection.session.consumed(count, stream)
    }

    // MARK: Time

    func timerFired(_ connection: Connection, _ link: inout CodecLink) throws(Fault) {
        connection.timerIsArmed = false
        let session = connection.session
        if let fault = session.fatal { throw fault }
        if session.pingSent != .none, link.now.since(session.pingSent) >= settings.pingTimeout {
            throw Fault(.upstreamClosed, "http2.upstream_ping_timeout", replay: .ifIdempotent)
        }
        if session.pingSent == .none, link.now.since(session.lastHeard) >= settings.pingInterval {
            session.ping(link.now)
        }
        watch(connection, &link)
    }

    private func watch(_ connection: Connection, _ link: inout CodecLink) {
        guard settings.pingInterval > .zero, !connection.timerIsArmed else { return }
        connection.timerIsArmed = true
        let session = connection.session
        let due =
            session.pingSent == .none
            ? session.lastHeard.after(settings.pingInterval) : session.pingSent.after(settings.pingTimeout)
        link.arm(after: max(.milliseconds(1), due.since(link.now)))
    }
}
