public import FilterAPI

// What the methods of a codec are for is said at its protocol.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension HTTP1ServerCodec {
    public func interimHead(
        _ head: inout ResponseHead, _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) {
        // HTTP/1.0 does not know them.
        if state.isHTTP10 || state.responseStarted { return }
        write(head, state, &link, framing: .none, isInterim: true)
    }

    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ stream: StreamHandle, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault) {
        guard head.status.code >= 100, head.status.code <= 599 else { throw Fault(.filterFailed, "http1.bad_status") }
        // A request that was not read to its end leaves bytes behind that nobody can tell from the next request.
        if state.phase == .head || state.phase == .body || state.isDraining || isAged(state, link.now) {
            state.keepsAlive = false
        }
        if state.phase == .offered {
            let isTunnel = state.isConnect ? head.status.code / 100 == 2 : head.status == 101
            if isTunnel {
                state.phase = .tunnel
                state.keepsAlive = false
                state.responseStarted = true
                state.outgoing = .framed(.tunnel)
                return write(head, state, &link, framing: .tunnel, isInterim: false)
            }
            state.tunnelDeclined = true
            if state.isConnect { state.keepsAlive = false }
        }
        if head.status == 101 { throw Fault(.upstreamProtocol, "http1.unexpected_101") }
        try frame(head, last: last, &state)
        state.responseStarted = true
        write(head, state, &link, framing: state.outgoing.framing, isInterim: false)
    }

    /// How the body's end will be told (RFC 9112 section 6.3).
    private func frame(_ head: borrowing ResponseHead, last: Bool, _ state: inout ConnectionState) throws(Fault) {
        if head.status.forbidsBody || state.isHeadRequest {
            state.outgoing = OutgoingBody()
            return
        }
        let index = head.headers.index(of: .contentLength)
        if index >= 0 {
            guard let length = ASCII.number(head.headers.value(at: index)) else {
                throw Fault(.filterFailed, "http1.bad_content_length")
            }
            if last && length > 0 { throw Fault(.filterFailed, "http1.body_length_mismatch") }
            state.outgoing = .length(length)
        } else if last {
            state.outgoing = .length(0)
        } else if state.isHTTP10 {
            state.outgoing = .framed(.untilClose)
            state.keepsAlive = false
        } else {
            state.outgoing = .framed(.chunked)
        }
    }

    public func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ stream: StreamHandle, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault) {
        try state.outgoing.write(&chunk, last: last, &link.output)
    }

    public func responseTrailers(
        _ trailers: inout Headers, _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) {
        try state.outgoing.writeTrailers(trailers, &link.output)
    }

    // MARK: Writing a head

    private func write(
        _ head: borrowing ResponseHead, _ state: ConnectionState, _ link: inout CodecLink,
        framing: OutgoingBody.Framing, isInterim: Bool
    ) {
        let room = head.headers.wireSize + 256 + settings.serverHeader.utf8.count + settings.via.utf8.count
        let memory = unsafe link.output.reserve(room)
        var writer = unsafe HeadWriter(memory)
        StatusLine.write(head.status, &writer)
        let ownServer = !isInterim && !settings.serverHeader.isEmpty
        // What has no body says no length, and nothing says two (RFC 9110 section 8.6).
        var hasLength = isInterim || framing == .tunnel || head.status == 204
        var hasDate = isInterim
        for index in 0..<head.headers.count {
            let entry = unsafe head.headers.entries[index]
            if entry.token == Self.date { hasDate = true }
            if HopByHop.isCodecs(entry.token) && !(framing == .tunnel && entry.token == KnownField.upgrade) { continue }
            if ownServer && entry.token == Self.server { continue }
            if entry.token == KnownField.contentLength {
                if hasLength { continue }
                hasLength = true
            }
            writer.add(entry, of: head.headers)
        }
        if !isInterim { addOwn(&writer, head, state, link, framing, hasDate: hasDate, ownServer: ownServer) }
        writer.add("\r\n")
        unsafe link.output.commit(writer.count, at: memory)
    }

    private static let date = HeaderName.date.token
    private static let server = HeaderName.server.token

    /// What the proxy says for itself.
    private func addOwn(
        _ writer: inout HeadWriter, _ head: borrowing ResponseHead, _ state: ConnectionState,
        _ link: borrowing CodecLink,
        _ framing: OutgoingBody.Framing, hasDate: Bool, ownServer: Bool
    ) {
        if ownServer {
            writer.add("Server: ")
            unsafe writer.add(settings.serverHeader.utf8Span.span.bytes)
            writer.add("\r\n")
        }
        if !settings.via.isEmpty {
            writer.add(head.version == .http10 ? "Via: 1.0 " : "Via: 1.1 ")
            unsafe writer.add(settings.via.utf8Span.span.bytes)
            writer.add("\r\n")
        }
        if !hasDate {
            writer.add("Date: ")
            link.withDate { writer.add($0) }
            writer.add("\r\n")
        }
        switch framing {
        case .chunked: writer.add("Transfer-Encoding: chunked\r\n")
        case .length where !head.headers.contains(.contentLength): writer.add("Content-Length: 0\r\n")
        case .tunnel where !state.isConnect: writer.add("Connection: Upgrade\r\n")
        default: break
        }
        if framing == .tunnel { return }
        if !state.keepsAlive {
            writer.add("Connection: close\r\n")
        } else if state.isHTTP10 {
            writer.add("Connection: keep-alive\r\n")
        }
    }
}
