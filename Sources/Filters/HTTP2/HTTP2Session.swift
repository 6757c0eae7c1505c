internal import CNGHTTP2
internal import FilterAPI

/// One side of one HTTP/2 connection (RFC 9113): libnghttp2 keeps the protocol's state, this the bytes and the order.
///
/// No I/O: ``read(_:_:)`` takes bytes and queues events, ``write(_:_:)`` fills the connection's output. libnghttp2 calls
/// back only inside these two; what it says is noted, and told by ``next(_:)`` when it has returned.
///
/// Bodies are not copied: what comes is a slice of what was read, what goes is appended to the output as it is.
///
/// SAFETY: libnghttp2's session is owned, and freed with this object. `link` and `input` point at what the caller of
/// ``read(_:_:)`` and ``write(_:_:)`` holds, and are used only until these return. Streams live as long as `streams`.
@safe
final class HTTP2Session {
    enum Role { case server, client }

    let role: Role
    let raw: OpaquePointer
    let streams: HTTP2Streams
    let limits: HeadLimits
    let settings: HTTP2Settings
    private let scratch: HTTP2Scratch

    // Only inside `read` and `write`.
    var link: UnsafeMutablePointer<CodecLink>
    var input: UnsafeMutablePointer<ByteChunk>
    private var room = 0

    private var events: [HTTP2Event] = []
    private var nextEvent = 0
    /// The bytes of the events, in order.
    var bodies = ChunkQueue()
    /// Whether some stream's body has not come whole.
    var hasBodies: Bool { open.contains { $0.flags.isDisjoint(with: [.peerEnded, .wireDone]) } }
    private var splitter: HTTP2FrameSplitter
    /// Streams that the peer has begun.
    var numbers = HTTP2Numbers()
    /// A stream that has begun after the last GOAWAY; 0 for none.
    var tooLate: Int32 = 0
    /// Streams that libnghttp2 or the host is not done with.
    private(set) var open: [HTTP2Stream] = []
    /// The stream whose fields are being read.
    unowned(unsafe) var reading: HTTP2Stream?
    /// Since when they are.
    var readingSince = Instant.none
    var budget = HTTP2Budget()
    /// The last GOAWAY has been handed over.
    private(set) var isEnding = false
    /// The connection is to end for this.
    var fatal: Fault?
    /// The peer has said that it takes no more streams, or we have.
    var isGoingAway = false
    /// Our SETTINGS have been written.
    private var hasGreeted = false
    /// Streams that have begun, all in all.
    private(set) var begunCount = 0
    /// Streams that are not over for libnghttp2.
    var liveCount = 0
    /// Requests have been handed to libnghttp2 since the last write.
    private var hasUnsentRequests = false
    /// The peer has said what it takes.
    var hasHeardSettings = false
    /// The peer has closed its side of the connection.
    private var hasEnded = false
    /// When the last stream ended, or the connection began.
    var idleSince = Instant.none
    var lastHeard = Instant.none
    var pingSent = Instant.none

    /// How much of a stream's body waits here before its source stops, and when it goes on.
    static let fullAt = 64 << 10
    static let emptyAt = 16 << 10
    /// Places in lists that an idle connection keeps, so that the usual few streams at once allocate nothing.
    static let kept = 32
    /// Chunks up to this size are copied: a place in the list of what is written costs as much.
    static let copied = 256

    init(
        _ role: Role, streams: HTTP2Streams, scratch: HTTP2Scratch, limits: HeadLimits, settings: HTTP2Settings,
        _ link: inout CodecLink
    ) throws(Fault) {
        self.role = role
        self.streams = streams
        self.scratch = scratch
        self.limits = limits
        self.settings = settings
        splitter = HTTP2FrameSplitter(preface: role == .server ? Int(NGHTTP2_CLIENT_MAGIC_LEN) : 0)
        let nowhere = unsafe UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped
        unsafe self.link = nowhere.assumingMemoryBound(to: CodecLink.self)
        unsafe input = nowhere.assumingMemoryBound(to: ByteChunk.self)
        guard let raw = unsafe HTTP2Callbacks.makeSession(role, streams.memory) else {
            throw Fault(.overloaded, "http2.out_of_memory")
        }
        unsafe self.raw = raw
        unsafe nghttp2_session_set_user_data(raw, Unmanaged.passUnretained(self).toOpaque())
        idleSince = link.now
        lastHeard = link.now
        greet()
    }

    deinit {
        unsafe nghttp2_session_set_user_data(raw, nil)
        unsafe nghttp2_session_del(raw)
        for stream in open { streams.put(stream) }
    }

    private func greet() {
        var entries: [nghttp2_settings_entry] = []
        func say(_ id: nghttp2_settings_id, _ value: Int) {
            entries.append(nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(value)))
        }
        if role == .server {
            // Not the number that the client is told: see `writeFrame`.
            say(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, Int(Int32.max))
            if settings.extendedConnect { say(NGHTTP2_SETTINGS_ENABLE_CONNECT_PROTOCOL, 1) }
            // Nobody uses the old tree of priorities; it costs, and has been attacked.
            say(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1)
        } else {
            say(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)
        }
        say(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.streamWindow.bytes)
        say(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.head)
        if settings.headerTable.bytes != 4096 { say(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, settings.headerTable.bytes) }
        _ = unsafe nghttp2_submit_settings(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), entries, entries.count)
        let window = Int32(settings.connectionWindow.bytes)
        _ = unsafe nghttp2_session_set_local_window_size(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), 0, window)
    }

    // MARK: Reading

    /// Reads what has come, and queues what it says: all of it, or one frame of answers, since a head with status 1xx and
    /// the final one are read into the same place.
    func read(_ chunk: inout ByteChunk, _ link: inout CodecLink) {
        guard !chunk.isEmpty, fatal == nil else { return chunk.removeFirst(chunk.count) }
        lastHeard = link.now
        // What was begun before the peer's farewell is read goes out, as a peer that takes leave in two steps expects; kept
        // back it could not be sent at all, and a body that is already here would be lost (RFC 9113 section 6.8).
        if hasUnsentRequests { send(0, &link) }
        var count = 0
        let result = with(&link) { readFrames(&chunk, &count) }
        chunk.removeFirst(fatal == nil && result >= 0 ? count : chunk.count)
        if unsafe reading == nil { readingSince = .none }
        if result < 0 { return fail(result) }
        // Only the GOAWAY that it writes tells that libnghttp2 has ended the connection: see ``frameWent(_:)``.
        send(0, &link)
    }

    /// - Returns: what libnghttp2 has said last.
    private func readFrames(_ chunk: inout ByteChunk, _ count: inout Int) -> Int {
        unsafe withUnsafeMutablePointer(to: &chunk) { pointer in
            unsafe input = pointer
            return unsafe pointer.pointee.withUnsafeBytes { bytes in
                guard let base = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return 0 }
                while count < bytes.count {
                    let step = unsafe splitter.take(bytes, from: count)
                    if let begun = step.begun {
                        let isForLibrary = frameBegins(begun)
                        if fatal != nil { return 0 }
                        if isForLibrary, step.isPieced {
                            let result = unsafe begun.bytes.span.extracting(..<begun.size).withUnsafeBufferPointer {
                                unsafe nghttp2_session_mem_recv(raw, $0.baseAddress, $0.count)
                            }
                            if result < 0 { return result }
                        }
                        if !isForLibrary {
                            count = step.end
                            continue
                        }
                    }
                    if step.end > step.start {
                        let result = unsafe nghttp2_session_mem_recv(raw, base + step.start, step.end - step.start)
                        if result < 0 { return result }
                    }
                    refuseLate()
                    count = step.end
                    if role == .client, splitter.isBetweenFrames || fatal != nil { return 0 }
                }
                return 0
            }
        }
    }

    func with<R>(_ link: inout CodecLink, _ body: () -> R) -> R {
        unsafe withUnsafeMutablePointer(to: &link) { pointer in
            unsafe self.link = pointer
            return body()
        }
    }

    /// The next thing that was read.
    func next() -> HTTP2Event? {
        guard nextEvent < events.count else { return nil }
        let event = events[nextEvent]
        nextEvent += 1
        if nextEvent == events.count {
            events.removeAll(keepingCapacity: true)
            nextEvent = 0
        }
        return event
    }

    /// Nothing more comes from the peer: what has not come whole by now never will.
    ///
    /// - Returns: whether there is an event about it; only the first time.
    func inputEnded() -> Bool {
        guard !hasEnded else { return false }
        hasEnded = true
        for stream in open where stream.flags.isDisjoint(with: [.peerEnded, .wireDone, .hostDone]) {
            say(.reset, stream, fault: Fault(.clientGone, "client.closed"))
        }
        return nextEvent < events.count
    }

    /// The bytes of a body's event; the caller takes them, whoever still wants them.
    func takeBody(_ count: Int) -> ByteChunk { count > 0 ? bodies.popFirst() ?? ByteChunk() : ByteChunk() }

    func say(
        _ kind: HTTP2Event.Kind, _ stream: HTTP2Stream, isLast: Bool = false, count: Int = 0, fault: Fault? = nil
    ) {
        events.append(
            HTTP2Event(
                kind: kind, isLast: isLast, count: count, handle: stream.handle, stream: stream, fault: fault))
    }

    /// The end of a body has come: said with its last bytes where nobody has seen them yet.
    func sayEnd(_ stream: HTTP2Stream) {
        if let last = events.indices.last, last >= nextEvent, events[last].kind == .body,
            events[last].handle == stream.handle
        {
            events[last].isLast = true
            return
        }
        say(.body, stream, isLast: true)
    }

    // MARK: Writing

    /// Fills the connection's output.
    ///
    /// - Parameter room: how many bytes of bodies may be written.
    func write(_ room: Int, _ link: inout CodecLink) {
        let hadFailed = fatal != nil
        send(room, &link)
        if !hadFailed, fatal != nil {
            // Nobody reads now: the timer tells the host.
            link.arm(after: .zero)
        }
        // Only when the host has heard everything.
        if fatal == nil, events.isEmpty, unsafe nghttp2_session_want_read(raw) == 0,
            unsafe nghttp2_session_want_write(raw) == 0
        {
            link.closeAfterOutput()
        }
    }

    private func send(_ room: Int, _ link: inout CodecLink) {
        guard unsafe nghttp2_session_want_write(raw) != 0 else { return }
        self.room = room
        hasUnsentRequests = false
        let result = with(&link) { unsafe nghttp2_session_send(raw) }
        if result != 0 { fail(Int(result)) }
    }

    /// Writes a frame without bytes of a body.
    ///
    /// In a server's first, its SETTINGS, stands how many streams it takes. libnghttp2 would end the connection of a client
    /// that begins more; what such a client is due is that these are refused (RFC 9113 section 5.1.2), which is done here. So
    /// libnghttp2 is told of no limit, and the client is told the real one.
    func writeFrame(_ frame: UnsafeRawBufferPointer) {
        guard role == .server, !hasGreeted else {
            return unsafe link.pointee.output.append(RawSpan(_unsafeBytes: frame))
        }
        hasGreeted = true
        var bytes = unsafe Array(frame)
        for entry in stride(from: 9, to: bytes.count - 5, by: 6)
        where bytes[entry] == 0 && bytes[entry + 1] == UInt8(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue) {
            for index in 0..<4 {
                bytes[entry + 2 + index] = UInt8(truncatingIfNeeded: settings.maxConcurrentStreams >> (24 - 8 * index))
            }
        }
        unsafe link.pointee.output.append(bytes.span.bytes)
    }

    /// Writes a frame of DATA: its header, then bytes of the body.
    ///
    /// - Returns: whether there was room.
    func writeData(_ header: UnsafeRawBufferPointer, _ count: Int, _ stream: HTTP2Stream) -> Bool {
        guard room > 0 else { return false }
        room -= count
        budget.sentData()
        stream.lastMoved = unsafe link.pointee.now
        unsafe link.pointee.output.append(RawSpan(_unsafeBytes: header))
        var left = count
        while left > 0, let chunk = stream.outgoing.popFirst(upTo: left) {
            left -= chunk.count
            put(chunk)
        }
        if stream.flags.contains(.full), stream.outgoing.byteCount <= Self.emptyAt {
            stream.flags.remove(.full)
            unsafe link.pointee.setFull(stream.handle, false)
        }
        return true
    }

    private func put(_ chunk: consuming ByteChunk) {
        if chunk.count <= Self.copied {
            unsafe link.pointee.output.append(chunk.bytes)
        } else {
            unsafe link.pointee.output.append(chunk)
        }
    }

    // MARK: Streams

    func add(_ stream: HTTP2Stream, id: Int32, handle: StreamHandle, _ now: Instant) {
        stream.id = id
        stream.handle = handle
        stream.place = open.count
        liveCount += 1
        stream.began = now
        stream.lastMoved = now
        begunCount += 1
        open.append(stream)
        budget.began()
    }

    /// Nobody needs the stream any more.
    func drop(_ stream: HTTP2Stream) {
        if !stream.flags.contains(.wireDone) { liveCount -= 1 }
        let last = open.removeLast()
        if last !== stream {
            open[stream.place] = last
            last.place = stream.place
        }
        streams.put(stream)
        if open.isEmpty { shrink() }
    }

    /// Gives back what a crowd of streams has needed: an idle connection holds little.
    private func shrink() {
        guard events.isEmpty else { return }
        if events.capacity > Self.kept { events = [] }
        if open.capacity > Self.kept { open = [] }
    }

    /// How many streams the peer, or we, have open.
    var activeCount: Int { open.count }

    /// The host is done with a stream.
    func closed(_ stream: HTTP2Stream, _ now: Instant) {
        stream.flags.insert(.hostDone)
        if open.count == 1 { idleSince = now }
        // libnghttp2 knows nothing of one without a number.
        if stream.flags.contains(.wireDone) || stream.id == 0 { return drop(stream) }
        if stream.flags.contains(.reset) || stream.flags.contains(.peerEnded) && (role == .server || stream.isComplete)
        {
            return
        }
        // What the peer still sends of it is of no use (RFC 9113 section 8.1).
        if role == .client {
            reset(stream, NGHTTP2_CANCEL)
        } else if stream.flags.contains(.endSent) {
            reset(stream, NGHTTP2_NO_ERROR)
        }
    }

    /// libnghttp2 is done with a stream.
    func wireClosed(_ stream: HTTP2Stream, _ code: UInt32) {
        if unsafe reading === stream { unsafe reading = nil }
        stream.flags.insert(.wireDone)
        liveCount -= 1
        if stream.flags.isDisjoint(with: [.peerEnded, .peerReset]) { numbers.cut(stream.id) }
        // What was answered only to be refused has earned nothing.
        if stream.isComplete, code == 0, stream.fault == nil { budget.completed() }
        stream.outgoing.removeAll()
        if stream.flags.contains(.hostDone) { return drop(stream) }
        guard !stream.isComplete || code != 0 else { return }
        let isTheirs = stream.flags.contains(.peerReset) || !HTTP2Fault.isBlame(code)
        say(.reset, stream, fault: isTheirs ? HTTP2Fault.ofReset(code, role) : HTTP2Fault.ofStream(code: code, role))
    }

    /// Gives a stream up.
    func reset(_ stream: HTTP2Stream, _ code: nghttp2_error_code) {
        guard stream.flags.isDisjoint(with: [.reset, .wireDone]), stream.id != 0 else { return }
        stream.flags.insert(.reset)
        _ = unsafe nghttp2_submit_rst_stream(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, UInt32(code.rawValue))
    }

    // MARK: Credit

    /// Bytes have left the chain.
    func consumed(_ count: Int, _ stream: HTTP2Stream) {
        stream.held -= count
        guard !stream.flags.contains(.wireDone) else { return }
        _ = unsafe nghttp2_session_consume_stream(raw, stream.id, count)
    }

    // MARK: Ending

    /// The connection cannot go on.
    func fail(_ error: Int) {
        guard fatal == nil else { return }
        fatal = HTTP2Fault.ofConnection(error, role)
        _ = unsafe nghttp2_session_terminate_session(raw, HTTP2Fault.code(of: error))
    }

    /// The peer causes more work than it is worth.
    func calm(_ reason: StaticString) {
        guard fatal == nil else { return }
        fatal = Fault(role == .server ? .badRequest : .upstreamProtocol, reason)
        _ = unsafe nghttp2_session_terminate_session(raw, UInt32(NGHTTP2_ENHANCE_YOUR_CALM.rawValue))
    }

    /// Says that no more streams are taken; those that are on their way still are.
    func announceEnd() {
        guard !isGoingAway else { return }
        isGoingAway = true
        _ = unsafe nghttp2_submit_shutdown_notice(raw)
    }

    /// Takes no more streams.
    func refuseMore() {
        isGoingAway = true
        isEnding = true
        let last = unsafe nghttp2_session_get_last_proc_stream_id(raw)
        _ = unsafe nghttp2_submit_goaway(
            raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, UInt32(NGHTTP2_NO_ERROR.rawValue), nil, 0)
    }

    func ping(_ now: Instant) {
        pingSent = now
        _ = unsafe nghttp2_submit_ping(raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), nil)
    }

    // MARK: What goes out

    /// Sends the head of a response.
    ///
    /// - Parameters:
    ///   - head: status and fields.
    ///   - stream: the stream.
    ///   - last: whether no body follows.
    ///   - isInterim: a status 1xx.
    ///   - without: what is not said.
    ///   - extra: how many bytes of it are made for this.
    ///   - more: adds what the codec says itself.
    func send(
        _ head: borrowing ResponseHead, _ stream: HTTP2Stream, last: Bool, isInterim: Bool = false,
        without: HTTP2Fields.Without, extra: Int = 0, _ more: (HTTP2Scratch, HTTP2Fields.Seen) -> Void
    ) throws(Fault) {
        scratch.begin(head.headers.wireSize + 16 + extra)
        scratch.addStatus(head.status.code)
        let seen = HTTP2Fields.add(head.headers, to: scratch, without: without)
        more(scratch, seen)
        guard isInterim else { return try submit(stream, last: last) }
        let (fields, count) = unsafe scratch.fields
        let result = unsafe nghttp2_submit_headers(
            raw, UInt8(NGHTTP2_FLAG_NONE.rawValue), stream.id, nil, fields, count, nil)
        guard result == 0 else { throw HTTP2Fault.ofSending(Int(result), role) }
    }

    /// Sends the head of a request: a stream begins.
    func send(
        _ head: borrowing RequestHead, _ stream: HTTP2Stream, last: Bool, without: HTTP2Fields.Without,
        _ first: (HTTP2Scratch) -> Void
    ) throws(Fault) {
        scratch.begin(head.headers.wireSize + 16)
        first(scratch)
        HTTP2Fields.add(head.headers, to: scratch, without: without)
        try submit(stream, last: last)
    }

    private func submit(_ stream: HTTP2Stream, last: Bool) throws(Fault) {
        let (fields, count) = unsafe scratch.fields
        var source = unsafe HTTP2Callbacks.source(of: stream)
        let result = unsafe withUnsafePointer(to: &source) { source in
            unsafe submit(stream, fields, count, last ? nil : source)
        }
        guard result == 0 else { throw HTTP2Fault.ofSending(Int(result), role) }
        if last { stream.flags.insert(.ended) }
    }

    private func submit(
        _ stream: HTTP2Stream, _ fields: UnsafePointer<nghttp2_nv>, _ count: Int,
        _ body: UnsafePointer<nghttp2_data_provider>?
    ) -> Int32 {
        if role == .server { return unsafe nghttp2_submit_response(raw, stream.id, fields, count, body) }
        let user = unsafe Unmanaged.passUnretained(stream).toOpaque()
        let id = unsafe nghttp2_submit_request(raw, nil, fields, count, body, user)
        if id > 0 { stream.id = id }
        hasUnsentRequests = true
        return min(id, 0)
    }

    /// Hands over a piece of a body.
    func send(_ chunk: inout ByteChunk, last: Bool, _ stream: HTTP2Stream, _ link: borrowing CodecLink) throws(Fault) {
        guard !stream.flags.contains(.wireDone) else { return }
        if stream.owed >= 0 {
            guard chunk.count <= stream.owed, !last || chunk.count == stream.owed else {
                throw Fault(.filterFailed, "http2.body_length_mismatch")
            }
            stream.owed -= chunk.count
        }
        stream.outgoing.append(chunk.take())
        if last { stream.flags.insert(.ended) }
        wake(stream)
        if !stream.flags.contains(.full), stream.outgoing.byteCount >= Self.fullAt, !last {
            stream.flags.insert(.full)
            link.setFull(stream.handle, true)
        }
    }

    /// Hands over trailers, which end the body.
    func sendTrailers(_ trailers: borrowing Headers, _ stream: HTTP2Stream) throws(Fault) {
        if stream.owed > 0 { throw Fault(.filterFailed, "http2.body_length_mismatch") }
        stream.keep(trailers)
        wake(stream)
    }

    private func wake(_ stream: HTTP2Stream) {
        guard stream.flags.contains(.deferred) else { return }
        stream.flags.remove(.deferred)
        _ = unsafe nghttp2_session_resume_data(raw, stream.id)
    }

    /// Queues the trailers of a stream whose last bytes are in the frame that is being made.
    func submitTrailers(_ stream: HTTP2Stream) {
        guard let trailers = stream.trailers else { return }
        scratch.begin(trailers.fields.wireSize)
        HTTP2Fields.addTrailers(trailers.fields, to: scratch)
        let (fields, count) = unsafe scratch.fields
        _ = unsafe nghttp2_submit_trailer(raw, stream.id, fields, count)
    }
}
