internal import COpenSSL
public import FilterAPI

/// Ends TLS in a listener's chain, and begins it in a cluster's.
///
/// SAFETY: `room` is allocated with the filter and freed with it, and used by one call at a time.
@safe
public final class TLS: ByteFilter {
    /// Name and summary.
    public static let manifest = Manifest(
        id: "tls", summary: "Ends TLS from clients, or begins it towards upstreams.", offers: ["tls.identity"],
        stats: [
            .counter("handshake", "Handshakes that were completed."),
            .counter("session_reused", "Handshakes that took up an earlier session."),
            .gauge("certificate_reloads", "How often changed certificate files were taken into use."),
            .gauge("certificate_reload_failures", "How often changed certificate files were refused."),
            .gauge(
                "certificate_seconds_left",
                "Seconds until a certificate, an authority or a list of revocations ends; negative afterwards."),
        ], reasons: TLSReasons.all)

    /// One connection's TLS.
    public struct State {
        let session: TLSSession
    }

    private static let roomSize = 16 * 1024

    private let settings: Settings
    private let material: TLSMaterial
    private var context: TLSContext
    private let reporter: TLSReporter
    /// Where handshakes are written, before they are copied into pages of their size.
    private let room: UnsafeMutableRawBufferPointer
    private let handshakes: Counter
    private let resumed: Counter

    /// Reads and checks the files.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        let side = worker.side
        let log = worker.filterLog
        var opened = settings.resolved { worker.path($0) }
        // What the chain's codec speaks, and in a chain that only passes bytes on HTTP/1, which most peers speak there.
        if opened.alpn == nil {
            let spoken = worker.applicationProtocols
            opened.alpn = spoken.isEmpty && side == .client ? ["http/1.1"] : spoken
        }
        let tickets = worker.shared("tickets") { TicketKeys() }
        let gauges = MaterialGauges(
            reloads: worker.gauge("certificate_reloads"), failures: worker.gauge("certificate_reload_failures"),
            secondsLeft: settings.perishableFiles(side).map {
                worker.gauges("certificate_seconds_left", labels: ["file"])[$0]
            })
        // One for all workers and generations with the same settings.
        material = try worker.watched("\(side) \(opened)") { () throws(ConfigurationFault) in
            try TLSMaterial(opened, side: side, tickets: tickets, log: log, gauges: gauges)
        }
        context = try TLSContext(material)
        reporter = TLSReporter(log, side: side, isInsecure: settings.insecure)
        handshakes = worker.counter("handshake")
        resumed = worker.counter("session_reused")
        unsafe room = .allocate(byteCount: Self.roomSize, alignment: 16)
        if worker.index == 0 { warn(log, side) }
    }

    deinit { unsafe room.deallocate() }

    private func warn(_ log: FilterLog, _ side: Side) {
        if settings.insecure {
            log.write(.warning, "INSECURE: upstreams are not verified, anyone can read and change what is sent to them")
        }
        if let path = material.settings.keyLog {
            log.write(.warning, "INSECURE: the secrets of all connections are written to a file", [("path", path)])
        }
    }

    // MARK: The connection

    /// Begins the handshake.
    public func open(_ stream: inout Stream) throws(Fault) -> State? {
        takeNewFiles()
        let host = settings.serverName ?? stream.connection.endpointHost
        let endpoint = stream.side == .upstream ? "\(host) \(stream.connection.remoteAddress)" : ""
        let session = try TLSSession(context, host: host, endpoint: endpoint)
        stream.beginHandshake()
        stream.wake(after: settings.handshakeTimeout)
        if stream.side == .upstream { _ = try shakeHands(session, &stream) }
        return State(session: session)
    }

    /// New connections use new files; what OpenSSL does not like of them leaves the old ones in use.
    private func takeNewFiles() {
        guard material.number != context.content.number else { return }
        do throws(ConfigurationFault) {
            context = try TLSContext(material)
        } catch {
            reporter.refused(error)
        }
    }

    /// The handshake's time is over.
    public func wake(_ state: inout State, _ stream: inout Stream) throws(Fault) {
        guard !state.session.isOpen else { return }
        let fault = Fault(failure(of: stream.side), "tls.handshake_timeout")
        reporter.report(fault, state.session, stream.connection, stream.now)
        throw fault
    }

    private func failure(of side: Side) -> Fault.Kind { side == .client ? .clientGone : .handshakeFailed }

    /// From the client: what it has sealed. To the upstream: what is to be sealed.
    public func requestBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        stream.side == .client
            ? try unseal(&chunk, last: last, state.session, &stream)
            : try seal(&chunk, last: last, state.session, &stream)
    }

    /// From the upstream: what it has sealed. To the client: what is to be sealed.
    public func responseBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        stream.side == .client
            ? try seal(&chunk, last: last, state.session, &stream)
            : try unseal(&chunk, last: last, state.session, &stream)
    }

    // MARK: From the peer

    private func unseal(
        _ chunk: inout ByteChunk, last: Bool, _ session: TLSSession, _ stream: inout Stream
    ) throws(Fault) -> Step {
        let sealed = chunk.take()
        // SAFETY: the bytes of a chunk stay where they are as long as it lives, which is to the end of this call.
        unsafe sealed.withUnsafeBytes { unsafe session.lend($0) }
        defer {
            session.takeBack()
            extendLifetime(sealed)
        }
        do throws(Fault) {
            if !session.isOpen {
                try refusePlainHTTP(sealed, session, &stream)
                guard try shakeHands(session, &stream) else {
                    if last { throw Fault(failure(of: stream.side), "tls.closed_in_handshake") }
                    return .taken
                }
            }
            try open(&chunk, session, &stream)
            if session.peerEnded { return endInward(&chunk, &stream) }
            if last {
                throw Fault(stream.side == .client ? .clientGone : .upstreamClosed, "tls.closed_without_notify")
            }
        } catch {
            reporter.report(error, session, stream.connection, stream.now)
            throw error
        }
        return chunk.isEmpty ? .taken : .next
    }

    /// - Returns: whether the handshake is over.
    private func shakeHands(_ session: TLSSession, _ stream: inout Stream) throws(Fault) -> Bool {
        while true {
            let result: Result<TLSSession.Progress, Fault> = Result { () throws(Fault) in
                unsafe try session.shakeHands(room: room)
            }
            sendWritten(session, &stream)
            switch try result.get() {
            case .needsRoom: continue
            case .needsInput: return false
            case .ended: throw Fault(failure(of: stream.side), "tls.closed_in_handshake")
            case .done:
                finish(session, &stream)
                return true
            }
        }
    }

    private func finish(_ session: TLSSession, _ stream: inout Stream) {
        let facts = session.facts()
        stream.connection.tls = facts
        if stream.side == .client { stream.connection.serverName = session.serverName }
        handshakes.add()
        if facts.isResumed { resumed.add() }
        stream.cancelWake()
        stream.endHandshake()
    }

    /// Opens all that has come; the last piece is left in `chunk`, what was before it is sent on.
    private func open(_ chunk: inout ByteChunk, _ session: TLSSession, _ stream: inout Stream) throws(Fault) {
        while true {
            var progress: Result<TLSSession.Progress, Fault> = .success(.done)
            let capacity = min(session.readCapacity, 64 * 1024)
            let plain = unsafe stream.makeChunk(capacity: capacity) { memory in
                var count = 0
                progress = Result { () throws(Fault) in
                    unsafe try session.read(
                        into: UnsafeMutableRawBufferPointer(start: memory, count: capacity), count: &count, room: room)
                }
                return count
            }
            sendWritten(session, &stream)
            if !plain.isEmpty {
                if !chunk.isEmpty { sendInward(chunk.take(), &stream) }
                chunk = plain
            }
            switch try progress.get() {
            case .done, .needsRoom: continue
            case .needsInput, .ended: return
            }
        }
    }

    private func sendInward(_ chunk: consuming ByteChunk, _ stream: inout Stream) {
        if stream.side == .client { stream.sendBelow(chunk) } else { stream.sendAbove(chunk) }
    }

    /// The peer has said that nothing more comes, whatever its socket says.
    private func endInward(_ chunk: inout ByteChunk, _ stream: inout Stream) -> Step {
        sendInward(chunk.take(), &stream)
        if stream.side == .client { stream.endBelow() } else { stream.endAbove() }
        return .taken
    }

    // MARK: To the peer

    private func seal(
        _ chunk: inout ByteChunk, last: Bool, _ session: TLSSession, _ stream: inout Stream
    ) throws(Fault) -> Step {
        if !chunk.isEmpty { try seal(&chunk, session, &stream) }
        guard last else { return .next }
        if !chunk.isEmpty { sendOutward(chunk.take(), &stream) }
        unsafe session.end(room: room)
        sendWritten(session, &stream)
        return .next
    }

    private func seal(_ chunk: inout ByteChunk, _ session: TLSSession, _ stream: inout Stream) throws(Fault) {
        let plain = chunk.take()
        // Frames and tags, for records of 16 KiB.
        let capacity = plain.count + (plain.count >> 14 + 1) * 64
        while true {
            var progress: Result<TLSSession.Progress, Fault> = .success(.done)
            let sealed = unsafe stream.makeChunk(capacity: capacity) { memory in
                progress = Result { () throws(Fault) in
                    unsafe try plain.withUnsafeBytes { bytes throws(Fault) in
                        unsafe try session.write(
                            bytes, room: UnsafeMutableRawBufferPointer(start: memory, count: capacity))
                    }
                }
                return session.written
            }
            if !chunk.isEmpty { sendOutward(chunk.take(), &stream) }
            chunk = sealed
            guard case .needsRoom = try progress.get() else { return }
        }
    }

    private func sendOutward(_ chunk: consuming ByteChunk, _ stream: inout Stream) {
        if stream.side == .client { stream.sendAbove(chunk) } else { stream.sendBelow(chunk) }
    }

    /// Sends what the session has written into the room.
    private func sendWritten(_ session: TLSSession, _ stream: inout Stream) {
        let count = session.written
        guard count > 0 else { return }
        let chunk = unsafe stream.makeChunk(capacity: count) { memory in
            unsafe memory.copyMemory(from: UnsafeRawPointer(room.baseAddress.unsafelyUnwrapped), byteCount: count)
            return count
        }
        sendOutward(chunk, &stream)
    }

    /// A browser that was told `http://` where it should be `https://` is answered in words.
    private func refusePlainHTTP(_ chunk: borrowing ByteChunk, _ session: TLSSession, _ stream: inout Stream)
        throws(Fault)
    {
        guard stream.side == .client, session.isUntouched, chunk.count > 0,
            case let first = unsafe chunk.bytes.unsafeLoad(fromUncheckedByteOffset: 0, as: UInt8.self), first >= 0x41,
            first <= 0x5A
        else {
            return
        }
        stream.sendAbove(ByteChunk(Self.plainAnswer))
        throw Fault(.clientGone, "tls.plain_http")
    }

    private static let plainAnswer: StaticString =
        """
        HTTP/1.1 400 Bad Request\r
        content-type: text/plain\r
        content-length: 59\r
        connection: close\r
        \r
        this port speaks HTTPS, and the request came as plain HTTP

        """
}
