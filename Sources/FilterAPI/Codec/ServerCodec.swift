/// Turns a client's bytes into streams of HTTP, and answers back into bytes.
///
/// Two states: one for the connection (``ConnectionState``) and one for each stream on it (``StreamState``; HTTP/1
/// has one stream at a time and needs none). The codec does no I/O and is never re-entered: the host calls
/// ``decode(_:ended:_:_:)`` again and again, each time for the next thing that the bytes say, and stops calling while
/// what was said cannot go on (a filter holds, the upstream is slow). Bytes to the client are written to
/// ``CodecLink/output``.
public protocol ServerCodec: Filter {
    /// What the codec keeps per connection.
    associatedtype ConnectionState
    /// What the codec keeps per stream.
    associatedtype StreamState = Void

    /// Begins a connection.
    func accept(_ link: inout CodecLink) throws(Fault) -> ConnectionState

    /// Reads on and says what comes next.
    ///
    /// - Parameters:
    ///   - input: what was read; the codec drops what it has consumed, and takes body bytes out as slices. Bytes that
    ///     are left over are shown again, with what arrives then.
    ///   - ended: nothing follows `input`: the client has ended its direction.
    ///   - state: the connection's.
    ///   - link: the codec's hold on the connection.
    /// - Throws: a fault of the connection; the host answers it where an answer is due, and closes.
    func decode(
        _ input: inout ByteChunk, ended: Bool, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent

    /// Writes a head with status 1xx.
    func interimHead(
        _ head: inout ResponseHead, _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault)

    /// Writes the response's head; `last` where no body follows.
    func responseHead(
        _ head: inout ResponseHead, last: Bool, _ stream: StreamHandle, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault)

    /// Writes a piece of the response's body.
    func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ stream: StreamHandle, _ state: inout ConnectionState,
        _ link: inout CodecLink
    ) throws(Fault)

    /// Writes the trailers and ends the response.
    func responseTrailers(
        _ trailers: inout Headers, _ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink
    ) throws(Fault)

    /// The stream cannot be finished; what was sent of it must not look complete.
    func reset(
        _ stream: StreamHandle, _ fault: Fault, _ state: inout ConnectionState, _ link: inout CodecLink)

    /// Both directions of the stream are done, or it was reset.
    func streamClosed(_ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink)

    /// The time asked for by ``CodecLink/arm(after:)`` has come.
    ///
    /// - Throws: a fault ends the connection, answered where an answer is due.
    func timerFired(_ state: inout ConnectionState, _ link: inout CodecLink) throws(Fault) -> ServerEvent

    /// The listener drains: no new streams after those that have begun.
    func drain(_ state: inout ConnectionState, _ link: inout CodecLink)

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

    /// What the codec can speak, in the words of ALPN (RFC 7301), the preferred first; what `tls` above it agrees to unless
    /// its settings say something else. By default `http/1.1`.
    static func applicationProtocols(_ settings: Settings) -> [String]

    // For the host; see EventFilter.
    func _accept(_ slot: UnsafeMutableRawPointer, _ link: inout CodecLink) throws(Fault)
    func _decode(
        _ slot: UnsafeMutableRawPointer, _ input: inout ByteChunk, _ ended: Bool, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent
    func _interimHead(
        _ slot: UnsafeMutableRawPointer, _ head: inout ResponseHead, _ stream: StreamHandle, _ link: inout CodecLink
    ) throws(Fault)
    func _responseHead(
        _ slot: UnsafeMutableRawPointer, _ head: inout ResponseHead, _ last: Bool, _ stream: StreamHandle,
        _ link: inout CodecLink
    ) throws(Fault)
    func _responseBody(
        _ slot: UnsafeMutableRawPointer, _ chunk: inout ByteChunk, _ last: Bool, _ stream: StreamHandle,
        _ link: inout CodecLink
    ) throws(Fault)
    func _responseTrailers(
        _ slot: UnsafeMutableRawPointer, _ trailers: inout Headers, _ stream: StreamHandle, _ link: inout CodecLink
    ) throws(Fault)
    func _reset(
        _ slot: UnsafeMutableRawPointer, _ stream: StreamHandle, _ fault: Fault, _ link: inout CodecLink)
    func _streamClosed(_ slot: UnsafeMutableRawPointer, _ stream: StreamHandle, _ link: inout CodecLink)
    func _timerFired(_ slot: UnsafeMutableRawPointer, _ link: inout CodecLink) throws(Fault) -> ServerEvent
    func _drain(_ slot: UnsafeMutableRawPointer, _ link: inout CodecLink)
    func _consumed(_ slot: UnsafeMutableRawPointer, _ count: Int, _ stream: StreamHandle, _ link: inout CodecLink)
    func _flush(_ slot: UnsafeMutableRawPointer, _ room: Int, _ link: inout CodecLink)
    func _end(_ slot: UnsafeMutableRawPointer)
    static var _stateLayout: _SlotLayout { get }
    static var _streamStateLayout: _SlotLayout { get }
}

/// What a server codec read.
public enum ServerEvent: ~Copyable {
    /// Nothing complete yet: more bytes are needed, or none are wanted now.
    case needMore
    /// A request began; its head is where ``CodecLink/withRequestHead(_:_:)`` shows it.
    case requestHead(StreamHandle, last: Bool)
    /// A piece of a request's body.
    case requestBody(StreamHandle, ByteChunk, last: Bool)
    /// The request ended with trailers, which are where ``CodecLink/withRequestTrailers(_:_:)`` shows them.
    case requestTrailers(StreamHandle)
    /// The client gave the stream up.
    case reset(StreamHandle, Fault)
    /// A request that began, and that cannot be served: it is answered as the fault says, and what still comes of it is
    /// dropped. On a connection with many streams, where throwing would end all of them.
    case refused(StreamHandle, Fault)
    /// The connection is to be closed when everything is written.
    case close
}

// SAFETY (all of these): the host hands the codec its own slot, of the layout that it asked for, and calls `_accept`
// before and `_end` after everything else.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension ServerCodec {
    @inlinable
    public func _accept(_ slot: UnsafeMutableRawPointer, _ link: inout CodecLink) throws(Fault) {
        let state = try accept(&link)
        unsafe slot.initializeMemory(as: ConnectionState.self, to: state)
    }

    @inlinable
    public func _decode(
        _ slot: UnsafeMutableRawPointer, _ input: inout ByteChunk, _ ended: Bool, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent {
        unsafe try decode(&input, ended: ended, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _interimHead(
        _ slot: UnsafeMutableRawPointer, _ head: inout ResponseHead, _ stream: StreamHandle, _ link: inout CodecLink
    ) throws(Fault) {
        unsafe try interimHead(&head, stream, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _responseHead(
        _ slot: UnsafeMutableRawPointer, _ head: inout ResponseHead, _ last: Bool, _ stream: StreamHandle,
        _ link: inout CodecLink
    ) throws(Fault) {
        unsafe try responseHead(
            &head, last: last, stream, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _responseBody(
        _ slot: UnsafeMutableRawPointer, _ chunk: inout ByteChunk, _ last: Bool, _ stream: StreamHandle,
        _ link: inout CodecLink
    ) throws(Fault) {
        unsafe try responseBody(
            &chunk, last: last, stream, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _responseTrailers(
        _ slot: UnsafeMutableRawPointer, _ trailers: inout Headers, _ stream: StreamHandle, _ link: inout CodecLink
    ) throws(Fault) {
        unsafe try responseTrailers(
            &trailers, stream, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _reset(
        _ slot: UnsafeMutableRawPointer, _ stream: StreamHandle, _ fault: Fault, _ link: inout CodecLink
    ) {
        unsafe reset(stream, fault, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _streamClosed(_ slot: UnsafeMutableRawPointer, _ stream: StreamHandle, _ link: inout CodecLink) {
        unsafe streamClosed(stream, &slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _timerFired(
        _ slot: UnsafeMutableRawPointer, _ link: inout CodecLink
    ) throws(Fault) -> ServerEvent {
        unsafe try timerFired(&slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

    @inlinable
    public func _drain(_ slot: UnsafeMutableRawPointer, _ link: inout CodecLink) {
        unsafe drain(&slot.assumingMemoryBound(to: ConnectionState.self).pointee, &link)
    }

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

    public static func applicationProtocols(_ settings: Settings) -> [String] { ["http/1.1"] }

    @inlinable public static var _stateLayout: _SlotLayout { _SlotLayout(ConnectionState.self) }
    @inlinable public static var _streamStateLayout: _SlotLayout { _SlotLayout(StreamState.self) }
}
