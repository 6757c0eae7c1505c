/// A filter that works on the events of streams: all roles but the codecs.
///
/// For each stream the host calls ``open(_:)`` first and ``close(_:_:_:)`` last, and what happens between in order:
/// in each direction a head, any number of body chunks, trailers if there are any. The event that ends a direction
/// says so by `last`. A direction may end before the other began, and a stream may be closed at any point.
///
/// Nothing that a filter asks for happens while it runs: what it sends, replies or resets takes place after the call
/// has returned, so a filter is never entered twice.
public protocol EventFilter: Filter {
    /// What the filter keeps per stream: a value in the stream's own memory.
    associatedtype State = Void

    /// The events that this filter wants to see; narrower is cheaper.
    static var interest: Interest { get }

    /// The events of ``interest`` that this filter wants to see, now that it has its settings: what they do not need costs
    /// nothing either.
    ///
    /// Asked for once, when the chain is put together.
    var activeInterest: Interest { get }

    /// Begins a stream.
    ///
    /// - Returns: the stream's state, or nil to be left out of this stream altogether.
    /// - Throws: a fault that becomes the answer to the stream.
    func open(_ stream: inout Stream) throws(Fault) -> State?

    /// The time asked for by ``Stream/wake(after:)`` has come.
    func wake(_ state: inout State, _ stream: inout Stream) throws(Fault)

    /// A request that was sent by ``Stream/fetch(_:from:)`` has its answer, or will have none.
    ///
    /// - Returns: whether what was held when the request was sent goes on; ``Step/hold`` where it waits for something
    ///   else, another request for one. Where nothing was held it says nothing.
    func fetched(
        _ id: FetchID, _ answer: inout FetchAnswer, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step

    /// Ends a stream; called exactly once for each ``open(_:)`` that returned a state.
    func close(_ state: inout State, _ ending: Ending, _ stream: inout Stream)

    // What the host calls. The bodies below are compiled in the filter's own module, so that the calls to the
    // filter's methods and its state are direct; and they get the filter as a pointer, so that no call counts
    // references. Do not implement these.
    static func _open(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ stream: inout Stream
    ) throws(Fault) -> Bool
    static func _wake(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ stream: inout Stream) throws(Fault)
    static func _fetched(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ id: FetchID, _ answer: inout FetchAnswer,
        _ stream: inout Stream
    ) throws(Fault) -> Step
    static func _close(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ ending: Ending, _ stream: inout Stream)
    static var _stateLayout: _SlotLayout { get }
}

// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension EventFilter {
    /// All events.
    public static var interest: Interest { .all }
    /// All of ``interest``.
    public var activeInterest: Interest { Self.interest }
    public func wake(_ state: inout State, _ stream: inout Stream) throws(Fault) {}
    public func fetched(
        _ id: FetchID, _ answer: inout FetchAnswer, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step { .next }
    public func close(_ state: inout State, _ ending: Ending, _ stream: inout Stream) {}

    // SAFETY (all of these): the host hands each filter its own slot, of the layout that the filter asked for, and
    // calls `_open` before and `_close` after everything else; and keeps the filter alive meanwhile.
    @inlinable
    @inline(__always)
    static func _lent<R>(_ filter: UnsafeRawPointer, _ body: (Self) throws(Fault) -> R) throws(Fault) -> R {
        // A lent reference cannot throw a typed error out of its scope.
        let result: Result<R, Fault> = unsafe Unmanaged<Self>.fromOpaque(filter)._withUnsafeGuaranteedRef { filter in
            do throws(Fault) { return .success(try body(filter)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    @inlinable
    public static func _open(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ stream: inout Stream
    ) throws(Fault) -> Bool {
        guard let state = unsafe try _lent(filter, { filter throws(Fault) in try filter.open(&stream) }) else {
            return false
        }
        unsafe slot.initializeMemory(as: State.self, to: state)
        return true
    }

    @inlinable
    public static func _wake(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ stream: inout Stream
    ) throws(Fault) {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.wake(&slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }

    @inlinable
    public static func _fetched(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ id: FetchID, _ answer: inout FetchAnswer,
        _ stream: inout Stream
    ) throws(Fault) -> Step {
        unsafe try _lent(filter) { filter throws(Fault) in
            unsafe try filter.fetched(id, &answer, &slot.assumingMemoryBound(to: State.self).pointee, &stream)
        }
    }

    @inlinable
    public static func _close(
        _ filter: UnsafeRawPointer, _ slot: UnsafeMutableRawPointer, _ ending: Ending, _ stream: inout Stream
    ) {
        let state = unsafe slot.assumingMemoryBound(to: State.self)
        unsafe Unmanaged<Self>.fromOpaque(filter)._withUnsafeGuaranteedRef {
            unsafe $0.close(&state.pointee, ending, &stream)
        }
        unsafe state.deinitialize(count: 1)
    }

    @inlinable public static var _stateLayout: _SlotLayout { _SlotLayout(State.self) }
}

// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension EventFilter where State == Void {
    public func open(_ stream: inout Stream) throws(Fault) -> Void? { () }
}

/// Size and alignment of one filter's slot in a stream's memory. For the host.
public struct _SlotLayout: Sendable {
    package var size: Int
    package var alignment: Int

    /// That of a type.
    @inlinable
    public init<T>(_ type: T.Type) {
        self.init(size: MemoryLayout<T>.size, alignment: MemoryLayout<T>.alignment)
    }

    @usableFromInline
    init(size: Int, alignment: Int) {
        self.size = size
        self.alignment = alignment
    }
}

/// How a stream ended.
public enum Ending: Sendable {
    /// Both directions came to their end.
    case complete
    /// A fault cut it off, after it may have become an answer.
    case fault(Fault)
    /// It is opened again at once, for a replay from above.
    case replay
}
