package import FilterAPI

/// When a format is rendered.
package struct FormatMoment {
    /// The time on the clock that ``StreamFacts`` uses.
    package var now: Instant
    /// The same time in nanoseconds since 1970; 0 where ``TextFormat/needsWallClock`` is false.
    package var wallClock: UInt64
    /// Whether the stream has ended: the status is then the one that the client was given.
    package var isOver: Bool
    /// What stands for a value that there is none of.
    package var unset: StaticString

    /// A moment.
    package init(now: Instant, wallClock: UInt64 = 0, isOver: Bool = false, unset: StaticString = "-") {
        self.now = now
        self.wallClock = wallClock
        self.isOver = isOver
        self.unset = unset
    }
}

extension TextFormat {
    /// Appends the text for a stream that has no response yet.
    package func render(
        into text: inout ByteText, request: borrowing RequestHead, facts: StreamFacts, connection: ConnectionFacts,
        at moment: FormatMoment
    ) {
        for piece in pieces {
            let start = text.count
            if !append(piece, request, facts, connection, moment, &text) { text.append(moment.unset) }
            if text.count - start > piece.limit { text.truncate(to: start + piece.limit) }
        }
    }

    /// Appends the text for a stream with a response.
    package func render(
        into text: inout ByteText, request: borrowing RequestHead, response: borrowing ResponseHead,
        facts: StreamFacts, connection: ConnectionFacts, at moment: FormatMoment
    ) {
        for piece in pieces {
            let start = text.count
            let isSet =
                switch piece.kind {
                case .response: append(piece, response, &text)
                case .variable(.responseCode) where !moment.isOver: append(.status, response, &text)
                default: append(piece, request, facts, connection, moment, &text)
                }
            if !isSet { text.append(moment.unset) }
            if text.count - start > piece.limit { text.truncate(to: start + piece.limit) }
        }
    }

    // Each of these returns whether there was a value.

    private func append(
        _ piece: Piece, _ request: borrowing RequestHead, _ facts: StreamFacts, _ connection: ConnectionFacts,
        _ moment: FormatMoment, _ text: inout ByteText
    ) -> Bool {
        switch piece.kind {
        case .literal:
            // SAFETY: bytes have no padding.
            unsafe text.append(literals.span.extracting(piece.first..<piece.second).bytes)
            return true
        case .request:
            if append(fields[piece.first], request, &text) { return true }
            return piece.second >= 0 && append(fields[piece.second], request, &text)
        case .response: return false
        case .startTime:
            let age = moment.now.since(facts.start).wholeNanoseconds
            times[piece.first].render(moment.wallClock - min(age, moment.wallClock), into: &text)
            return true
        case .peerValidFrom: return append(piece, connection.tls?.peer?.notBefore, &text)
        case .peerValidUntil: return append(piece, connection.tls?.peer?.notAfter, &text)
        case .variable(let variable):
            if let number = variable.number(facts, connection, moment) {
                text.append(decimal: number)
                return true
            }
            return variable.append(request, facts, connection, &text)
        }
    }

    private func append(_ piece: Piece, _ seconds: Int64?, _ text: inout ByteText) -> Bool {
        guard let seconds else { return false }
        times[piece.first].render(seconds: seconds, into: &text)
        return true
    }

    private func append(_ field: FormatField, _ request: borrowing RequestHead, _ text: inout ByteText) -> Bool {
        let start = text.count
        switch field {
        case .method: text.append(request.methodText)
        case .path: text.append(request.target)
        case .authority: text.append(request.authority)
        case .scheme: text.append(request.scheme.text)
        case .status: break
        case .header(let name): return append(name, request.headers, &text)
        }
        return text.count > start
    }

    private func append(_ piece: Piece, _ response: borrowing ResponseHead, _ text: inout ByteText) -> Bool {
        if append(fields[piece.first], response, &text) { return true }
        return piece.second >= 0 && append(fields[piece.second], response, &text)
    }

    private func append(_ field: FormatField, _ response: borrowing ResponseHead, _ text: inout ByteText) -> Bool {
        switch field {
        case .status:
            text.append(decimal: response.status.code)
            return true
        case .header(let name): return append(name, response.headers, &text)
        default: return false
        }
    }

    /// All fields with the name, joined by commas (RFC 9110 section 5.3).
    private func append(_ name: HeaderName, _ headers: borrowing Headers, _ text: inout ByteText) -> Bool {
        var index = headers.index(of: name)
        guard index >= 0 else { return false }
        let start = text.count
        while index >= 0 {
            if text.count > start { text.append(",") }
            text.append(headers.value(at: index))
            index = headers.index(of: name, from: index + 1)
        }
        return text.count > start
    }
}

extension FormatVariable {
    /// The value of a variable that is a number; nil for others, and where there is no value.
    fileprivate func number(_ facts: StreamFacts, _ connection: ConnectionFacts, _ moment: FormatMoment) -> Int? {
        switch self {
        case .bytesReceived: facts.requestBodyBytes
        case .bytesSent: facts.responseBodyBytes
        case .connectionID: Int(truncatingIfNeeded: connection.id)
        case .requestHeadersBytes: facts.requestHeadBytes
        case .responseCode: facts.status
        case .upstreamRequestAttemptCount: facts.attempts
        case .duration: milliseconds(facts.start, facts.responseEnd > .none ? facts.responseEnd : moment.now)
        case .requestDuration: milliseconds(facts.start, facts.requestEnd)
        case .requestTransmitDuration: milliseconds(facts.start, facts.upstreamRequestEnd)
        case .responseDuration: milliseconds(facts.start, facts.upstreamFirstByte)
        case .responseTransmitDuration: milliseconds(facts.upstreamFirstByte, facts.responseEnd)
        case .upstreamConnectionPoolReadyDuration: milliseconds(facts.start, facts.upstreamReady)
        default: nil
        }
    }

    private func milliseconds(_ start: Instant, _ end: Instant) -> Int? {
        guard start > .none, end > .none else { return nil }
        return Int(clamping: end.since(start).wholeNanoseconds / 1_000_000)
    }

    /// Appends the value of a variable that is text.
    ///
    /// - Returns: whether there was one.
    fileprivate func append(
        _ request: borrowing RequestHead, _ facts: StreamFacts, _ connection: ConnectionFacts, _ text: inout ByteText
    ) -> Bool {
        let start = text.count
        switch self {
        case .downstreamRemoteAddress, .downstreamRemoteAddressWithoutPort, .downstreamRemotePort:
            appendClient(request, connection, &text)
        case .downstreamDirectRemoteAddress: text.append(connection.remoteAddress)
        case .downstreamDirectRemoteAddressWithoutPort: text.append(connection.remoteIP)
        case .downstreamLocalAddress: text.append(connection.localAddress)
        case .downstreamLocalAddressWithoutPort: appendHost(connection.localAddress, &text)
        case .downstreamLocalPort: appendPort(connection.localAddress, &text)
        // Without a method there was no request that could have said it.
        case .protocol: if request.methodText.byteCount > 0 { text.append(request.version.text) }
        case .reachedLimit: if let limit = facts.limit { text.append(limit.line) }
        case .requestedServerName: if let name = connection.serverName { text.append(name: name) }
        case .responseCodeDetails: text.append(facts.reason)
        case .responseFlags: appendFlags(facts.flags, &text)
        case .routeName: text.append(facts.route?.text ?? "")
        case .streamID: _ = request.headers.withValue(.xRequestID) { text.append($0) }
        case .spanID, .traceID: if let trace = facts.trace { append(trace, &text) }
        case .upstreamCluster: text.append(facts.cluster?.text ?? "")
        case .upstreamHost, .upstreamRemoteAddress: text.append(facts.endpoint?.text ?? "")
        case .upstreamProtocol: if let version = facts.upstreamProtocol { text.append(version.text) }
        default: if let tls = connection.tls { append(tls, &text) }
        }
        return text.count > start
    }

    /// Proxies in front say the client's address, and not its port.
    private func appendClient(_ request: borrowing RequestHead, _ connection: ConnectionFacts, _ text: inout ByteText) {
        let isDirect = request.clientAddress.byteCount == 0
        switch self {
        case .downstreamRemotePort: if isDirect { appendPort(connection.remoteAddress, &text) }
        case .downstreamRemoteAddress where isDirect: text.append(connection.remoteAddress)
        default: if isDirect { text.append(connection.remoteIP) } else { text.append(request.clientAddress) }
        }
    }

    private func appendFlags(_ flags: ResponseFlags, _ text: inout ByteText) {
        let start = text.count
        flags.forEachShortName { name in
            if text.count > start { text.append(",") }
            text.append(name)
        }
    }

    private func appendPort(_ address: String, _ text: inout ByteText) {
        // SAFETY: the string outlives the span.
        let span = unsafe address.utf8Span.span.bytes
        let colon = Self.lastColon(span)
        if colon >= 0 { text.append(span.extracting(colon + 1..<span.byteCount)) }
    }

    /// Without the port, and without the brackets around an IPv6 address.
    private func appendHost(_ address: String, _ text: inout ByteText) {
        // SAFETY: the string outlives the span.
        let span = unsafe address.utf8Span.span.bytes
        let colon = Self.lastColon(span)
        let end = colon < 0 ? span.byteCount : colon
        let isBracketed =
            end > 1 && span.byte(at: 0) == UInt8(ascii: "[") && span.byte(at: end - 1) == UInt8(ascii: "]")
        text.append(isBracketed ? span.extracting(1..<end - 1) : span.extracting(0..<end))
    }

    private static func lastColon(_ text: RawSpan) -> Int {
        var index = text.byteCount - 1
        while index >= 0, text.byte(at: index) != UInt8(ascii: ":") { index -= 1 }
        return index
    }
}
