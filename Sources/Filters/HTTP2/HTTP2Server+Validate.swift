internal import FilterAPI

extension HTTP2Server {
    /// Makes the head that was read what filters may see, or refuses it.
    func prepare(_ event: HTTP2Event, _ connection: Connection, _ link: inout CodecLink) throws(Fault) {
        let stream = unsafe event.stream
        if let fault = stream.fault { throw fault }
        let facts = link.connection
        let isLast = event.isLast
        try link.withRequestHead(event.handle) { head throws(Fault) in
            head.version = .http2
            head.scheme = facts.isTLS ? .https : .http
            if head.method == .head { stream.flags.insert(.isHead) }
            if stream.cookies > 1 { head.headers.joinCookies() }
            try authority(&head)
            try frame(&head, stream, isLast: isLast)
            try expectation(&head)
            if stream.flags.contains(.isUpgrade) {
                try upgrade(&head, stream)
                try target(&head)
            } else if head.method == .connect {
                try connect(&head, stream)
            } else {
                try target(&head)
            }
            try http1.underscores(&head.headers)
            http1.forwarded.apply(to: &head, from: facts)
            http1.clientCertificate.apply(to: &head.headers, from: facts, element: &connection.clientCertificate)
            if !via.isEmpty { unsafe head.headers.appendToList(.via, via.utf8Span.span.bytes) }
        }
    }

    /// `:authority` counts; a `Host` that says something else is refused (RFC 9113 section 8.3.1).
    private func authority(_ head: inout RequestHead) throws(Fault) {
        let index = head.headers.index(of: .host)
        if index >= 0 {
            guard head.headers.index(of: .host, from: index + 1) < 0 else {
                throw Fault(.badRequest, "http2.repeated_host")
            }
            let entry = unsafe head.headers.entries[index]
            let host = TextRange(offset: entry.valueOffset, count: entry.valueCount)
            if head.authorityRange.count == 0 {
                head.authorityRange = host
            } else if !ASCII.equalIgnoringCase(head.authority, head.headers.text(host)) {
                throw Fault(.badRequest, "http2.host_mismatch")
            }
        }
        guard Authority.isValid(head.authority) else { throw Fault(.badRequest, "http2.bad_authority") }
        if index < 0 { head.headers.setText(.host, head.authorityRange) }
    }

    private func frame(_ head: inout RequestHead, _ stream: HTTP2Stream, isLast: Bool) throws(Fault) {
        let index = head.headers.index(of: .contentLength)
        if index >= 0 {
            // libnghttp2 has read it as a number, and counts along; it takes any number of zeros in front.
            guard let length = ASCII.number(head.headers.value(at: index)) else {
                throw Fault(.badRequest, "http2.bad_content_length")
            }
            if settings.maxBody.bytes > 0, length > settings.maxBody.bytes {
                throw Fault(.bodyTooLarge, "http2.body_too_large")
            }
            head.bodyLength = .known(length)
        } else {
            head.bodyLength = isLast ? .none : .unknown
        }
    }

    private func expectation(_ head: inout RequestHead) throws(Fault) {
        let index = head.headers.index(of: .expect)
        guard index >= 0 else { return }
        guard ASCII.equalIgnoringCase(head.headers.value(at: index), "100-continue") else {
            throw Fault(.expectationFailed, "http2.unknown_expectation")
        }
        head.expectsContinue = true
    }

    private func target(_ head: inout RequestHead) throws(Fault) {
        guard Int(head.targetRange.count) <= http1.limits.target else {
            throw Fault(.targetTooLong, "http2.target_too_long")
        }
        switch try Self.form(of: head.target, pathCount: head.path.byteCount) {
        case .asterisk: guard head.method == .options else { throw Fault(.badRequest, "http2.bad_target") }
        case .plain: break
        case .other: try http1.paths.apply(to: &head)
        }
    }

    private enum TargetForm { case plain, other, asterisk }

    /// What a target is, and whether its path has its one form already.
    ///
    /// - Throws: where a byte cannot stand in a target.
    private static func form(of target: RawSpan, pathCount: Int) throws(Fault) -> TargetForm {
        guard target.byteCount > 0 else { throw Fault(.badRequest, "http2.bad_target") }
        let first = unsafe target.unsafeLoad(as: UInt8.self)
        if first == UInt8(ascii: "*"), target.byteCount == 1 { return .asterisk }
        guard first == UInt8(ascii: "/") else { throw Fault(.badRequest, "http2.bad_target") }
        var isPlain = true
        var previous: UInt8 = 0
        for index in 0..<target.byteCount {
            let byte = unsafe target.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if byte <= 0x20 || byte >= 0x7F || byte == UInt8(ascii: "#") {
                throw Fault(.badRequest, "http2.bad_target")
            }
            if index < pathCount {
                if byte == UInt8(ascii: "%") || byte == UInt8(ascii: "\\") { isPlain = false }
                if previous == UInt8(ascii: "/"), byte == UInt8(ascii: "/") || byte == UInt8(ascii: ".") {
                    isPlain = false
                }
            }
            previous = byte
        }
        return isPlain ? .plain : .other
    }

    /// A tunnel that ends here, as with HTTP/1 (RFC 9113 section 8.5).
    private func connect(_ head: inout RequestHead, _ stream: HTTP2Stream) throws(Fault) {
        guard Authority.hasPort(head.authority) else { throw Fault(.badRequest, "http2.bad_connect_target") }
        guard !stream.flags.contains(.peerEnded) else { throw Fault(.badRequest, "http2.connect_without_stream") }
        head.targetRange = head.authorityRange
        head.measurePath()
        head.bodyLength = .none
        stream.flags.insert(.isTunnel)
    }

    /// Extended CONNECT becomes what it is over HTTP/1 (RFC 8441 section 4, RFC 6455 section 4.1).
    private func upgrade(_ head: inout RequestHead, _ stream: HTTP2Stream) throws(Fault) {
        guard head.method == .connect, !stream.flags.contains(.peerEnded) else {
            throw Fault(.badRequest, "http2.connect_without_stream")
        }
        head.setMethod("GET")
        head.wantsUpgrade = true
        head.bodyLength = .none
        head.headers.remove(.contentLength)
        head.headers.set(.upgrade, "websocket")
        if !head.headers.contains(.secWebsocketKey) {
            head.headers.set(.secWebsocketKey, WebSocketKey.make(&random))
        }
        stream.flags.insert(.isTunnel)
    }
}
