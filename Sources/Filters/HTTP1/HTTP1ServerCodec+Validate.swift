internal import FilterAPI

extension HTTP1ServerCodec {
    /// Makes the parsed head what filters may see, or refuses it.
    func validate(_ head: inout RequestHead, _ state: inout ConnectionState) throws(Fault) {
        let start = state.parser.start
        let meaning = state.parser.meaning
        head.version = start.version
        head.methodRange = start.method
        head.targetRange = start.target
        head.method = Method(named: head.methodText)
        head.measurePath()
        state.isHTTP10 = start.version == .http10
        state.isHeadRequest = head.method == .head
        state.isConnect = head.method == .connect
        if state.isHTTP10, !settings.acceptHTTP10 { throw Fault(.versionNotSupported, "http1.http10_not_accepted") }
        keepAlive(&state, meaning)
        try frame(&head, &state, meaning)
        try host(&head, meaning, isHTTP10: state.isHTTP10)
        try target(&head, start)
        try connectionFields(&head, &state, meaning)
        if meaning.flags.contains(.underscoreNames) { try underscores(&head.headers) }
    }

    private func keepAlive(_ state: inout ConnectionState, _ meaning: HeadMeaning) {
        state.keepsAlive = state.isHTTP10 ? meaning.flags.contains(.keepAlive) : true
        if meaning.flags.contains(.close) || state.isDraining { state.keepsAlive = false }
        let limit = settings.maxRequestsPerConnection
        if limit > 0, state.requests >= limit { state.keepsAlive = false }
    }

    /// How the body ends (RFC 9112 section 6.3); what could be read in two ways is refused.
    private func frame(
        _ head: inout RequestHead, _ state: inout ConnectionState, _ meaning: HeadMeaning
    ) throws(Fault) {
        if meaning.flags.contains(.transferEncoding) {
            if meaning.contentLength >= 0 { throw Fault(.badRequest, "http1.length_and_transfer_encoding") }
            if state.isHTTP10 { throw Fault(.badRequest, "http1.transfer_encoding_on_http10") }
            if meaning.flags.contains(.unknownCoding) {
                throw Fault(.notImplemented, "http1.unknown_transfer_encoding")
            }
            let limit = settings.maxBody.bytes > 0 ? settings.maxBody.bytes : .max
            state.body = .chunked(ChunkedDecoder(.request, bodyLimit: limit))
            head.bodyLength = .unknown
        } else if meaning.contentLength > 0 {
            if settings.maxBody.bytes > 0, meaning.contentLength > settings.maxBody.bytes {
                throw Fault(.bodyTooLarge, "http1.body_too_large")
            }
            state.body = .length(meaning.contentLength)
            head.bodyLength = .known(meaning.contentLength)
        } else {
            state.body = .none
            head.bodyLength = meaning.contentLength == 0 ? .known(0) : .none
        }
        head.expectsContinue = meaning.flags.contains(.expectsContinue) && !state.isHTTP10
        if meaning.flags.contains(.expectsContinue), state.isHTTP10 { head.headers.remove(.expect) }
    }

    private func host(_ head: inout RequestHead, _ meaning: HeadMeaning, isHTTP10: Bool) throws(Fault) {
        if meaning.hostCount > 1 { throw Fault(.badRequest, "http1.repeated_host") }
        guard meaning.hostCount == 1 else {
            if isHTTP10 { return }
            throw Fault(.badRequest, "http1.no_host")
        }
        let entry = unsafe head.headers.entries[head.headers.index(of: .host)]
        head.authorityRange = TextRange(offset: entry.valueOffset, count: entry.valueCount)
        guard Authority.isValid(head.authority) else { throw Fault(.badRequest, "http1.bad_host") }
    }

    // MARK: The target

    /// The four forms of a target (RFC 9112 section 3.2).
    private func target(_ head: inout RequestHead, _ start: HeadParser.StartLine) throws(Fault) {
        let first = unsafe head.target.unsafeLoad(as: UInt8.self)
        if head.method == .connect {
            guard Authority.hasPort(head.target) else { throw Fault(.badRequest, "http1.bad_connect_target") }
            return
        }
        if first == UInt8(ascii: "*") {
            guard head.method == .options, head.target.byteCount == 1 else {
                throw Fault(.badRequest, "http1.asterisk_target")
            }
            return
        }
        if first == UInt8(ascii: "/") {
            if !start.isPlainPath { try paths.apply(to: &head) }
        } else {
            try absolute(&head)
        }
    }

    /// `http://host/path`: the host counts, not that of the `Host` field (RFC 9112 section 3.2.2).
    private func absolute(_ head: inout RequestHead) throws(Fault) {
        let target = head.targetRange
        let (prefix, end) = try Self.authorityBounds(head.target, isTLS: head.scheme == .https)
        let authority = TextRange(offset: target.offset + UInt32(prefix), count: UInt32(end - prefix))
        guard authority.count > 0, Authority.isValid(head.headers.text(authority)) else {
            throw Fault(.badRequest, "http1.bad_host")
        }
        head.headers.setText(.host, authority)
        head.authorityRange = authority
        if end == Int(target.count) {
            head.setTarget(head.method == .options ? "*" : "/")
            return
        }
        let rest = TextRange(offset: target.offset + UInt32(end), count: target.count - UInt32(end))
        if unsafe head.headers.text(rest).unsafeLoad(as: UInt8.self) == UInt8(ascii: "/") {
            head.targetRange = rest
            head.measurePath()
            // What the parser found out about the path was about the scheme's slashes too.
            try paths.apply(to: &head)
        } else {
            head.setTarget("/" + ASCII.string(head.headers.text(rest)))
        }
    }

    /// Where the authority of an absolute target begins and ends.
    private static func authorityBounds(_ text: RawSpan, isTLS: Bool) throws(Fault) -> (start: Int, end: Int) {
        var start = 7
        if text.byteCount > 8, ASCII.equalIgnoringCase(text.extracting(first: 8), "https://") {
            // In clear text nobody has shown that they are that host.
            guard isTLS else { throw Fault(.misdirected, "http1.https_target") }
            start = 8
        } else if text.byteCount <= 7 || !ASCII.equalIgnoringCase(text.extracting(first: 7), "http://") {
            throw Fault(.badRequest, "http1.bad_target")
        }
        var end = start
        while end < text.byteCount, unsafe !endsAuthority(text.unsafeLoad(fromByteOffset: end, as: UInt8.self)) {
            end += 1
        }
        return (start, end)
    }

    private static func endsAuthority(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "/") || byte == UInt8(ascii: "?") }

    // MARK: Fields of the connection

    /// Takes out what belongs to this connection only (RFC 9110 section 7.6.1).
    private func connectionFields(
        _ head: inout RequestHead, _ state: inout ConnectionState, _ meaning: HeadMeaning
    ) throws(Fault) {
        let asksUpgrade =
            meaning.flags.contains(.upgradeField) && meaning.flags.contains(.upgradeListed) && !state.isHTTP10
            && head.bodyLength == .none && Upgrade.isOffered(head.headers)
        head.wantsUpgrade = asksUpgrade
        if meaning.flags.contains(.upgradeField), !asksUpgrade { head.headers.remove(.upgrade) }
        HopByHop.strip(&head.headers, meaning)
        if meaning.flags.contains(.teTrailers) { head.headers.add(.te, "trailers") }
        if asksUpgrade || state.isConnect {
            guard head.bodyLength == .none else { throw Fault(.badRequest, "http1.connect_with_body") }
            state.body = .tunnel
        }
    }

    func underscores(_ headers: inout Headers) throws(Fault) {
        guard settings.underscoresInHeaders != .allow else { return }
        var index = 0
        while index < headers.count {
            if !Self.hasUnderscore(headers.name(at: index)) {
                index += 1
            } else if settings.underscoresInHeaders == .reject {
                throw Fault(.badRequest, "http1.underscore_in_name")
            } else {
                headers.remove(at: index)
            }
        }
    }
}

extension HTTP1ServerCodec {
    fileprivate static func hasUnderscore(_ name: RawSpan) -> Bool {
        for position in 0..<name.byteCount
        where unsafe name.unsafeLoad(fromByteOffset: position, as: UInt8.self) == UInt8(ascii: "_") {
            return true
        }
        return false
    }
}

/// What a host with an optional port may look like (RFC 3986 section 3.2).
enum Authority {
    static func isValid(_ text: RawSpan) -> Bool {
        guard text.byteCount > 0, text.byteCount <= 255 + 6 else { return false }
        var end = text.byteCount
        if unsafe text.unsafeLoad(as: UInt8.self) == UInt8(ascii: "[") {
            guard let close = closingBracket(text) else { return false }
            return isPort(text, from: close + 1)
        }
        for index in 0..<text.byteCount {
            let byte = unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if byte == UInt8(ascii: ":") {
                end = index
                break
            }
            guard ByteClass.isHost(byte) else { return false }
        }
        return end > 0 && end <= 255 && isPort(text, from: end)
    }

    /// `host:port`, the port not missing.
    static func hasPort(_ text: RawSpan) -> Bool {
        guard isValid(text) else { return false }
        let last = unsafe text.unsafeLoad(fromByteOffset: text.byteCount - 1, as: UInt8.self)
        var colons = 0
        for index in 0..<text.byteCount
        where unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self) == UInt8(ascii: ":") {
            colons += 1
        }
        return colons > 0 && last != UInt8(ascii: "]") && last != UInt8(ascii: ":")
    }

    private static func closingBracket(_ text: RawSpan) -> Int? {
        var index = 1
        var colons = 0
        while index < text.byteCount {
            let byte = unsafe text.unsafeLoad(fromByteOffset: index, as: UInt8.self)
            if byte == UInt8(ascii: "]") { return index > 2 && colons >= 2 ? index : nil }
            if byte == UInt8(ascii: ":") { colons += 1 }
            guard byte == UInt8(ascii: ":") || byte == UInt8(ascii: ".") || ByteClass.hexValue(byte) != nil else {
                return nil
            }
            index += 1
        }
        return nil
    }

    /// Nothing, or a colon and a port from 1 to 65535.
    private static func isPort(_ text: RawSpan, from start: Int) -> Bool {
        if start == text.byteCount { return true }
        guard unsafe text.unsafeLoad(fromByteOffset: start, as: UInt8.self) == UInt8(ascii: ":") else { return false }
        let digits = text.extracting(start + 1..<text.byteCount)
        guard digits.byteCount <= 5, let port = ASCII.number(digits) else { return false }
        return port >= 1 && port <= 65_535
    }
}

/// Protocols that a client may ask to change to.
enum Upgrade {
    /// Whether there is one `Upgrade` field, with one token, that is not `h2c`: HTTP/2 in clear text is not tunnelled
    /// past the filters.
    static func isOffered(_ headers: borrowing Headers) -> Bool {
        let index = headers.index(of: .upgrade)
        guard index >= 0, headers.index(of: .upgrade, from: index + 1) < 0 else { return false }
        let value = headers.value(at: index)
        guard value.byteCount > 0, !ASCII.equalIgnoringCase(value, "h2c") else { return false }
        for position in 0..<value.byteCount {
            let byte = unsafe value.unsafeLoad(fromByteOffset: position, as: UInt8.self)
            guard ByteClass.isToken(byte) || byte == UInt8(ascii: "/") else { return false }
        }
        return true
    }
}
