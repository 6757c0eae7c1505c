internal import CNGHTTP2
internal import FilterAPI

/// HTTP/2 towards clients: what a listener's `http` does with a connection that speaks it. The rules for heads that do not
/// depend on the version are those of HTTP/1, whose codec it shares them with.
///
/// Reading is here, what a head must be in `+Validate`, writing in `+Encode`, time in `+Time`.
final class HTTP2Server {
    let http1: HTTP1ServerCodec
    let streams = HTTP2Streams()
    let scratch = HTTP2Scratch()
    var random = RandomBits()
    let via: String
    /// What the fields that the codec says itself take.
    let made: Int
    /// The shorter of the limits that bodies have; nil where they have none.
    let bodyLimit: Duration?

    init(_ http1: HTTP1ServerCodec) {
        self.http1 = http1
        via = http1.settings.via.isEmpty ? "" : "2 " + http1.settings.via
        bodyLimit = [http1.settings.bodyIdleTimeout, http1.settings.requestTimeout].filter { $0 > .zero }.min()
        made = 64 + http1.settings.serverHeader.utf8.count + via.utf8.count
    }

    var settings: HTTP1ServerCodec.Settings { http1.settings }

    /// Per connection.
    final class Connection {
        let session: HTTP2Session
        let accepted: Instant
        /// What `x-forwarded-client-cert` says of the client; nil before it was needed.
        var clientCertificate: String?
        /// When the codec's timer goes off; none where it is not armed.
        var timerDue = Instant.none
        /// When no more streams are taken, after the client was told; none where it was not.
        var refusesAt = Instant.none
        /// When the connection's time is over; none where it has no limit.
        var endsAt = Instant.none
        /// The client was told why the connection ends.
        var hasFailed = false

        init(session: HTTP2Session, accepted: Instant) {
            self.session = session
            self.accepted = accepted
        }
    }

    /// Begins a connection.
    func accept(_ link: inout CodecLink) throws(Fault) -> Connection {
        let session = try HTTP2Session(
            .server, streams: streams, scratch: scratch, limits: http1.limits, settings: settings.http2, &link)
        let connection = Connection(session: session, accepted: link.now)
        beginTime(connection, &link)
        return connection
    }

    // MARK: Reading

    func decode(
        _ input: inout ByteChunk, ended: Bool, _ connection: Connection, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent {
        let session = connection.session
        while true {
            while let event = session.next() {
                if let told = translate(event, connection, &link) { return told }
            }
            if let fault = session.fatal, !connection.hasFailed {
                connection.hasFailed = true
                throw fault
            }
            guard !input.isEmpty else {
                if ended, session.inputEnded() { continue }
                break
            }
            session.read(&input, &link)
            watch(connection, &link)
        }
        return ended ? .close : .needMore
    }

    /// What the host is told of an event; nothing where it is of a stream that is over.
    private func translate(
        _ event: HTTP2Event, _ connection: Connection, _ link: inout CodecLink
    ) -> ServerEvent? {
        let stream = unsafe event.stream
        let isOver = stream.handle != event.handle || stream.flags.contains(.hostDone)
        switch event.kind {
        case .head:
            // Whoever asks and takes it back in one breath causes no work (CVE-2023-44487).
            if isOver || stream.flags.contains(.wireDone) { return nil }
            return head(event, connection, &link)
        case .body:
            let chunk = connection.session.takeBody(event.count)
            if isOver || stream.flags.contains(.declined) {
                // The record may be another stream's by now.
                if stream.handle == event.handle { connection.session.consumed(chunk.count, stream) }
                return nil
            }
            return body(chunk, event, &link)
        case .trailers:
            if isOver { return nil }
            if let fault = stream.fault { return .refused(event.handle, fault) }
            return settings.trailers
                ? .requestTrailers(event.handle) : .requestBody(event.handle, ByteChunk(), last: true)
        case .reset: return isOver ? nil : .reset(event.handle, event.fault ?? HTTP2Fault.ofReset(0, .server))
        case .refused: return isOver ? nil : .refused(event.handle, event.fault ?? HTTP2Fault.ofReset(0, .server))
        case .end: return isOver ? nil : .requestBody(event.handle, ByteChunk(), last: true)
        case .interim, .ready: return nil
        }
    }

    private func head(_ event: HTTP2Event, _ connection: Connection, _ link: inout CodecLink) -> ServerEvent {
        let (handle, stream) = unsafe (event.handle, event.stream)
        let now = link.now
        link.withFacts(handle) { facts in
            facts.requestHeadAt = now
            facts.requestHeadBytes = stream.fieldBytes
        }
        let most = settings.maxRequestsPerConnection
        if most > 0, connection.session.begunCount >= most { drain(connection, &link) }
        do throws(Fault) {
            try prepare(event, connection, &link)
        } catch {
            return .refused(handle, error)
        }
        return .requestHead(handle, last: event.isLast)
    }

    private func body(_ chunk: consuming ByteChunk, _ event: HTTP2Event, _ link: inout CodecLink) -> ServerEvent {
        let count = chunk.count
        var total = 0
        link.withFacts(event.handle) { facts in
            facts.requestBodyBytes += count
            total = facts.requestBodyBytes
        }
        if settings.maxBody.bytes > 0, total > settings.maxBody.bytes, unsafe !event.stream.flags.contains(.isTunnel) {
            return .refused(event.handle, Fault(.bodyTooLarge, "http2.body_too_large"))
        }
        return .requestBody(event.handle, chunk, last: event.isLast)
    }

    // MARK: Streams

    func reset(_ handle: StreamHandle, _ fault: Fault, _ connection: Connection, _ link: inout CodecLink) {
        guard let stream = link.http2Stream(handle) else { return }
        connection.session.reset(stream, HTTP2Fault.code(of: fault))
    }

    func streamClosed(_ handle: StreamHandle, _ connection: Connection, _ link: inout CodecLink) {
        guard let stream = link.http2Stream(handle) else { return }
        connection.session.closed(stream, link.now)
        if connection.session.activeCount == 0 { watch(connection, &link) }
    }

    func consumed(_ count: Int, _ handle: StreamHandle, _ connection: Connection, _ link: inout CodecLink) {
        guard let stream = link.http2Stream(handle) else { return }
        connection.session.consumed(count, stream)
    }
}
