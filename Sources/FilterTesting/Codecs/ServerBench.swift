public import FilterAPI

/// Drives a server codec with bytes, the way a connection does, and writes down what it says.
///
/// Unless a test says otherwise, each request is answered as soon as it is complete, so that the codec reads on.
public final class ServerBench<C: ServerCodec> {
    /// The codec.
    public let codec: C
    /// The connection that it works on.
    public let connection: FakeConnection
    /// What the codec has said.
    public private(set) var transcript = Transcript()
    /// The requests that were read, the last one perhaps not to its end.
    public private(set) var requests: [RecordedRequest] = []
    /// The fault that ended the connection, or the last request; nil where there was none.
    public private(set) var fault: Fault?
    /// Answers a complete request; by default with `200` and no body. Nil to answer by hand.
    public var answer: ((ServerBench<C>, StreamHandle) -> Void)? = { bench, stream in
        bench.respond(200, to: stream)
        bench.close(stream)
    }
    /// The stream whose request was read last.
    public private(set) var stream = StreamHandle.none
    /// Whether the connection is over: by a fault, or because the codec said so.
    public private(set) var isOver = false

    private var state: C.ConnectionState?
    private var input = ByteChunk()
    private var more = ChunkQueue()
    private var inputEnded = false
    private var isDecoding = false
    /// Whose the requests are, in their order.
    private var owners: [StreamHandle] = []

    /// Begins a connection.
    public init(_ codec: C, on connection: FakeConnection = FakeConnection()) {
        self.codec = codec
        self.connection = connection
        do throws(Fault) {
            state = unsafe try codec.accept(&connection.link.pointee)
        } catch {
            transcript.fault(error)
            isOver = true
        }
    }

    deinit {
        // Pages go back to the connection's pool, which may go with the connection.
        state = nil
        input = ByteChunk()
        more.removeAll()
    }

    // MARK: From the client

    /// Bytes arrive, in one piece.
    public func receive(_ bytes: [UInt8]) {
        let chunk = connection.pages.chunk(copying: bytes)
        if input.isEmpty && more.isEmpty { input = chunk } else { more.append(chunk) }
        decode()
    }

    /// Bytes arrive, in one piece.
    public func receive(_ text: String) { receive(Array(text.utf8)) }

    /// The client ends its direction.
    public func end() {
        inputEnded = true
        decode()
    }

    /// Time goes by; the codec's timer goes off if it falls due.
    public func advance(by duration: Duration) {
        connection.clock.advance(by: duration)
        guard let due = connection.timerDue, due <= connection.clock.now, !isOver else { return }
        connection.clearTimer()
        attempt { codec, state, link throws(Fault) in
            if case .close = try codec.timerFired(&state, &link) { close("close") }
        }
    }

    /// The listener drains.
    public func drain() {
        attempt { codec, state, link throws(Fault) in codec.drain(&state, &link) }
    }

    /// How many bytes arrived that the codec has not taken.
    public var unread: Int { input.count + more.byteCount }

    private func decode() {
        guard !isDecoding else { return }
        isDecoding = true
        defer { isDecoding = false }
        while !isOver, !connection.wantsClose {
            if input.isEmpty, let next = more.popFirst() { input = next }
            let ended = inputEnded && more.isEmpty
            var goesOn = false
            attempt { codec, state, link throws(Fault) in
                goesOn = handle(try codec.decode(&input, ended: ended, &state, &link))
            }
            if !goesOn { return }
        }
    }

    /// - Returns: whether to go on.
    private func handle(_ event: consuming ServerEvent) -> Bool {
        switch consume event {
        case .needMore: return input.isEmpty && !more.isEmpty
        case .requestHead(let stream, let last):
            self.stream = stream
            unsafe transcript.head(connection.requestHead(stream).pointee, last: last)
            unsafe requests.append(RecordedRequest(connection.requestHead(stream).pointee, isComplete: last))
            owners.append(stream)
            if last { due.append(.answer(stream)) }
        case .requestBody(let stream, let chunk, let last):
            transcript.body(chunk.copied(), last: last)
            record(stream) { request in
                request.body += chunk.copied()
                request.isComplete = last
            }
            if chunk.count > 0 { due.append(.credit(stream, chunk.count)) }
            if last { due.append(.answer(stream)) }
        case .refused(let stream, let fault):
            transcript.note("refused \(fault.reason)")
            due.append(.answer(stream))
        case .requestTrailers(let stream):
            let trailers = unsafe connection.trailers(stream, isRequest: true)
            unsafe transcript.trailers(trailers.pointee)
            record(stream) { request in
                unsafe request.trailers = RecordedField.all(trailers.pointee)
                request.isComplete = true
            }
            due.append(.answer(stream))
        case .reset(let stream, let fault):
            transcript.fault(fault, "reset")
            self.fault = fault
            due.append(.close(stream))
        case .close: close("close")
        }
        return !isOver
    }

    private func record(_ stream: StreamHandle, _ change: (inout RecordedRequest) -> Void) {
        if let index = owners.lastIndex(of: stream) { change(&requests[index]) }
    }

    /// The request of a stream; nil where none has come.
    package func request(of stream: StreamHandle) -> RecordedRequest? {
        owners.lastIndex(of: stream).map { requests[$0] }
    }

    /// What is to happen when the codec has returned: it is never re-entered.
    private enum Due {
        case answer(StreamHandle)
        case close(StreamHandle)
        case credit(StreamHandle, Int)
    }
    private var due: [Due] = []

    private func close(_ line: String) {
        transcript.note(line)
        isOver = true
    }

    /// Whether a stream has not been closed.
    package func isOpen(_ stream: StreamHandle) -> Bool { connection.isOpen(stream) }

    private func credit(_ count: Int, _ stream: StreamHandle) {
        attempt { codec, state, link throws(Fault) in codec.consumed(count, stream, &state, &link) }
    }

    /// How many bytes of bodies may be written in a turn.
    private static var room: Int { 1 << 20 }

    private func attempt(
        _ body: (C, inout C.ConnectionState, inout CodecLink) throws(Fault) -> Void
    ) {
        guard var present = state.take() else { return }
        do throws(Fault) {
            unsafe try body(codec, &present, &connection.link.pointee)
        } catch {
            transcript.fault(error)
            fault = error
            isOver = true
        }
        unsafe codec.flush(Self.room, &present, &connection.link.pointee)
        state = present
        while !due.isEmpty {
            switch due.removeFirst() {
            case .answer(let stream): answer?(self, stream)
            case .close(let stream): close(stream)
            case .credit(let stream, let count): if isOpen(stream) { credit(count, stream) }
            }
        }
    }

    // MARK: To the client

    /// Writes a whole response.
    ///
    /// - Parameters:
    ///   - status: the status.
    ///   - fields: its fields, in order.
    ///   - body: the pieces of the body; nil for none, so that the head is the last event.
    ///   - trailers: fields behind the body.
    ///   - stream: the request that it answers; nil for the one that came last.
    public func respond(
        _ status: Status, _ fields: KeyValuePairs<String, String> = [:], body: [String]? = nil,
        trailers: KeyValuePairs<String, String> = [:], to stream: StreamHandle? = nil
    ) {
        respondHead(status, fields, last: body == nil && trailers.isEmpty, to: stream)
        let pieces = body ?? []
        for (index, piece) in pieces.enumerated() {
            respondBody(piece, last: trailers.isEmpty && index == pieces.count - 1, to: stream)
        }
        if !trailers.isEmpty { respondTrailers(trailers, to: stream) }
    }

    /// Writes a response's head, or one with status 1xx that is not its last.
    public func respondHead(
        _ status: Status, _ fields: KeyValuePairs<String, String> = [:], last: Bool = false,
        to stream: StreamHandle? = nil
    ) {
        let stream = stream ?? self.stream
        let head = unsafe connection.responseHead(stream)
        unsafe head.pointee.reset()
        unsafe head.pointee.status = status
        unsafe head.pointee.headers.fill(fields)
        attempt { codec, state, link throws(Fault) in
            if status.isInformational, status != 101 {
                unsafe try codec.interimHead(&head.pointee, stream, &state, &link)
            } else {
                unsafe try codec.responseHead(&head.pointee, last: last, stream, &state, &link)
            }
        }
    }

    /// Writes a piece of a body.
    public func respondBody(_ text: String, last: Bool = false, to stream: StreamHandle? = nil) {
        let stream = stream ?? self.stream
        var chunk = connection.pages.chunk(copying: Array(text.utf8))
        attempt { codec, state, link throws(Fault) in
            try codec.responseBody(&chunk, last: last, stream, &state, &link)
        }
    }

    /// Writes trailers, which end the response.
    public func respondTrailers(_ fields: KeyValuePairs<String, String>, to stream: StreamHandle? = nil) {
        let stream = stream ?? self.stream
        let trailers = unsafe connection.trailers(stream, isRequest: false)
        unsafe trailers.pointee.reset()
        unsafe trailers.pointee.fill(fields)
        attempt { codec, state, link throws(Fault) in
            unsafe try codec.responseTrailers(&trailers.pointee, stream, &state, &link)
        }
    }

    /// Writes the head of a response that came from elsewhere.
    package func respondHead(copying other: borrowing ResponseHead, last: Bool) {
        let stream = stream
        let head = unsafe connection.responseHead(stream)
        unsafe head.pointee.headers.copy(from: other.headers)
        unsafe head.pointee.status = other.status
        unsafe head.pointee.version = other.version
        unsafe head.pointee.bodyLength = other.bodyLength
        attempt { codec, state, link throws(Fault) in
            unsafe try codec.responseHead(&head.pointee, last: last, stream, &state, &link)
        }
    }

    /// Writes a piece of a body.
    package func respondBody(bytes: [UInt8], last: Bool) {
        let stream = stream
        var chunk = connection.pages.chunk(copying: bytes)
        attempt { codec, state, link throws(Fault) in
            try codec.responseBody(&chunk, last: last, stream, &state, &link)
        }
    }

    /// Writes trailers that came from elsewhere, which end the response.
    package func respondTrailers(copying other: borrowing Headers) {
        let stream = stream
        let trailers = unsafe connection.trailers(stream, isRequest: false)
        unsafe trailers.pointee.copy(from: other)
        attempt { codec, state, link throws(Fault) in
            unsafe try codec.responseTrailers(&trailers.pointee, stream, &state, &link)
        }
    }

    /// Both directions of a stream are done; the codec reads on.
    public func close(_ stream: StreamHandle? = nil) {
        let stream = stream ?? self.stream
        attempt { codec, state, link throws(Fault) in codec.streamClosed(stream, &state, &link) }
        connection.end(stream)
        decode()
    }

    /// The stream cannot be finished.
    public func reset(_ fault: Fault, _ stream: StreamHandle? = nil) {
        let stream = stream ?? self.stream
        attempt { codec, state, link throws(Fault) in codec.reset(stream, fault, &state, &link) }
    }

    /// Lets the codec say more where it does so after something was written, such as a declined upgrade.
    public func decodeOn() { decode() }

    /// What was written since it was last taken, as text.
    public func takeOutput() -> String { String(decoding: connection.takeOutput(), as: UTF8.self) }
}
