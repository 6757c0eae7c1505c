/// The events of a byte stream. Conform to ``ByteFilter`` or ``ByteTerminal``.
public protocol ByteEvents: EventFilter {
    /// Bytes on their way to the upstream; `last` where the sender ended its direction. May be empty then.
    func requestBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step

    /// Bytes on their way to the client; `last` where the sender ended its direction. May be empty then.
    func responseBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step

    // For the host; see EventFilter.
    static func _requestBytes(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ chunk: inout ByteChunk, _ last: Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step
    static func _responseBytes(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ chunk: inout ByteChunk, _ last: Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step
}

// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension ByteEvents {
    public func requestBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step { .next }

    public func responseBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step { .next }

    // SAFETY (both): see EventFilter.
    @inlinable
    public static func _requestBytes(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ chunk: inout ByteChunk, _ last: Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.requestBytes(
                &chunk, last: last, &slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }

    @inlinable
    public static func _responseBytes(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ chunk: inout ByteChunk, _ last: Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.responseBytes(
                &chunk, last: last, &slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }
}
