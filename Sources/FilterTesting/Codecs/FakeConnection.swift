public import FilterAPI

/// A connection without a socket, as codecs see it: streams, output, a timer, a clock and a date.
///
/// ``ServerBench`` and ``ClientBench`` drive a codec on one.
///
/// SAFETY: `output` and `link` are allocated with the object and freed before the pool that their pages return to.
@safe
public final class FakeConnection {
    /// The clock; ``ServerBench/advance(by:)`` moves it.
    public let clock = ManualClock()
    /// What the codec is told of the client.
    public let facts = ConnectionFacts()
    /// What `date` fields say.
    public var date = "Mon, 23 Nov 2026 08:00:00 GMT"
    /// How many streams may run at once; above, opening one is refused.
    public var streamLimit = Int.max
    /// When the codec's timer is due; nil where it is not armed.
    public private(set) var timerDue: Instant?

    package let pages = PagePool()
    private var streams: [FakeCodecStream] = []
    private var free: [Int] = []
    private let output: UnsafeMutablePointer<ByteOutput>
    package let link: UnsafeMutablePointer<CodecLink>

    /// A connection from 192.0.2.7 in clear text.
    public init() {
        unsafe output = .allocate(capacity: 1)
        unsafe link = .allocate(capacity: 1)
        unsafe output.initialize(to: ByteOutput(pool: pages))
        unsafe link.initialize(to: CodecLink(host: self, output: output))
        comesFrom("192.0.2.7")
    }

    deinit {
        unsafe link.deinitialize(count: 1).deallocate()
        unsafe output.deinitialize(count: 1).deallocate()
    }

    /// Says who the client is, and whether TLS ended here.
    ///
    /// - Parameters:
    ///   - address: the client's; empty for a client of a Unix socket.
    ///   - isTLS: whether it did, where nothing more of it matters.
    ///   - tls: what is known of it.
    ///   - serverName: the name that the client asked for in TLS.
    public func comesFrom(
        _ address: String, isTLS: Bool = false, tls: TLSFacts? = nil, serverName: String? = nil
    ) {
        facts.remoteIP = address
        facts.remoteAddress = address.isEmpty ? "" : address + ":41000"
        facts.localAddress = "198.51.100.1:80"
        facts.listener = "test"
        facts.tls = tls ?? (isTLS ? TLSFacts() : nil)
        facts.serverName = serverName
    }

    /// The time until the codec's timer is due; nil where it is not armed.
    public var timerDelay: Duration? { timerDue.map { $0.since(clock.now) } }

    /// How many streams run.
    public var openStreams: Int { streams.count - free.count }

    /// Whether the codec has asked for the connection to be closed when everything is written.
    public var wantsClose: Bool { unsafe link.pointee.wantsClose }

    /// Takes what was written since it was last taken.
    public func takeOutput() -> [UInt8] {
        var bytes: [UInt8] = []
        while let chunk = unsafe output.pointee.queue.popFirst() { bytes += chunk.copied() }
        return bytes
    }

    /// Forgets what was written; as a host does when the socket has taken it.
    package func dropOutput() {
        unsafe output.pointee.queue.removeAll()
        pages.rewindTail()
    }

    /// The next event of the timer has been handled.
    package func clearTimer() { timerDue = nil }

    /// Begins a stream for a client codec, which opens none itself.
    package func begin() -> StreamHandle {
        if let index = free.popLast() {
            streams[index].reset()
            return StreamHandle(slot: UInt32(index), generation: streams[index].generation)
        }
        streams.append(FakeCodecStream())
        return StreamHandle(slot: UInt32(streams.count - 1), generation: 0)
    }

    /// Ends a stream; its place is used again.
    package func end(_ stream: StreamHandle) {
        let slot = Int(stream.slot)
        if streams.indices.contains(slot), !free.contains(slot) { free.append(slot) }
    }

    /// Whether a stream has not ended.
    package func isOpen(_ stream: StreamHandle) -> Bool {
        let slot = Int(stream.slot)
        return streams.indices.contains(slot) && streams[slot].generation == stream.generation && !free.contains(slot)
    }

    private func at(_ stream: StreamHandle) -> FakeCodecStream {
        precondition(streams.indices.contains(Int(stream.slot)), "the codec named a stream that never was")
        let found = streams[Int(stream.slot)]
        precondition(found.generation == stream.generation, "the codec named a stream that has ended")
        return found
    }
}

extension FakeConnection: CodecHost {
    package var connectionFacts: ConnectionFacts { facts }
    package var now: Instant { clock.now }
    package func withDate(_ body: (RawSpan) -> Void) { unsafe body(date.utf8Span.span.bytes) }

    package func openStream() throws(Fault) -> StreamHandle {
        guard openStreams < streamLimit else { throw Fault(.overloaded, "test.too_many_streams") }
        return begin()
    }

    package func requestHead(_ stream: StreamHandle) -> UnsafeMutablePointer<RequestHead> {
        unsafe at(stream).request
    }

    package func responseHead(_ stream: StreamHandle) -> UnsafeMutablePointer<ResponseHead> {
        unsafe at(stream).response
    }

    package func memory(of stream: StreamHandle) -> StreamMemory {
        let one = at(stream)
        return unsafe StreamMemory(
            handle: stream, requestHead: one.request, responseHead: one.response, facts: one.facts, state: one.state)
    }

    package func trailers(_ stream: StreamHandle, isRequest: Bool) -> UnsafeMutablePointer<Headers> {
        unsafe isRequest ? at(stream).requestTrailers : at(stream).responseTrailers
    }

    package func armCodecTimer(after delay: Duration) {
        timerDue = Instant(nanoseconds: clock.now.nanoseconds &+ delay.wholeNanoseconds)
    }

    package func disarmCodecTimer() { timerDue = nil }
    package func setFull(_ stream: StreamHandle, _ isFull: Bool) {}
}
