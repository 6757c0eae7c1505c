public import FilterAPI

/// Drives a client codec: writes requests, shows it an upstream's bytes, and writes down what it says.
public final class ClientBench<C: ClientCodec> {
    /// The codec.
    public let codec: C
    /// The connection that it works on.
    public let connection: FakeConnection
    /// What the codec has said.
    public private(set) var transcript = Transcript()
    /// The response to the last request, as far as it was read; nil before its head.
    public private(set) var response: RecordedResponse?
    /// The stream of the last request.
    public private(set) var stream = StreamHandle.none
    /// Whether the connection is over: by a fault, or because the codec said so.
    public private(set) var isOver = false

    private var state: C.ConnectionState?
    private var input = ByteChunk()
    private var more = ChunkQueue()
    private var inputEnded = false
    /// Whether an answer is due; without one the codec is shown nothing.
    private var isWaiting = false

    /// Begins a connection.
    public init(_ codec: C, on connection: FakeConnection = FakeConnection()) {
        self.codec = codec
        self.connection = connection
        do throws(Fault) {
            state = unsafe try codec.connect(&connection.link.pointee)
        } catch {
            transcript.fault(error)
            isOver = true
        }
    }

    deinit {
        // Pages go back to the connection's pool, which may go with the connection.
        input = ByteChunk()
        more.removeAll()
    }

    /// How many streams the connection could take.
    public var freeStreams: Int {
        var count = 0
        attempt { codec, state, _ throws(Fault) in count = codec.freeStreams(&state) }
        return count
    }

    /// Whether the connection may be kept.
    public var isReusable: Bool {
        var isReusable = false
        attempt { codec, state, _ throws(Fault) in isReusable = codec.isReusable(&state) }
        return isReusable
    }

    /// How many bytes arrived that the codec has not taken.
    public var unread: Int { input.count + more.byteCount }

    // MARK: To the upstream

    /// Begins a request; `last` where it has no body.
    public func request(_ head: consuming RequestHead, last: Bool = true) {
        if stream != .none { connection.end(stream) }
        stream = connection.begin()
        response = nil
        isWaiting = true
        let memory = unsafe connection.requestHead(stream)
        unsafe memory.pointee.assign(from: head)
        attempt { codec, state, link throws(Fault) in
            unsafe try codec.requestHead(&memory.pointee, last: last, stream, &state, &link)
        }
    }

    /// Sends a piece of the request's body.
    public func requestBody(_ text: String, last: Bool = false) {
        requestBody(bytes: Array(text.utf8), last: last)
    }

    /// Sends a piece of the request's body.
    public func requestBody(bytes: [UInt8], last: Bool = false) {
        var chunk = connection.pages.chunk(copying: bytes)
        attempt { codec, state, link throws(Fault) in
            try codec.requestBody(&chunk, last: last, stream, &state, &link)
        }
    }

    /// Sends trailers, which end the request.
    public func requestTrailers(_ fields: KeyValuePairs<String, String>) {
        requestTrailers(fields.map { ($0.key, $0.value) })
    }

    /// Sends trailers, which end the request.
    public func requestTrailers(_ fields: [(name: String, value: String)]) {
        let trailers = unsafe connection.trailers(stream, isRequest: true)
        unsafe trailers.pointee.fill(fields)
        attempt { codec, state, link throws(Fault) in
            unsafe try codec.requestTrailers(&trailers.pointee, stream, &state, &link)
        }
    }

    /// Sends trailers that came from elsewhere, which end the request.
    package func requestTrailers(copying other: borrowing Headers) {
        let trailers = unsafe connection.trailers(stream, isRequest: true)
        unsafe trailers.pointee.copy(from: other)
        attempt { codec, state, link throws(Fault) in
            unsafe try codec.requestTrailers(&trailers.pointee, stream, &state, &link)
        }
    }

    /// The stream is given up.
    public func reset() {
        attempt { codec, state, link throws(Fault) in codec.reset(stream, &state, &link) }
        isWaiting = false
    }

    /// What was written since it was last taken, as text.
    public func takeOutput() -> String { String(decoding: connection.takeOutput(), as: UTF8.self) }

    // MARK: From the upstream

    /// Bytes arrive, in one piece.
    public func receive(_ bytes: [UInt8]) {
        let chunk = connection.pages.chunk(copying: bytes)
        if input.isEmpty && more.isEmpty { input = chunk } else { more.append(chunk) }
        decode()
    }

    /// Bytes arrive, in one piece.
    public func receive(_ text: String) { receive(Array(text.utf8)) }

    /// The upstream ends its direction.
    public func end() {
        inputEnded = true
        decode()
    }

    private func decode() {
        while !isOver, isWaiting {
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
    private func handle(_ event: consuming ClientEvent) -> Bool {
        switch consume event {
        case .needMore: return !more.isEmpty
        case .interimDropped: transcript.note("interim dropped")
        case .interimHead(let stream):
            let head = unsafe connection.responseHead(stream)
            unsafe transcript.head(head.pointee, last: false, isInterim: true)
            unsafe head.pointee.reset()
        case .responseHead(let stream, let last):
            unsafe transcript.head(connection.responseHead(stream).pointee, last: last)
            response = unsafe RecordedResponse(connection.responseHead(stream).pointee, isComplete: last)
            if last { isWaiting = false }
        case .responseBody(_, let chunk, let last):
            transcript.body(chunk.copied(), last: last)
            response?.body += chunk.copied()
            response?.isComplete = last
            if last { isWaiting = false }
        case .responseTrailers(let stream):
            let trailers = unsafe connection.trailers(stream, isRequest: false)
            unsafe transcript.trailers(trailers.pointee)
            response?.trailers = unsafe RecordedField.all(trailers.pointee)
            response?.isComplete = true
            isWaiting = false
        case .reset(_, let fault):
            transcript.fault(fault, "reset")
            isOver = true
        case .close:
            transcript.note("close")
            isOver = true
        }
        return !isOver
    }

    private func attempt(_ body: (C, inout C.ConnectionState, inout CodecLink) throws(Fault) -> Void) {
        guard var present = state.take() else { return }
        do throws(Fault) {
            unsafe try body(codec, &present, &connection.link.pointee)
        } catch {
            transcript.fault(error)
            isOver = true
        }
        state = present
    }
}
