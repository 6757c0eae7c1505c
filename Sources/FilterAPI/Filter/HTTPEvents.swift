/// The events of an HTTP stream. Conform to ``HTTPFilter`` or ``HTTPTerminal``.
///
/// Each method has a default that lets the event go on.
public protocol HTTPEvents: EventFilter {
    /// The request's head; `last` where no body follows.
    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step

    /// A piece of the request's body; may be empty where it is `last`.
    func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step

    /// The request's trailers, which end it.
    func requestTrailers(_ trailers: inout Headers, _ state: inout State, _ stream: inout Stream) throws(Fault) -> Step

    /// A head with status 1xx; any number of them, before ``responseHead(_:last:_:_:)``. Cannot be held.
    func interimHead(_ head: inout ResponseHead, _ state: inout State, _ stream: inout Stream) throws(Fault)

    /// The response's head; `last` where no body follows.
    func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step

    /// A piece of the response's body; may be empty where it is `last`.
    func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step

    /// The response's trailers, which end it.
    func responseTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step

    /// The terminal has attached a cluster, and nothing of the request has gone there yet.
    ///
    /// ``StreamFacts/route`` and ``StreamFacts/cluster`` are known, no endpoint is. Shown to the highest stage first, and
    /// anew for each replay. A filter may hold the request here, with a token from ``Stream/pause()``, answer it, or fail
    /// it; ``Step/leave`` means ``Step/next``.
    func clusterAttached(_ state: inout State, _ stream: inout Stream) throws(Fault) -> Step

    /// An endpoint was picked, ``StreamFacts/endpoint``, and nothing of the request has gone there yet.
    ///
    /// Shown to the highest stage first, and anew for each endpoint that is tried: what was picked before is not used
    /// then. A filter cannot hold here.
    ///
    /// - Returns: whether the endpoint may be used. If not, another one is picked; where none is left, the fault is
    ///   ``Fault/Kind/overflow``.
    func endpointPicked(_ state: inout State, _ stream: inout Stream) throws(Fault) -> Bool

    /// Something below failed before any part of a response came by.
    ///
    /// A filter may replay (``Stream/restartBelow(_:last:)``), now or later (``Stream/abandonBelow()``), or answer
    /// (``Stream/reply(_:body:_:)``) here; if it does none of it, the fault goes on to the filter above, and at the top
    /// becomes an answer.
    func faultBelow(_ fault: Fault, _ state: inout State, _ stream: inout Stream) throws(Fault)

    // For the host; see EventFilter.
    static func _requestHead(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ head: inout RequestHead, _ last: Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step
    static func _requestBody(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ chunk: inout ByteChunk, _ last: Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step
    static func _requestTrailers(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ trailers: inout Headers, _ stream: inout Stream
    ) throws(Fault) -> Step
    static func _interimHead(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ head: inout ResponseHead, _ stream: inout Stream
    ) throws(Fault)
    static func _responseHead(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ head: inout ResponseHead, _ last: Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step
    static func _responseBody(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ chunk: inout ByteChunk, _ last: Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step
    static func _responseTrailers(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ trailers: inout Headers, _ stream: inout Stream
    ) throws(Fault) -> Step
    static func _clusterAttached(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ stream: inout Stream
    ) throws(Fault) -> Step
    static func _endpointPicked(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ stream: inout Stream
    ) throws(Fault) -> Bool
    static func _faultBelow(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ fault: Fault, _ stream: inout Stream)
        throws(Fault)
}

// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension HTTPEvents {
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step { .next }

    public func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step { .next }

    public func requestTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step { .next }

    public func interimHead(_ head: inout ResponseHead, _ state: inout State, _ stream: inout Stream) throws(Fault) {}

    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step { .next }

    public func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step { .next }

    public func responseTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step { .next }

    public func clusterAttached(_ state: inout State, _ stream: inout Stream) throws(Fault) -> Step { .next }

    public func endpointPicked(_ state: inout State, _ stream: inout Stream) throws(Fault) -> Bool { true }

    public func faultBelow(_ fault: Fault, _ state: inout State, _ stream: inout Stream) throws(Fault) {}
}

// SAFETY (all of these): see EventFilter.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension HTTPEvents {
    @inlinable
    public static func _requestHead(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ head: inout RequestHead, _ last: Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.requestHead(&head, last: last, &slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }

    @inlinable
    public static func _requestBody(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ chunk: inout ByteChunk, _ last: Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.requestBody(
                &chunk, last: last, &slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }

    @inlinable
    public static func _requestTrailers(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ trailers: inout Headers, _ stream: inout Stream
    ) throws(Fault) -> Step {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.requestTrailers(&trailers, &slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }

    @inlinable
    public static func _interimHead(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ head: inout ResponseHead, _ stream: inout Stream
    ) throws(Fault) {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.interimHead(&head, &slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }

    @inlinable
    public static func _responseHead(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ head: inout ResponseHead, _ last: Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.responseHead(
                &head, last: last, &slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }

    @inlinable
    public static func _responseBody(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ chunk: inout ByteChunk, _ last: Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.responseBody(
                &chunk, last: last, &slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }

    @inlinable
    public static func _responseTrailers(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ trailers: inout Headers, _ stream: inout Stream
    ) throws(Fault) -> Step {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.responseTrailers(&trailers, &slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }

    @inlinable
    public static func _clusterAttached(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ stream: inout Stream
    ) throws(Fault) -> Step {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.clusterAttached(&slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }

    @inlinable
    public static func _endpointPicked(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ stream: inout Stream
    ) throws(Fault) -> Bool {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.endpointPicked(&slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }

    @inlinable
    public static func _faultBelow(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ fault: Fault, _ stream: inout Stream
    ) throws(Fault) {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.faultBelow(fault, &slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }
}
