/// Turns streams of HTTP into bytes for an upstream, and its bytes into answers.
///
/// The counterpart of ``ServerCodec``, with the same rules: no I/O, never re-entered, one event at a time.
public protocol ClientCodec: Filter {
    /// What the codec keeps per connection.
    associatedtype ConnectionState
    /// What the codec keeps per stream.
    associatedtype StreamState = Void

    /// Begins a connection.
    func connect(_ link: inout CodecLink) throws(Fault) -> ConnectionState

    /// How many more streams the connection can take now; 0 where it is busy, or is not to be used again.
    func freeStreams(_ state: inout ConnectionState) -> Int

    /// Whether the connection may be kept for later streams; false once either side has announced its end.
    func isReusable(_ state: inout ConnectionState) -> Bool

    /// Writes a request's head; `last` where no body follows.
    func requestHead(
        _ head: inout RequestHead, last: Bool, _ stream: StreamHandle, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault)

    /// Writes a piece of the request's body.
    func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ stream: StreamHandle, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault)

    /// Writes the trailers and ends the request.
    func requestTrailers(
        _ trailers: inout Headers, _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault)

    /// Reads on and says what comes next; see ``ServerCodec/decode(_:ended:_:_:)``.
    func decode(
        _ input: inout ByteChunk, ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ClientEvent

    /// The stream is given up; what was sent of it must not look complete.
    func reset(_ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink)

    /// Both directions of the stream are done, or it was given up by the upstream. By default nothing happens.
    func streamClosed(_ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink)

    /// The time asked for by ``CodecLink/arm(after:)`` has come. By default nothing happens.
    ///
    /// - Throws: a fault ends the connection.
    func timerFired(_ state: inout ConnectionState, _ link: inout CodecLink) throws(Fault)

    /// Bytes of a body have left the chain: as much more may be asked for of the stream. For codecs whose connections
    /// carry many streams; by default nothing happens.
    func consumed(
        _ count: Int, _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink)

    /// Writes what waits inside the codec, as far as there is room for it; the host asks before it writes to the socket.
    /// By default nothing waits there.
    ///
    /// - Parameters:
    ///   - room: how many bytes of bodies may be written now. What the protocol itself needs may be written beside them.
    ///   - state: the connection's.
    ///   - link: the codec's hold on the connection.
    func flush(_ room: Int, _ state: inout ConnectionState, _ link: inout CodecLink)

    /// What the codec can speak, in the words of ALPN (RFC 7301), the preferred first; what `tls` below it offers unless its
    /// settings say something else. By default nothing, which upstreams take for HTTP/1.
    static func applicationProtocols(_ settings: Settings) -> [String]

    // For the host; see EventFilter.
    func _connect(_ slot: UnsafeMutableRawPointer, _ link: inout CodecLink) throws(Fault)
    func _freeStreams(_ slot: UnsafeMutableRawPointer) -> Int
    func _isReusable(_ slot: UnsafeMutableRawPointer) -> Bool
    func _requestHead(
        _ slot: UnsafeMutableRawPointer, _ head: inout RequestHead, _ last: Bool, _ stream: StreamHandle,
        _ link: inout CodecLink
    ) throws(Fault)
    func _requestBody(
        _ slot: UnsafeMutableRawPointer, _ chunk: inout ByteChunk, _ last: Bool, _ stream: StreamHandle,
        _ link: inout CodecLink
    ) throws(Fault)
    func _requestTrailers(
        _ slot: UnsafeMutableRawPointer, _ trailers: inout Headers, _ stream: StreamHandle, _ link: inout CodecLink
    ) throws(Fault)
    func _decode(
        _ slot: UnsafeMutableRawPointer, _ input: inout ByteChunk, _ ended: Bool, _ link: inout CodecLink
    ) throws(Fault) -> ClientEvent
    func _reset(_ slot: UnsafeMutableRawPointer, _ stream: StreamHandle, _ link: inout CodecLink)
    func _streamClosed(_ slot: UnsafeMutableRawPointer, _ stream: StreamHandle, _ link: inout CodecLink)
    func _timerFired(_ slot: UnsafeMutableRawPointer, _ link: inout CodecLink) throws(Fault)
    func _consumed(_ slot: UnsafeMutableRawPointer, _ count: Int, _ stream: StreamHandle, _ link: inout CodecLink)
    func _flush(_ slot: UnsafeMutableRawPointer, _ room: Int, _ link: inout CodecLink)
    func _end(_ slot: UnsafeMutableRawPointer)
    static var _stateLayout: _SlotLayout { get }
    static var _streamStateLayout: _SlotLayout { get }
}

/// What a client codec read.
public enum ClientEvent: ~Copyable {
    /// Nothing complete yet: more bytes are needed.
    case needMore
    /// A head with status 1xx; it is where ``CodecLink/withResponseHead(_:_:)`` shows it.
    case interimHead(StreamHandle)
    /// A head with status 1xx that nobody asked for was read and dropped; read on.
    case interimDropped
    /// The response's head; it is where ``CodecLink/withResponseHead(_:_:)`` shows it.
    case responseHead(StreamHandle, last: Bool)
    /// A piece of the response's body.
    case responseBody(StreamHandle, ByteChunk, last: Bool)
    /// The response ended with trailers, which are where ``CodecLink/withResponseTrailers(_:_:)`` shows them.
    case responseTrailers(StreamHandle)
    /// The upstream gave the stream up.
    case reset(StreamHandle, Fault)
    /// The connection is to be closed.
    case close
}

// SAFETY (all of these): as in ServerCodec.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension ClientCodec {
    @inlinable
    public func _connect(_ slot: UnsafeMutableRawPointer, _ link: inout CodecLink) throws(Fault) {
        let state = try connect(&link)
        unsafe slot.initializeMemory(as: ConnectionState.self, to: state)
    }

    @inlinable
    public func _freeStreams(_ slot: UnsafeMutableRawPointer) -> Int {
        unsafe freeStreams(&slot.assumingMemoryBound(to: ConnectionState.self).pointee)
    }

    @inlinable
    public func _isReusable(_ slot: UnsafeMutableRawPointer) -> Bool {
        unsafe isReusable(&slot.assumingMemoryBound(to: ConnectionState.self).pointee)
    }

    @inlinable
    public func _requestHead(
        _ slot: UnsafeMutableRawPointer, _ head: inout RequestHead, _ last: Bool, _ stream: StreamHandle,
        _ link: inout CodecLink
    ) throws(Fault) {
        unsafe try requestHead(
            &head, last: last, stream, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _requestBody(
        _ slot: UnsafeMutableRawPointer, _ chunk: inout ByteChunk, _ last: Bool, _ stream: StreamHandle,
        _ link: inout CodecLink
    ) throws(Fault) {
        unsafe try requestBody(
            &chunk, last: last, stream, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _requestTrailers(
        _ slot: UnsafeMutableRawPointer, _ trailers: inout Headers, _ stream: StreamHandle, _ link: inout CodecLink
    ) throws(Fault) {
        unsafe try requestTrailers(
            &trailers, stream, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _decode(
        _ slot: UnsafeMutableRawPointer, _ input: inout ByteChunk, _ ended: Bool, _ link: inout CodecLink
    ) throws(Fault) -> ClientEvent {
        unsafe try decode(&input, ended: ended, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _reset(_ slot: UnsafeMutableRawPointer, _ stream: StreamHandle, _ link: inout CodecLink) {
        unsafe reset(stream, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _streamClosed(_ slot: UnsafeMutableRawPointer, _ stream: StreamHandle, _ link: inout CodecLink) {
        unsafe streamClosed(stream, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _timerFired(_ slot: UnsafeMutableRawPointer, _ link: inout CodecLink) throws(Fault) {
        unsafe try timerFired(&slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    public func streamClosed(_ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink) {}

    public func timerFired(_ state: inout ConnectionState, _ link: inout CodecLink) throws(Fault) {}

    @inlinable
    public func _consumed(
        _ slot: UnsafeMutableRawPointer, _ count: Int, _ stream: StreamHandle, _ link: inout CodecLink
    ) {
        unsafe consumed(count, stream, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _flush(_ slot: UnsafeMutableRawPointer, _ room: Int, _ link: inout CodecLink) {
        unsafe flush(room, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _end(_ slot: UnsafeMutableRawPointer) {
        unsafe slot.assumingMemoryBound(to: ConnectionState.self).deinitialize(count: 1)
    }

    public func consumed(
        _ count: Int, _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink
    ) {}

    public func flush(_ room: Int, _ state: inout ConnectionState, _ link: inout CodecLink) {}

    public static func applicationProtocols(_ settings: Settings) -> [String] { [] }

    @inlinable public static var _stateLayout: _SlotLayout { _SlotLayout(ConnectionState.self) }
    @inlinable public static var _streamStateLayout: _SlotLayout { _SlotLayout(StreamState.self) }
}
