public import FilterAPI

/// Compresses responses for clients that accept `br`.
public final class Brotli: HTTPFilter {
    /// What is kept of one stream.
    public struct State {
        var wants = false
        var isHead = false
        var encoder: Encoder?
        var flush = FlushRule.atEnd
        var isWakeDue = false
    }

    /// When what the encoder has gathered comes out.
    enum FlushRule {
        case atEnd, whenPaused, always
    }

    /// The request's head, and responses.
    public static var interest: Interest {
        [.lifetime, .requestHead, .responseHead, .responseBody, .responseTrailers]
    }

    /// Name, statistics, reasons.
    public static let manifest = Manifest(
        id: "brotli", summary: "Compresses responses for clients that accept `br`.", status: .trial,
        stats: [
            .counter("compressed", "Responses that were compressed."),
            .counter("not_compressed", "Responses with a body that were left as they were."),
            .counter("not_accepted", "Responses that could have been compressed, for clients that do not accept it."),
            .counter("max_bodies_reached", "Responses that came when `max_bodies` were being worked on."),
            .counter("total_uncompressed_bytes", "Bytes of bodies before they were compressed."),
            .counter("total_compressed_bytes", "Bytes of bodies after they were compressed."),
        ],
        reasons: [
            .init(
                "brotli.out_of_memory", [.filterFailed], "There was no memory to compress a response in.",
                lookAt: "`max_bodies` and `window_bits`.")
        ])

    private let settings: Settings
    private let types: MediaTypeList
    private var fields = CodingFields()
    private let places: LimitedCount
    private let compressed, notCompressed, notAccepted, maxBodies, bytesIn, bytesOut: Counter

    /// Finds the count of bodies that other workers have.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        types = MediaTypeList(settings.contentTypes)
        places = worker.shared("bodies") { LimitedCount() }
        compressed = worker.counter("compressed")
        notCompressed = worker.counter("not_compressed")
        notAccepted = worker.counter("not_accepted")
        maxBodies = worker.counter("max_bodies_reached")
        bytesIn = worker.counter("total_uncompressed_bytes")
        bytesOut = worker.counter("total_compressed_bytes")
    }

    /// Begins with nothing to do.
    public func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State() }

    /// Looks at what the client accepts. HTTP/1.0 has no frames for a body whose length is not known.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        let verdict = AcceptEncoding(head.headers).verdict(for: .brotli)
        let isRefused = head.method == .connect || head.headers.hasToken(.cacheControl, "no-transform")
        state.wants = (verdict == .named || verdict == .wildcard) && !isRefused && head.version != .http10
        state.isHead = head.method == .head
        return .leave
    }

    /// Decides what is done with a response.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        let route = stream.routeSettings(of: self)
        guard route?.enabled ?? true, isCompressible(head), !isShort(head, last: last, state) else {
            if !last { notCompressed.add() }
            return .leave
        }
        if head.status == 304 {
            if settings.vary { fields.addVary(&head.headers) }
            stream.withRequest { fields.weakenTag(&head.headers, asKnownBy: $0.headers) }
            return .leave
        }
        if settings.vary { fields.addVary(&head.headers) }
        guard state.wants, let encoder = encoder(head, last: last, route) else {
            if !state.wants { notAccepted.add() }
            if state.wants, last { fields.compress(&head.headers, .brotli) }
            if !last { notCompressed.add() }
            return .leave
        }
        state.encoder = encoder
        if case .known = head.bodyLength {
            state.flush = .atEnd
        } else {
            state.flush = MediaTypeList.isEventStream(head.headers) ? .always : .whenPaused
        }
        fields.compress(&head.headers, .brotli)
        head.bodyLength = .unknown
        compressed.add()
        return .next
    }

    private func isCompressible(_ head: borrowing ResponseHead) -> Bool {
        guard head.status.code >= 200, head.status != 204, head.status != 206, !MediaTypeList.isGRPC(head.headers),
            !head.headers.contains(.contentEncoding), !head.headers.contains(.contentRange),
            !head.headers.hasToken(.cacheControl, "no-transform")
        else { return false }
        if head.status == 304 { return !head.headers.contains(.contentType) || types.matches(head.headers) }
        return types.matches(head.headers)
            && !(settings.strongEtags == .skip && CodingFields.hasStrongTag(head.headers))
    }

    private func isShort(_ head: borrowing ResponseHead, last: Bool, _ state: borrowing State) -> Bool {
        if head.status == 304 { return false }
        if state.isHead {
            let length = head.headers.withValue(.contentLength) { ASCII.number($0) } ?? nil
            return length.map { $0 < max(1, settings.minLength.bytes) } ?? false
        }
        if case .known(let count) = head.bodyLength { return count < settings.minLength.bytes }
        return last
    }

    /// - Returns: nil where there is no body, too many are being worked on, or there is no memory.
    private func encoder(_ head: borrowing ResponseHead, last: Bool, _ route: RouteSettings?) -> Encoder? {
        if last { return nil }
        guard places.take(limit: settings.maxBodies) else {
            maxBodies.add()
            return nil
        }
        var size = 0
        if case .known(let count) = head.bodyLength { size = count }
        let made = Encoder(
            level: route?.level ?? settings.level, windowBits: settings.windowBits, size: size)
        if made == nil { places.give() }
        return made
    }

    /// Compresses a piece.
    public func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        guard let encoder = state.encoder else { return .next }
        if chunk.isEmpty, !last { return .next }
        chunk = try add(chunk, last ? .finish : state.flush == .always ? .flush : .gather, encoder, &stream)
        if last {
            end(&state)
            return .next
        }
        if state.flush == .whenPaused, !state.isWakeDue {
            state.isWakeDue = true
            stream.wake(after: .zero)
        }
        return chunk.isEmpty ? .taken : .next
    }

    private func add(
        _ chunk: borrowing ByteChunk, _ pace: Encoder.Pace, _ encoder: Encoder, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> ByteChunk {
        guard let output = encoder.add(chunk, pace, &stream) else {
            throw Fault(.filterFailed, "brotli.out_of_memory")
        }
        return output
    }

    /// Ends the body, of which no piece was the last.
    public func responseTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        guard let encoder = state.encoder else { return .next }
        stream.sendAbove(try add(ByteChunk(), .finish, encoder, &stream))
        fields.removeDigests(&trailers)
        end(&state)
        return .next
    }

    /// Lets out what has been gathered, where the source has paused.
    public func wake(_ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) {
        state.isWakeDue = false
        guard let encoder = state.encoder, encoder.gathered > 0 else { return }
        stream.sendAbove(try add(ByteChunk(), .flush, encoder, &stream))
    }

    /// Gives the encoder up, whatever has become of the stream.
    public func close(_ state: inout State, _ ending: Ending, _ stream: inout FilterAPI.Stream) { end(&state) }

    private func end(_ state: inout State) {
        guard let encoder = state.encoder else { return }
        bytesIn.add(UInt64(encoder.bytesIn))
        bytesOut.add(UInt64(encoder.bytesOut))
        state.encoder = nil
        places.give()
    }
}
