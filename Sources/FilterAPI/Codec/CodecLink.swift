/// A codec's hold on its connection: where it writes, and how it reaches the streams' heads.
///
/// SAFETY: the host object and the output outlive every call in which this value is handed to a codec.
@safe
public struct CodecLink: ~Copyable {
    package unowned(unsafe) let host: any CodecHost
    private let outputMemory: UnsafeMutablePointer<ByteOutput>
    @usableFromInline var last = unsafe StreamMemory.none
    /// The host looks here after each call: the codec wants the connection closed when everything is written.
    package var wantsClose = false
    /// The connection is then to look broken to the peer, as nothing else tells that what it got is not all.
    package var wantsReset = false
    /// What the codec has said that it speaks; looked at after each call. Nil while it cannot know.
    package var version: HTTPVersion? = .http11

    package init(host: any CodecHost, output: UnsafeMutablePointer<ByteOutput>) {
        unsafe self.host = host
        unsafe outputMemory = output
    }

    /// Bytes to the peer.
    public var output: ByteOutput {
        _read { yield unsafe outputMemory.pointee }
        nonmutating _modify { yield unsafe &outputMemory.pointee }
    }

    /// What is known of the client's connection; of no use to a client codec.
    public var connection: ConnectionFacts { unsafe host.connectionFacts }

    /// The time of this turn of the loop.
    public var now: Instant { unsafe host.now }

    /// Seconds since 1970 as an HTTP date (RFC 9110 section 5.6.7), made once per second.
    public func withDate(_ body: (RawSpan) -> Void) { unsafe host.withDate(body) }

    /// Begins a stream; for server codecs, at the first byte of a request.
    ///
    /// - Throws: where the worker may hold no more of them.
    public func openStream() throws(Fault) -> StreamHandle { unsafe try host.openStream() }

    /// The head of a stream's request: to fill by a server codec, to write by a client codec.
    @inlinable
    public mutating func withRequestHead<R, E: Error>(
        _ stream: StreamHandle, _ body: (inout RequestHead) throws(E) -> R
    ) throws(E) -> R {
        unsafe try body(&requestHead(stream).pointee)
    }

    /// The head of a stream's response: to fill by a client codec.
    @inlinable
    public mutating func withResponseHead<R, E: Error>(
        _ stream: StreamHandle, _ body: (inout ResponseHead) throws(E) -> R
    ) throws(E) -> R {
        unsafe try body(&responseHead(stream).pointee)
    }

    /// The trailers of a stream's request, to fill by a server codec.
    @inlinable
    public func withRequestTrailers<R, E: Error>(
        _ stream: StreamHandle, _ body: (inout Headers) throws(E) -> R
    ) throws(E) -> R {
        unsafe try body(&trailers(stream, true).pointee)
    }

    /// The trailers of a stream's response, to fill by a client codec.
    @inlinable
    public func withResponseTrailers<R, E: Error>(
        _ stream: StreamHandle, _ body: (inout Headers) throws(E) -> R
    ) throws(E) -> R {
        unsafe try body(&trailers(stream, false).pointee)
    }

    /// What is known of a stream.
    @inlinable
    public mutating func withFacts(_ stream: StreamHandle, _ body: (inout StreamFacts) -> Void) {
        unsafe body(&facts(stream).pointee)
    }

    /// The codec's own state of a stream.
    ///
    /// The memory is zero when the stream begins, and is of the type that the codec named as its `StreamState`.
    @inlinable
    public mutating func withStreamState<S: BitwiseCopyable, R>(
        _ stream: StreamHandle, as type: S.Type, _ body: (inout S) -> R
    ) -> R {
        unsafe body(&streamState(stream).assumingMemoryBound(to: type).pointee)
    }

    @inlinable
    mutating func requestHead(_ stream: StreamHandle) -> UnsafeMutablePointer<RequestHead> {
        unsafe memory(of: stream).requestHead
    }

    @inlinable
    mutating func responseHead(_ stream: StreamHandle) -> UnsafeMutablePointer<ResponseHead> {
        unsafe memory(of: stream).responseHead
    }

    /// Where a stream's values are. A codec mostly asks for the stream that it asked for last.
    @inlinable
    @inline(__always)
    mutating func memory(of stream: StreamHandle) -> StreamMemory {
        if unsafe last.handle != stream { unsafe last = find(stream) }
        return unsafe last
    }

    @usableFromInline
    func find(_ stream: StreamHandle) -> StreamMemory { unsafe host.memory(of: stream) }

    @usableFromInline
    package func trailers(_ stream: StreamHandle, _ isRequest: Bool) -> UnsafeMutablePointer<Headers> {
        unsafe host.trailers(stream, isRequest: isRequest)
    }

    @inlinable
    mutating func facts(_ stream: StreamHandle) -> UnsafeMutablePointer<StreamFacts> {
        unsafe memory(of: stream).facts
    }

    @inlinable
    mutating func streamState(_ stream: StreamHandle) -> UnsafeMutableRawPointer { unsafe memory(of: stream).state }

    /// Asks for ``ServerCodec/timerFired(_:_:)`` after some time; asked again, the new time holds.
    public func arm(after delay: Duration) { unsafe host.armCodecTimer(after: delay) }

    /// Takes back what ``arm(after:)`` asked for.
    public func disarm() { unsafe host.disarmCodecTimer() }

    /// Says which version of HTTP the connection carries; for codecs that speak HTTP/2, as soon as they know.
    ///
    /// With ``HTTPVersion/http2`` many streams share the connection: the host then holds back single streams, by
    /// ``ServerCodec/consumed(_:_:_:_:)`` and ``setFull(_:_:)``, and never the connection. With nil nobody knows yet. A codec
    /// that never says anything speaks HTTP/1.
    public mutating func speaks(_ version: HTTPVersion?) { self.version = version }

    /// Says whether what waits of a stream inside the codec is so much that its source is to stop, or no longer is; for
    /// codecs whose connections carry many streams.
    public func setFull(_ stream: StreamHandle, _ isFull: Bool) { unsafe host.setFull(stream, isFull) }

    /// Closes the connection when everything is written.
    public mutating func closeAfterOutput() { wantsClose = true }

    /// Resets the connection when everything is written: for messages whose end is the connection's end, and that
    /// cannot be completed.
    public mutating func resetAfterOutput() {
        wantsClose = true
        wantsReset = true
    }

    /// A chunk that `body` fills from its start; it returns how many bytes it wrote.
    public func makeChunk(capacity: Int, _ body: (UnsafeMutableRawPointer) -> Int) -> ByteChunk {
        unsafe host.pages.chunk(capacity: capacity, body)
    }
}

/// What the host does for ``CodecLink``. The test kit has a second one.
package protocol CodecHost: AnyObject {
    var connectionFacts: ConnectionFacts { get }
    var now: Instant { get }
    var pages: PagePool { get }
    func withDate(_ body: (RawSpan) -> Void)
    func openStream() throws(Fault) -> StreamHandle
    func memory(of stream: StreamHandle) -> StreamMemory
    func trailers(_ stream: StreamHandle, isRequest: Bool) -> UnsafeMutablePointer<Headers>
    func armCodecTimer(after delay: Duration)
    func disarmCodecTimer()
    func setFull(_ stream: StreamHandle, _ isFull: Bool)
}
