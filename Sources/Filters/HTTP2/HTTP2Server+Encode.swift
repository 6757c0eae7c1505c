internal import FilterAPI

extension HTTP2Server {
    func interimHead(
        _ head: inout ResponseHead, _ handle: StreamHandle, _ connection: Connection, _ link: inout CodecLink
    ) throws(Fault) {
        guard let stream = link.http2Stream(handle), stream.flags.isDisjoint(with: [.answered, .wireDone]) else {
            return
        }
        try connection.session.send(head, stream, last: false, isInterim: true, without: .contentLength) { _, _ in }
    }

    func responseHead(
        _ head: inout ResponseHead, last: Bool, _ handle: StreamHandle, _ connection: Connection,
        _ link: inout CodecLink
    ) throws(Fault) {
        guard let stream = link.http2Stream(handle), !stream.flags.contains(.wireDone) else { return }
        guard head.status.code >= 200 && head.status.code <= 599 || head.status == 101 else {
            throw Fault(.filterFailed, "http2.bad_status")
        }
        var without: HTTP2Fields.Without = settings.serverHeader.isEmpty ? [] : .server
        var opensTunnel = false
        if stream.flags.contains(.isTunnel) {
            opensTunnel = stream.flags.contains(.isUpgrade) ? head.status == 101 : head.status.code / 100 == 2
            // The request is over: it never had a body.
            if !opensTunnel { decline(stream, connection.session) }
        }
        if head.status == 101 {
            guard stream.flags.contains(.isUpgrade) else { throw Fault(.upstreamProtocol, "http2.unexpected_101") }
            // There is no other protocol to switch to: the stream is the tunnel (RFC 8441 section 5).
            head.status = 200
            without.formUnion(.handshake)
        }
        let hasBody = !last && !stream.flags.contains(.isHead) && !head.status.forbidsBody
        if opensTunnel || head.status == 204 { without.formUnion(.contentLength) }
        try setLength(head, stream, hasBody: hasBody && !opensTunnel, last: last)
        stream.flags.insert(.answered)
        stream.lastMoved = link.now
        try connection.session.send(head, stream, last: last, without: without, extra: made) { scratch, seen in
            if without.contains(.server) {
                unsafe scratch.add("server", copying: settings.serverHeader.utf8Span.span.bytes)
            }
            if !via.isEmpty { unsafe scratch.add("via", copying: via.utf8Span.span.bytes) }
            if !seen.contains(.date) { link.withDate { scratch.add("date", copying: $0) } }
        }
    }

    private func decline(_ stream: HTTP2Stream, _ session: HTTP2Session) {
        stream.flags.insert(.declined)
        session.say(.end, stream)
    }

    private func setLength(
        _ head: borrowing ResponseHead, _ stream: HTTP2Stream, hasBody: Bool, last: Bool
    ) throws(Fault) {
        stream.owed = -1
        let index = head.headers.index(of: .contentLength)
        guard index >= 0 else { return }
        guard let length = ASCII.number(head.headers.value(at: index)) else {
            throw Fault(.filterFailed, "http2.bad_content_length")
        }
        if hasBody { stream.owed = length }
        let mayLack = stream.flags.contains(.isHead) || head.status.forbidsBody
        if last, length > 0, !mayLack { throw Fault(.filterFailed, "http2.body_length_mismatch") }
    }

    func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ handle: StreamHandle, _ connection: Connection,
        _ link: inout CodecLink
    ) throws(Fault) {
        guard let stream = link.http2Stream(handle) else { return }
        try connection.session.send(&chunk, last: last, stream, link)
    }

    func responseTrailers(
        _ trailers: inout Headers, _ handle: StreamHandle, _ connection: Connection, _ link: inout CodecLink
    ) throws(Fault) {
        guard let stream = link.http2Stream(handle), !stream.flags.contains(.wireDone) else { return }
        try connection.session.sendTrailers(trailers, stream)
    }
}
