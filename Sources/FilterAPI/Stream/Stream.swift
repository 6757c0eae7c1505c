/// A filter's hold on the stream whose event it is being shown.
///
/// Good during the call only: it cannot be copied or kept. Everything that is asked for here happens after the filter
/// has returned.
///
/// SAFETY: the host object outlives every call in which this value is handed to a filter.
@safe
public struct Stream: ~Copyable {
    package unowned(unsafe) let host: any StreamHost
    /// The stage that is being called; set by the host before each call.
    @usableFromInline package var stage = 0
    /// What the matched route sets for the filters of the chain; kept alive by the host.
    @usableFromInline package var routeTable: Unmanaged<RouteSettingsTable>?
    /// Whether the event that is being shown goes down.
    package var isRequest = true
    /// What the call has asked for; the host looks after the filter has returned.
    @usableFromInline package var asked: Asked = .none
    private let record: UnsafeMutablePointer<StreamFacts>
    package var factsMemory: UnsafeMutablePointer<StreamFacts> { unsafe record }

    /// Inlined wherever it is looked at: that is after every call of a filter.
    @usableFromInline
    package struct Asked: OptionSet {
        @usableFromInline package let rawValue: UInt8
        @inlinable
        package init(rawValue: UInt8) { self.rawValue = rawValue }
        @inlinable package static var none: Asked { Asked(rawValue: 0) }
        @inlinable package static var pause: Asked { Asked(rawValue: 1) }
        @inlinable package static var send: Asked { Asked(rawValue: 2) }
        @inlinable package static var reply: Asked { Asked(rawValue: 4) }
        @inlinable package static var restart: Asked { Asked(rawValue: 8) }
        @inlinable package static var attach: Asked { Asked(rawValue: 16) }
        @inlinable package static var fail: Asked { Asked(rawValue: 32) }
        @inlinable package static var handshake: Asked { Asked(rawValue: 64) }
        @inlinable package static var abandon: Asked { Asked(rawValue: 128) }
        @inlinable package var isNone: Bool { rawValue == 0 }
    }

    package init(host: any StreamHost, facts: UnsafeMutablePointer<StreamFacts>) {
        unsafe self.host = host
        unsafe record = facts
    }

    /// What is known of the stream.
    public var facts: StreamFacts {
        _read { yield unsafe record.pointee }
        nonmutating _modify { yield unsafe &record.pointee }
    }

    /// What is known of the client's connection.
    public var connection: ConnectionFacts { unsafe host.connectionFacts }

    /// Whether this chain belongs to a listener or to a cluster.
    public var side: Side { unsafe host.side }

    /// The time of this turn of the loop.
    public var now: Instant { unsafe host.now }

    /// When the whole answer must be there; ``Instant/none`` while there is no such time.
    ///
    /// The earliest of the route's timeout, which runs from the end of the request over all tries, of what the client
    /// has set, and of what filters have set by ``limit(to:)``. When it comes the stream ends with
    /// ``Fault/Kind/upstreamTimeout``.
    public var deadline: Instant { unsafe host.deadline }

    /// What is left until ``deadline``; nil where there is none, zero where it has passed.
    public var timeLeft: Duration? { deadline == .none ? nil : deadline.since(now) }

    /// Sets an earlier ``deadline``; a later one than there is has no effect.
    public func limit(to deadline: Instant) { unsafe host.limit(to: deadline) }

    /// What the matched route sets for this filter; nil where it sets nothing.
    @inlinable
    public func routeSettings<F: Filter>(of filter: F) -> F.RouteSettings? {
        guard let routeTable = unsafe routeTable else { return nil }
        return unsafe routeTable._withUnsafeGuaranteedRef { $0.settings(of: F.RouteSettings.self, stage: stage) }
    }

    /// Tells routes with settings for filters of this chain apart, so that a filter can keep what it works out from them;
    /// nil where the matched route has none. Good as long as the filter.
    public var routeSettingsID: ObjectIdentifier? {
        guard let routeTable = unsafe routeTable else { return nil }
        return unsafe routeTable._withUnsafeGuaranteedRef { ObjectIdentifier($0) }
    }

    /// Reads the request's head at any time of the stream, as it was when it last went by.
    public func withRequest<R: ~Copyable>(_ body: (borrowing RequestHead) -> R) -> R {
        unsafe body(host.requestHead.pointee)
    }

    /// Takes the right to let this direction go on later; return ``Step/hold`` with it.
    public mutating func pause() -> Resumption {
        asked.insert(.pause)
        return unsafe host.makeResumption(stage: stage, isRequest: isRequest)
    }

    /// Asks for ``EventFilter/wake(_:_:)`` after some time; asked again, the new time holds.
    public mutating func wake(after delay: Duration) { unsafe host.wake(stage: stage, after: delay) }

    /// Takes back what ``wake(after:)`` asked for.
    public mutating func cancelWake() { unsafe host.cancelWake(stage: stage) }

    /// Answers the request from here upward; what is below is cancelled.
    ///
    /// Filters above see the answer like any other. Has no effect where the response's head has passed already: the
    /// stream is then cut off. A second answer in the same call fails the stream.
    ///
    /// - Parameters:
    ///   - status: the status.
    ///   - body: a text, as `text/plain` unless `edit` says otherwise.
    ///   - edit: may set fields.
    public mutating func reply(_ status: Status, body: String = "", _ edit: (inout ResponseHead) -> Void = { _ in }) {
        guard !asked.contains(.reply) else { return fail(Fault(.filterFailed, "filter.replied_twice")) }
        asked.insert(.reply)
        unsafe host.reply(stage: stage, status, body: body, edit)
    }

    /// Says that the connection is not ready for use: nothing is sent over it yet; for byte filters, in `open`.
    ///
    /// In a cluster's chain no request is given to the connection before all its filters have said ``endHandshake()``,
    /// and what fails until then counts as a connection that could not be made. In a listener's chain a terminal's
    /// cluster is not connected to before that.
    public mutating func beginHandshake() {
        asked.insert(.handshake)
        unsafe host.handshake(stage: stage, isOver: false)
    }

    /// Says that the connection is ready, after ``beginHandshake()``.
    public mutating func endHandshake() {
        asked.insert(.handshake)
        unsafe host.handshake(stage: stage, isOver: true)
    }

    /// Ends the stream with a fault.
    public mutating func fail(_ fault: Fault) {
        asked.insert(.fail)
        unsafe host.fail(stage: stage, fault)
    }

    /// Sends body bytes down to the next filter, after this call and before what the call lets go on.
    public mutating func sendBelow(_ chunk: consuming ByteChunk) {
        asked.insert(.send)
        unsafe host.send(stage: stage, isRequest: true, chunk)
    }

    /// Sends body bytes up to the next filter, after this call and before what the call lets go on.
    public mutating func sendAbove(_ chunk: consuming ByteChunk) {
        asked.insert(.send)
        unsafe host.send(stage: stage, isRequest: false, chunk)
    }

    /// Closes everything below, opens it again, and sends a request down anew.
    ///
    /// The host refuses where any part of a response has gone past this filter: the fault is then
    /// ``Fault/Kind/filterFailed``. Body bytes follow by ``sendBelow(_:)``, and ``endRequestBelow()`` ends it.
    public mutating func restartBelow(_ head: borrowing RequestHead, last: Bool) throws(Fault) {
        asked.insert(.restart)
        unsafe try host.restartBelow(stage: stage, head, last: last)
    }

    /// Asks whether the limits of the cluster leave room for a further try, and takes it.
    ///
    /// For filters that have something else to do where there is none, such as to let an answer go on: ask before
    /// ``restartBelow(_:last:)`` or ``abandonBelow()``. Who does not ask, and there is no room, gets
    /// ``Fault/Kind/overflow`` from the try.
    public func claimReplay() -> Bool { unsafe host.claimReplay() }

    /// Gives up what is below, and keeps the stream for what this filter does later: in ``EventFilter/wake(_:_:)``, which
    /// it asks for, it replays, answers, or fails.
    ///
    /// The filters below are closed and their upstream is let go at once. Until then nothing of the request goes further
    /// down than this filter, which keeps what it wants to send again. The host refuses as for
    /// ``restartBelow(_:last:)``.
    public mutating func abandonBelow() throws(Fault) {
        asked.insert(.abandon)
        unsafe try host.abandonBelow(stage: stage)
    }

    /// Ends the direction to the filter above, after what was sent by ``sendAbove(_:)``; for byte filters.
    public mutating func endAbove() {
        asked.insert(.send)
        unsafe host.sendEnd(stage: stage, isRequest: false)
    }

    /// Ends the direction to the filter below, after what was sent by ``sendBelow(_:)``; for byte filters.
    public mutating func endBelow() {
        asked.insert(.send)
        unsafe host.sendEnd(stage: stage, isRequest: true)
    }

    /// Ends a request that was sent by ``restartBelow(_:last:)`` without `last`.
    public mutating func endRequestBelow() {
        asked.insert(.send)
        unsafe host.sendEnd(stage: stage, isRequest: true)
    }

    /// Sends a request of the filter's own to a cluster, after this call; ``EventFilter/fetched(_:_:_:_:)`` is shown what
    /// becomes of it.
    ///
    /// Return ``Step/hold`` with it to hold what is being shown until then. Any number may be under way at once; those of
    /// a stream that ends are given up.
    ///
    /// - Parameters:
    ///   - request: head and body.
    ///   - cluster: as ``WorkerContext/cluster(_:)`` gives it.
    public mutating func fetch(_ request: consuming FetchRequest, from cluster: ClusterID) -> FetchID {
        asked.insert(.pause)
        return unsafe host.fetch(stage: stage, isRequest: isRequest, request, from: cluster)
    }

    /// Hangs a cluster below the stream; for terminals.
    public mutating func attach(_ cluster: ClusterID, _ attachment: Attachment = Attachment()) {
        asked.insert(.attach)
        unsafe host.attach(cluster, attachment)
    }

    /// Gives route settings to the filters of this chain; for terminals that route, once per stream.
    public mutating func useRouteSettings(_ settings: RouteSettingsTable?) {
        unsafe host.useRouteSettings(settings)
        unsafe routeTable = settings.map { unsafe Unmanaged.passUnretained($0) }
    }

    /// A chunk that `body` fills from its start; it returns how many bytes it wrote.
    public func makeChunk(capacity: Int, _ body: (UnsafeMutableRawPointer) -> Int) -> ByteChunk {
        unsafe host.pages.chunk(capacity: capacity, body)
    }

    /// A chunk with a copy of some bytes.
    public func makeChunk(copying bytes: borrowing RawSpan) -> ByteChunk { unsafe host.pages.chunk(copying: bytes) }
}

/// Which kind of chain a byte filter stands in.
public enum Side: Sendable {
    /// A listener's: the peer is a client.
    case client
    /// A cluster's: the peer is an upstream.
    case upstream
}
