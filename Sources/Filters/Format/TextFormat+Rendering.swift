package import FilterAPI

extension TextFormat {
    /// Appends the text.
    ///
    /// - Parameter unset: stands for a value that there is none of.
    package func render(into text: inout ByteText, _ subject: borrowing FormatSubject, unset: StaticString = "-") {
        render(0..<pieces.count, into: &text, subject, unset: unset)
    }

    /// Appends the text for a stream that has no response yet.
    package func render(
        into text: inout ByteText, request: borrowing RequestHead, facts: StreamFacts, connection: ConnectionFacts,
        at moment: FormatMoment, unset: StaticString
    ) {
        // SAFETY: all of them outlive the call.
        unsafe withUnsafePointer(to: request) { request in
            unsafe withUnsafePointer(to: facts) { facts in
                unsafe render(
                    into: &text,
                    FormatSubject(request: request, response: nil, facts: facts, connection: connection, at: moment),
                    unset: unset)
            }
        }
    }

    /// Appends the text for a stream with a response.
    package func render(
        into text: inout ByteText, request: borrowing RequestHead, response: borrowing ResponseHead,
        facts: StreamFacts, connection: ConnectionFacts, at moment: FormatMoment, unset: StaticString
    ) {
        // SAFETY: all of them outlive the call.
        unsafe withUnsafePointer(to: request) { request in
            unsafe withUnsafePointer(to: response) { response in
                unsafe withUnsafePointer(to: facts) { facts in
                    unsafe render(
                        into: &text,
                        FormatSubject(
                            request: request, response: response, facts: facts, connection: connection, at: moment),
                        unset: unset)
                }
            }
        }
    }

    /// Appends some of the pieces.
    func render(
        _ range: Range<Int>, into text: inout ByteText, _ subject: borrowing FormatSubject, unset: StaticString
    ) {
        for index in range {
            let piece = pieces[index]
            if piece.kind == .literal {
                // SAFETY: bytes have no padding.
                unsafe text.append(literals.span.extracting(piece.first..<piece.second).bytes)
                continue
            }
            let start = text.count
            append(piece, subject, &text)
            if text.count == start { text.append(unset) }
            if text.count - start > piece.limit { text.truncate(to: start + piece.limit) }
        }
    }

    /// Appends a value; nothing where there is none.
    private func append(_ piece: Piece, _ subject: borrowing FormatSubject, _ text: inout ByteText) {
        switch piece.kind {
        case .literal: break
        case .request: append(piece, subject.request, &text)
        case .response: _ = subject.withResponse { append(piece, $0, &text) }
        case .trailer: _ = subject.withTrailers { append(piece, $0, &text) }
        case .time(let source): append(source, times[piece.first], subject, &text)
        case .span: if let number = spans[piece.first].value(of: subject) { text.append(decimal: number) }
        case .filterTime:
            if let time = filterTimes[piece.first].value(of: subject) { text.append(decimal: time) }
        case .path(let path): path.append(subject.request, &text)
        case .parameter:
            // SAFETY: bytes have no padding.
            let name = unsafe literals.span.extracting(piece.first..<piece.second).bytes
            RequestPath.append(parameter: name, of: subject.request.query, &text)
        case .grpcStatus(let style): if let code = GRPCStatusStyle.code(of: subject) { style.append(code, &text) }
        case .number(let variable): if let number = variable.number(of: subject) { text.append(decimal: number) }
        case .variable(let variable): variable.append(subject, &text)
        }
    }

    private func append(
        _ source: TimeSource, _ pattern: TimePattern, _ subject: borrowing FormatSubject, _ text: inout ByteText
    ) {
        let seconds: Int64?
        switch source {
        case .start(let isLocal):
            let clock = subject.moment.wallClock
            let age = subject.moment.now.nanoseconds &- subject.facts.start.nanoseconds
            let isKnown = subject.facts.start > .none && subject.moment.now > subject.facts.start
            return pattern.render(isKnown ? clock - min(age, clock) : clock, isLocal: isLocal, into: &text)
        case .emission(let isLocal):
            return pattern.render(subject.moment.wallClock, isLocal: isLocal, into: &text)
        case .clientValidFrom: seconds = subject.connection.tls?.peer?.notBefore
        case .clientValidUntil: seconds = subject.connection.tls?.peer?.notAfter
        case .upstreamValidFrom: seconds = subject.facts.upstream?.tls?.peer?.notBefore
        case .upstreamValidUntil: seconds = subject.facts.upstream?.tls?.peer?.notAfter
        }
        if let seconds { pattern.render(seconds: seconds, into: &text) }
    }

    // MARK: Fields

    private func append(_ piece: Piece, _ request: borrowing RequestHead, _ text: inout ByteText) {
        let start = text.count
        append(fields[piece.first], request, &text)
        if text.count == start, piece.second >= 0 { append(fields[piece.second], request, &text) }
    }

    private func append(_ field: FormatField, _ request: borrowing RequestHead, _ text: inout ByteText) {
        switch field {
        case .method: text.append(request.methodText)
        case .path: text.append(request.target)
        case .authority: text.append(request.authority)
        case .scheme: text.append(request.scheme.text)
        case .status: break
        case .header(let name): Self.append(name, request.headers, &text)
        }
    }

    private func append(_ piece: Piece, _ response: borrowing ResponseHead, _ text: inout ByteText) {
        let start = text.count
        append(fields[piece.first], response, &text)
        if text.count == start, piece.second >= 0 { append(fields[piece.second], response, &text) }
    }

    private func append(_ field: FormatField, _ response: borrowing ResponseHead, _ text: inout ByteText) {
        switch field {
        case .status: text.append(decimal: response.status.code)
        case .header(let name): Self.append(name, response.headers, &text)
        default: break
        }
    }

    private func append(_ piece: Piece, _ trailers: borrowing Headers, _ text: inout ByteText) {
        let start = text.count
        for index in [piece.first, piece.second] where index >= 0 && text.count == start {
            if case .header(let name) = fields[index] { Self.append(name, trailers, &text) }
        }
    }

    /// All fields with the name, joined by commas (RFC 9110 section 5.3).
    private static func append(_ name: HeaderName, _ headers: borrowing Headers, _ text: inout ByteText) {
        var index = headers.index(of: name)
        guard index >= 0 else { return }
        let start = text.count
        while index >= 0 {
            if text.count > start { text.append(",") }
            text.append(headers.value(at: index))
            index = headers.index(of: name, from: index + 1)
        }
    }
}
