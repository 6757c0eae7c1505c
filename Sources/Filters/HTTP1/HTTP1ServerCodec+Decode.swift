public import FilterAPI

// What the methods of a codec are for is said at its protocol.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension HTTP1ServerCodec {
    public func decode(
        _ input: inout ByteChunk, ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent {
        switch state.phase {
        case .idle:
            dropLineEnds(&input, &state)
            if input.isEmpty { return ended ? .close : .needMore }
            try start(&state, &link)
            return try head(&input, ended, &state, &link)
        case .head: return try head(&input, ended, &state, &link)
        case .body: return try body(&input, ended, &state, &link)
        case .answering: return .needMore
        case .offered:
            guard state.tunnelDeclined else { return .needMore }
            state.phase = .answering
            return .requestBody(state.stream, ByteChunk(), last: true)
        case .tunnel: return tunnel(&input, ended, &state)
        case .finished:
            input.removeFirst(input.count)
            return ended ? .close : .needMore
        }
    }

    private func tunnel(_ input: inout ByteChunk, _ ended: Bool, _ state: inout ConnectionState) -> ServerEvent {
        if input.isEmpty && (!ended || state.tunnelEnded) { return .needMore }
        state.tunnelEnded = ended
        return .requestBody(state.stream, input.take(), last: ended)
    }

    // MARK: The head

    /// Drops up to two empty lines in front of a request: old clients send one behind a body (RFC 9112 section 2.2).
    /// They begin nothing, so that a connection on which no more than that comes is still idle.
    @inline(__always)
    private func dropLineEnds(_ input: inout ByteChunk, _ state: inout ConnectionState) {
        while state.lineEnds < 4, !input.isEmpty {
            let byte = unsafe input.bytes.unsafeLoad(as: UInt8.self)
            guard byte == (state.lineEnds & 1 == 0 ? 0x0D : 0x0A) else { return }
            input.removeFirst(1)
            state.lineEnds += 1
        }
    }

    private func start(_ state: inout ConnectionState, _ link: inout CodecLink) throws(Fault) {
        let followsCR = state.lineEnds & 1 != 0
        state.lineEnds = 0
        state.stream = try link.openStream()
        state.phase = .head
        state.isHeadRequest = false
        state.isConnect = false
        state.isHTTP10 = false
        let now = link.now
        link.withFacts(state.stream) { $0.start = now }
        state.requestStart = now
        if isAged(state, now) { state.isDraining = true }
        if followsCR { throw Fault(.badRequest, "http1.bare_cr") }
    }

    private func head(
        _ input: inout ByteChunk, _ ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent {
        let stream = state.stream
        let isComplete = try link.withRequestHead(stream) { head throws(Fault) in
            try state.parser.parse(&input, into: &head.headers, limits)
        }
        guard isComplete else {
            if ended {
                state.phase = .finished
                return .reset(stream, Fault(.clientGone, "client.closed_in_head"))
            }
            if !state.timerIsArmed {
                state.timerIsArmed = true
                waitForMore(settings.headTimeout, state, &link)
            }
            return .needMore
        }
        state.timerIsArmed = false
        state.requests += 1
        let connection = link.connection
        try link.withRequestHead(stream) { head throws(Fault) in
            head.scheme = connection.isTLS ? .https : .http
            try validate(&head, &state)
            forwarded.apply(to: &head, from: connection)
            clientCertificate.apply(to: &head.headers, from: connection, element: &state.clientCertificate)
            if !via.http11.isEmpty { addVia(&head.headers, head.version) }
        }
        return begin(stream, &state, &link)
    }

    private func begin(_ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink) -> ServerEvent {
        let now = link.now
        let size = state.parser.size
        link.withFacts(stream) { facts in
            facts.requestHeadAt = now
            facts.requestHeadBytes = size
        }
        state.tunnelDeclined = false
        state.responseStarted = false
        switch state.body {
        case .none:
            state.phase = .answering
            // The idle limit does not run while an answer is due; the stream has its own.
            link.disarm()
            return .requestHead(stream, last: true)
        case .tunnel:
            state.phase = .offered
            link.disarm()
        case .length, .chunked, .trailers, .untilClose:
            state.phase = .body
            waitForMore(settings.bodyIdleTimeout, state, &link)
        }
        return .requestHead(stream, last: false)
    }

    private func addVia(_ headers: inout Headers, _ version: HTTPVersion) {
        let mark = version == .http10 ? via.http10 : via.http11
        unsafe headers.appendToList(.via, mark.utf8Span.span.bytes)
    }

    // MARK: The body

    private func body(
        _ input: inout ByteChunk, _ ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent {
        if input.isEmpty {
            guard ended else { return .needMore }
            return cutShort(&state)
        }
        switch state.body {
        case .length(let owed):
            let chunk = input.splitFirst(min(owed, input.count))
            let last = chunk.count == owed
            state.body = .length(owed - chunk.count)
            return piece(chunk, last: last, &state, &link)
        case .chunked(var decoder):
            let piece = try decoder.next(&input)
            state.body = .chunked(decoder)
            switch consume piece {
            case .needMore:
                guard ended else { return .needMore }
                return cutShort(&state)
            case .bytes(let chunk, let last): return self.piece(chunk, last: last, &state, &link)
            case .trailers:
                state.body = .trailers
                return try trailers(&input, ended, &state, &link)
            }
        case .trailers: return try trailers(&input, ended, &state, &link)
        case .none, .untilClose, .tunnel: return .needMore
        }
    }

    private func cutShort(_ state: inout ConnectionState) -> ServerEvent {
        state.phase = .finished
        return .reset(state.stream, Fault(.clientGone, "client.closed_in_body"))
    }

    private func piece(
        _ chunk: consuming ByteChunk, last: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) -> ServerEvent {
        let count = chunk.count
        link.withFacts(state.stream) { $0.requestBodyBytes += count }
        if last { endRequest(&state, &link) } else { waitForMore(settings.bodyIdleTimeout, state, &link) }
        return .requestBody(state.stream, chunk, last: last)
    }

    private func trailers(
        _ input: inout ByteChunk, _ ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent {
        let found = try state.parser.trailers(&input, of: state.stream, isRequest: true, limits, &link)
        if found == .needMore { return ended ? cutShort(&state) : .needMore }
        endRequest(&state, &link)
        if found == .some, settings.trailers { return .requestTrailers(state.stream) }
        return .requestBody(state.stream, ByteChunk(), last: true)
    }

    private func endRequest(_ state: inout ConnectionState, _ link: inout CodecLink) {
        state.phase = .answering
        link.disarm()
    }
}
