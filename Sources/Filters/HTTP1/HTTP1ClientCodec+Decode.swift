public import FilterAPI

// What the methods of a codec are for is said at its protocol.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension HTTP1ClientCodec {
    public func decode(
        _ input: inout ByteChunk, ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ClientEvent {
        switch state.phase {
        case .opening: return open(&state, &link)
        case .waiting: return try head(&input, ended, &state, &link)
        case .body: return try body(&input, ended, &state, &link)
        case .tunnel:
            if input.isEmpty && !ended { return .needMore }
            if ended { state.phase = .finished }
            return .responseBody(state.stream, input.take(), last: ended)
        case .idle, .finished: return .close
        }
    }

    /// A connection was made for CONNECT, which is all that the client asked for.
    private func open(_ state: inout ConnectionState, _ link: inout CodecLink) -> ClientEvent {
        state.phase = .tunnel
        state.body = .tunnel
        link.withResponseHead(state.stream) { head in
            head.status = 200
            head.bodyLength = .unknown
        }
        return .responseHead(state.stream, last: false)
    }

    // MARK: The head

    private func head(
        _ input: inout ByteChunk, _ ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ClientEvent {
        let stream = state.stream
        let hadBegun = state.parser.hasBegun
        let isComplete = try link.withResponseHead(stream) { head throws(Fault) in
            try state.parser.parse(&input, into: &head.headers, limits)
        }
        guard isComplete else {
            guard ended else { return .needMore }
            if hadBegun || state.parser.hasBegun {
                return .reset(
                    stream, Fault(.upstreamProtocol, "http1.response_head_cut_short", replay: .ifIdempotent))
            }
            return .reset(stream, Fault(.upstreamClosed, "upstream.closed", replay: .ifIdempotent))
        }
        let start = state.parser.start
        let meaning = state.parser.meaning
        let size = state.parser.size
        link.withFacts(stream) { $0.upstreamResponseHeadBytes = size }
        link.withResponseHead(stream) { head in
            head.status = Status(start.status)
            head.version = start.version
        }
        if start.status < 200, start.status != 101 { return try interim(stream, &state, &link) }
        try accept(stream, meaning, start, &state, &link)
        return event(stream, &state)
    }

    private func interim(
        _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ClientEvent {
        state.interims += 1
        guard state.interims <= Self.interimLimit else {
            throw Fault(.upstreamProtocol, "http1.too_many_interim_responses")
        }
        let isContinue = state.parser.start.status == 100
        let meaning = state.parser.meaning
        state.parser.reset()
        if isContinue, !state.expectsContinue {
            // Nobody asked for it (RFC 9110 section 15.2); what follows counts.
            link.withResponseHead(stream) { $0.reset() }
            return .interimDropped
        }
        link.withResponseHead(stream) { head in
            HopByHop.strip(&head.headers, meaning)
            head.headers.remove(.contentLength)
        }
        return .interimHead(stream)
    }

    /// Reads what the head says of the body and of the connection (RFC 9112 section 6.3).
    private func accept(
        _ stream: StreamHandle, _ meaning: HeadMeaning, _ start: HeadParser.StartLine, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault) {
        let flags = meaning.flags
        let status = start.status
        if flags.contains(.transferEncoding), meaning.contentLength >= 0 {
            throw Fault(.upstreamProtocol, "http1.length_and_transfer_encoding")
        }
        if flags.contains(.transferEncoding), start.version == .http10 {
            throw Fault(.upstreamProtocol, "http1.transfer_encoding_on_http10")
        }
        let isHTTP10 = start.version == .http10
        state.keepsAlive = (isHTTP10 ? flags.contains(.keepAlive) : !flags.contains(.close)) && state.requestEnded
        state.keepAliveTimeout = meaning.keepAliveTimeout
        let opensTunnel = state.isConnect ? status / 100 == 2 : status == 101
        if status == 101, !state.asksUpgrade { throw Fault(.upstreamProtocol, "http1.unexpected_101") }
        var length = BodyLength.none
        if opensTunnel {
            state.body = .tunnel
            state.keepsAlive = false
            length = .unknown
        } else if status == 204 || status == 304 || state.isHeadRequest {
            state.body = .none
        } else if flags.contains(.chunked) {
            state.body = .chunked(ChunkedDecoder(.response))
            length = .unknown
        } else if meaning.contentLength >= 0 {
            state.body = meaning.contentLength > 0 ? .length(meaning.contentLength) : .none
            length = .known(meaning.contentLength)
        } else {
            state.body = .untilClose
            state.keepsAlive = false
            length = .unknown
        }
        link.withResponseHead(stream) { head in
            head.bodyLength = length
            if flags.contains(.upgradeField), !opensTunnel { head.headers.remove(.upgrade) }
            // A length that nothing will follow is said to nobody (RFC 9110 section 8.6).
            if status == 204, meaning.contentLength >= 0 { head.headers.remove(.contentLength) }
            if flags.contains(.connectionField) { HopByHop.strip(&head.headers, meaning) }
            if head.headers.contains(.proxyAuthenticate), status != 407 { head.headers.remove(.proxyAuthenticate) }
        }
    }

    private func event(_ stream: StreamHandle, _ state: inout ConnectionState) -> ClientEvent {
        switch state.body {
        case .none:
            finish(&state)
            return .responseHead(stream, last: true)
        case .tunnel: state.phase = .tunnel
        case .length, .chunked, .trailers, .untilClose: state.phase = .body
        }
        return .responseHead(stream, last: false)
    }

    private func finish(_ state: inout ConnectionState) {
        state.phase = state.keepsAlive ? .idle : .finished
    }

    // MARK: The body

    private func body(
        _ input: inout ByteChunk, _ ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ClientEvent {
        if case .untilClose = state.body {
            if input.isEmpty && !ended { return .needMore }
            if ended { finish(&state) }
            return .responseBody(state.stream, input.take(), last: ended)
        }
        if input.isEmpty {
            return ended ? cutShort(state) : .needMore
        }
        switch state.body {
        case .length(let owed):
            let chunk = input.splitFirst(min(owed, input.count))
            let last = chunk.count == owed
            state.body = .length(owed - chunk.count)
            if last { finish(&state) }
            return .responseBody(state.stream, chunk, last: last)
        case .chunked(var decoder):
            let piece = try decoder.next(&input)
            state.body = .chunked(decoder)
            switch consume piece {
            case .needMore: return ended ? cutShort(state) : .needMore
            case .bytes(let chunk, let last):
                if last { finish(&state) }
                return .responseBody(state.stream, chunk, last: last)
            case .trailers:
                state.body = .trailers
                return try trailers(&input, ended, &state, &link)
            }
        case .trailers: return try trailers(&input, ended, &state, &link)
        case .none, .untilClose, .tunnel: return .needMore
        }
    }

    private func trailers(
        _ input: inout ByteChunk, _ ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ClientEvent {
        switch try state.parser.trailers(&input, of: state.stream, isRequest: false, limits, &link) {
        case .needMore: return ended ? cutShort(state) : .needMore
        case .none:
            finish(&state)
            return .responseBody(state.stream, ByteChunk(), last: true)
        case .some:
            finish(&state)
            return .responseTrailers(state.stream)
        }
    }

    private func cutShort(_ state: ConnectionState) -> ClientEvent {
        .reset(state.stream, Fault(.upstreamClosed, "upstream.body_cut_short"))
    }
}
