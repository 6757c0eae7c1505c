public import FilterAPI

/// Reads who the client is from a PROXY protocol header, in a listener's chain; writes one, in a cluster's.
public final class ProxyProtocol: ByteFilter {
    /// Name, statistics, reasons.
    public static let manifest = Manifest(
        id: "proxy_protocol", summary: "Reads or writes PROXY protocol headers.", status: .trial,
        needs: [Manifest.clientConnection], stats: ProxyProtocolCounters.descriptions, reasons: Refusal.descriptions)

    /// The bytes from the client, until the header is complete.
    public static var interest: Interest { [.requestBody, .lifetime] }

    /// What is kept for a connection whose header has not been read.
    public struct State {
        var reading: Reading?
    }

    /// A reader cannot be copied, and state is.
    final class Reading {
        var reader: HeaderReader
        init(_ rules: HeaderReader.Rules) { reader = HeaderReader(rules) }
    }

    private let settings: Settings
    private let trusted: [IPRange]
    private let trustsUnix: Bool
    private let rules: HeaderReader.Rules
    private let writer: HeaderWriter
    private let counters: ProxyProtocolCounters

    /// Takes the settings apart.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        trusted = (settings.trusted ?? []).compactMap { IPRange($0) }
        trustsUnix = settings.trusted?.contains("unix") ?? false
        rules = HeaderReader.Rules(
            maxLength: settings.maxLength.bytes, acceptsV1: settings.versions.contains(1),
            acceptsV2: settings.versions.contains(2))
        writer = HeaderWriter(version: settings.version ?? 2, checksum: settings.checksum)
        counters = ProxyProtocolCounters(&worker)
    }

    /// In a cluster's chain the header is the first that the upstream gets; in a listener's nothing passes before one has
    /// come.
    public func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? {
        if stream.side == .upstream {
            // SAFETY: the array outlives the span.
            let header = writer.header(for: stream.connection.client)
            stream.sendBelow(stream.makeChunk(copying: unsafe header.span.bytes))
            counters.sent.add()
            return nil
        }
        guard isTrusted(stream.connection) else {
            if settings.required { throw refuse(.notTrusted) }
            return nil
        }
        stream.beginHandshake()
        stream.wake(after: settings.timeout)
        return State(reading: Reading(rules))
    }

    private func isTrusted(_ connection: ConnectionFacts) -> Bool {
        guard let address = IPAddress(connection.directRemoteIP) else {
            return trustsUnix && connection.directRemoteIP.isEmpty
        }
        return trusted.contains { $0.contains(address) }
    }

    /// Reads the header, and lets what follows it go on.
    public func requestBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        guard let reading = state.reading else { return .leave }
        // SAFETY: offsets are below the count that is given beside the closure, which does not leave the call.
        let (result, used) = unsafe chunk.withUnsafeBytes { bytes in
            reading.reader.take(bytes.count) { unsafe bytes[$0] }
        }
        switch result {
        case .needMore:
            if last { throw refuse(.closed) }
            chunk = ByteChunk()
            return .taken
        case .malformed(let problem):
            throw refuse(Refusal(problem))
        case .absent:
            if settings.required { throw refuse(.missing) }
            counters.absent.add()
            // What earlier chunks had of it belongs in front of this one.
            let early = reading.reader.bytes.dropLast(used)
            // SAFETY: the array outlives the span.
            if !early.isEmpty { stream.sendBelow(stream.makeChunk(copying: unsafe early.span.bytes)) }
        case .complete(let header):
            accept(header, isV1: reading.reader.bytes[0] != V2.signature[0], stream.connection)
            chunk.removeFirst(used)
        }
        finish(&state, &stream)
        return last || !chunk.isEmpty ? .leave : .taken
    }

    private func accept(_ header: ProxyHeader, isV1: Bool, _ connection: ConnectionFacts) {
        guard case .proxied(let source, let destination) = header else { return counters.local.add() }
        (isV1 ? counters.v1 : counters.v2).add()
        connection.setClient(
            ip: source.address.text, port: source.port,
            connectedTo: (ip: destination.address.text, port: destination.port))
    }

    private func finish(_ state: inout State, _ stream: inout FilterAPI.Stream) {
        state.reading = nil
        stream.cancelWake()
        stream.endHandshake()
    }

    /// What comes back is nothing to this filter.
    public func responseBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step { .leave }

    /// The header's time is over. Where none is needed, and none has begun, the client waits for us.
    public func wake(_ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) {
        guard let reading = state.reading else { return }
        guard !settings.required, reading.reader.bytes.isEmpty else { throw refuse(.timeout) }
        counters.absent.add()
        finish(&state, &stream)
    }

    private func refuse(_ refusal: Refusal) -> Fault {
        counters.refused(refusal).add()
        return refusal.fault
    }
}
