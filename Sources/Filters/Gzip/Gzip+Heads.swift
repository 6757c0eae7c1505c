internal import FilterAPI

/// What is done with a body is decided when its head comes by.
extension Gzip {
    // MARK: Requests

    /// - Returns: what is to be done with the body of a request.
    func work(on head: inout RequestHead, _ stream: inout Stream) throws(Fault) -> BodyWork {
        // What follows CONNECT or an upgrade is no body.
        guard settings.requests != .off, head.method != .connect, !head.wantsUpgrade,
            !MediaTypeList.isGRPC(head.headers), !head.headers.hasToken(.cacheControl, "no-transform"),
            !head.headers.contains(.contentRange)
        else { return .none }
        if settings.requests == .decompress {
            guard let coding = BodyCoding(head.headers) else { return .none }
            let inflater = try beginDecompressing(coding, &stream)
            fields.decompress(&head.headers)
            head.bodyLength = .unknown
            counters.decompressed.add()
            return .decompress(inflater)
        }
        guard !head.headers.contains(.contentEncoding), types.matches(head.headers), !isShort(head.bodyLength),
            let deflater = beginCompressing(level: settings.level)
        else { return .none }
        let rule = flushRule(head.headers, head.bodyLength)
        fields.compress(&head.headers, .gzip)
        head.bodyLength = .unknown
        counters.requestsCompressed.add()
        return .compress(deflater, rule)
    }

    private func isShort(_ length: BodyLength) -> Bool {
        if case .known(let count) = length { return count < settings.minLength.bytes }
        return false
    }

    private func flushRule(_ headers: borrowing Headers, _ length: BodyLength) -> FlushRule {
        if case .known = length { return .atEnd }
        return MediaTypeList.isEventStream(headers) ? .always : .whenPaused
    }

    // MARK: Responses

    /// - Returns: what is to be done with the body of a response.
    func work(
        on head: inout ResponseHead, last: Bool, _ client: ClientWish, _ stream: inout Stream
    ) throws(Fault) -> BodyWork {
        if settings.responses == .off { return .none }
        let route = stream.routeSettings(of: self)
        guard route?.enabled ?? true, !client.isRefused, canChange(head) else {
            return leave(last: last)
        }
        if head.status == 304 {
            noteNotModified(&head, stream)
            return .none
        }
        if settings.responses == .decompress { return try decompressing(&head, last: last, client, &stream) }
        return compressing(&head, last: last, client, level: route?.level ?? settings.level)
    }

    private func leave(last: Bool) -> BodyWork {
        if !last, settings.responses == .compress { counters.notCompressed.add() }
        return .none
    }

    /// Whether a response is one whose coding may be changed at all.
    private func canChange(_ head: borrowing ResponseHead) -> Bool {
        head.status.code >= 200 && head.status != 204 && !MediaTypeList.isGRPC(head.headers)
            && !head.headers.hasToken(.cacheControl, "no-transform")
    }

    private static func isRange(_ head: borrowing ResponseHead) -> Bool {
        head.status == 206 || head.headers.contains(.contentRange)
    }

    /// The fields of a 304 are those that the answer with a body has (RFC 9110 section 15.4.5); the type of its content is
    /// not among them as a rule.
    private func noteNotModified(_ head: inout ResponseHead, _ stream: borrowing Stream) {
        guard !head.headers.contains(.contentEncoding) || settings.responses == .decompress else { return }
        guard settings.responses == .decompress || !head.headers.contains(.contentType) || types.matches(head.headers)
        else { return }
        if settings.vary { fields.addVary(&head.headers) }
        // Only those that were changed on their way: a client that has got the tag as it was keeps it so.
        stream.withRequest { fields.weakenTag(&head.headers, asKnownBy: $0.headers) }
    }

    private func compressing(
        _ head: inout ResponseHead, last: Bool, _ client: ClientWish, level: Int
    ) -> BodyWork {
        guard !head.headers.contains(.contentEncoding), types.matches(head.headers) else { return leave(last: last) }
        // A range is one of the bytes as they are, but its fields are those of the whole (RFC 9110 section 15.3.7).
        if Self.isRange(head) {
            if settings.vary { fields.addVary(&head.headers) }
            return leave(last: last)
        }
        if isTooShort(head, last: last, client) {
            counters.lengthTooSmall.add()
            return leave(last: last)
        }
        if settings.strongEtags == .skip, CodingFields.hasStrongTag(head.headers) {
            counters.strongTag.add()
            return leave(last: last)
        }
        if settings.vary { fields.addVary(&head.headers) }
        counters.count(client.verdict)
        guard client.wantsGzip else { return leave(last: last) }
        // The head of an answer to HEAD is that of the answer to GET.
        if last {
            fields.compress(&head.headers, .gzip)
            return .none
        }
        guard let deflater = beginCompressing(level: level) else { return leave(last: last) }
        let rule = flushRule(head.headers, head.bodyLength)
        fields.compress(&head.headers, .gzip)
        head.bodyLength = .unknown
        counters.compressed.add()
        return .compress(deflater, rule)
    }

    /// Whether a body is not worth it, as far as its head tells; what is empty never is.
    private func isTooShort(_ head: borrowing ResponseHead, last: Bool, _ client: ClientWish) -> Bool {
        if !client.isHead { return last || isShort(head.bodyLength) }
        guard let length = head.headers.withValue(.contentLength, { ASCII.number($0) }) ?? nil else { return false }
        return length < max(1, settings.minLength.bytes)
    }

    private func decompressing(
        _ head: inout ResponseHead, last: Bool, _ client: ClientWish, _ stream: inout Stream
    ) throws(Fault) -> BodyWork {
        guard let coding = BodyCoding(head.headers) else { return .none }
        if settings.vary { fields.addVary(&head.headers) }
        if client.accepts(coding) || Self.isRange(head) { return .none }
        if last {
            if client.isHead { fields.decompress(&head.headers) }
            return .none
        }
        let inflater = try beginDecompressing(coding, &stream)
        fields.decompress(&head.headers)
        head.bodyLength = .unknown
        counters.decompressed.add()
        return .decompress(inflater)
    }
}
