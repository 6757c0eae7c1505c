public import FilterAPI

extension HTTP1ServerCodec {
    public func decode(
        _ input: inout ByteChunk, ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent {
        switch state.phase {
        case .idle:
            if input.isEmpty { return ended ? .close : .needMore }
            state.stream = try link.openStream()
            state.phase = .head
            let now = link.now
            link.withFacts(state.stream) { $0.start = now }
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
                link.arm(after: settings.headTimeout)
            }
            return .needMore
        }
        state.timerIsArmed = false
        state.requests += 1
        let connection = link.connection
        try link.withRequestHead(stream) { head throws(Fault) in
            try validate(&head, &state)
            forwarded.apply(to: &head, from: connection)
            if !settings.via.isEmpty { addVia(&head.headers, head.version) }
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
        state.bodyBytes = 0
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
        case .length, .chunked, .untilClose:
            state.phase = .body
            link.arm(after: settings.bodyIdleTimeout)
        }
        return .requestHead(stream, last: false)
    }

    private func addVia(_ headers: inout Headers, _ version: HTTPVersion) {
        let mark = version == .http10 ? "1.0 " : "1.1 "
        let all = headers.values(.via) + [mark + settings.via]
        headers.set(.via, all.joined(separator: ", "))
    }

    // MARK: The body

    private func body(
        _ input: inout ByteChunk, _ ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent {
        if input.isEmpty {
            guard ended else { return .needMore }
            state.phase = .finished
            return .reset(state.stream, Fault(.clientGone, "client.closed_in_body"))
        }
        switch state.body {
        case .length(let owed):
            let chunk = input.splitFirst(min(owed, input.count))
            let last = chunk.count == owed
            state.body = .length(owed - chunk.count)
            return try piece(chunk, last: last, &state, &link)
        case .chunked(var decoder):
            let trailers = unsafe link.trailers(state.stream, true)
            let piece = unsafe try decoder.next(&input, trailers: { unsafe trailers }, limits)
            state.body = .chunked(decoder)
            switch consume piece {
            case .needMore: return .needMore
            case .bytes(let chunk, let last): return try self.piece(chunk, last: last, &state, &link)
            case .trailers: return endWithTrailers(&state, &link)
            }
        case .none, .untilClose, .tunnel: return .needMore
        }
    }

    private func piece(
        _ chunk: consuming ByteChunk, last: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent {
        let count = chunk.count
        state.bodyBytes += count
        if settings.maxBody.bytes > 0, state.bodyBytes > settings.maxBody.bytes {
            throw Fault(.bodyTooLarge, "http1.body_too_large")
        }
        link.withFacts(state.stream) { $0.requestBodyBytes += count }
        if last { endRequest(&state, &link) } else { link.arm(after: settings.bodyIdleTimeout) }
        return .requestBody(state.stream, chunk, last: last)
    }

    private func endWithTrailers(_ state: inout ConnectionState, _ link: inout CodecLink) -> ServerEvent {
        endRequest(&state, &link)
        if settings.trailers { return .requestTrailers(state.stream) }
        return .requestBody(state.stream, ByteChunk(), last: true)
    }

    private func endRequest(_ state: inout ConnectionState, _ link: inout CodecLink) {
        state.phase = .answering
        link.disarm()
    }
}
