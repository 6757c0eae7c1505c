public import FilterAPI

/// What ``FakeStream`` and ``FakeByteStream`` have in common: a filter, its state, its time and its tokens.
///
/// SAFETY: all memory is allocated with the object and freed with it. The subclass initialises `view` before anything
/// else, and the slot holds a state while `life` is `open` and the filter keeps one.
@safe
public class StreamUnderTest<F: EventFilter> {
    /// The filter.
    public let filter: F
    /// Whether the filter stands in a listener's or a cluster's chain.
    public var side = Side.client
    /// What the filter threw or asked for, or what the host says of a broken rule; nil where nothing failed.
    public internal(set) var fault: Fault?
    /// The cluster that was attached last.
    public internal(set) var attached: RecordedAttachment?
    /// When the filter wants to be woken; nil where it does not.
    public internal(set) var wakeDue: Instant?
    /// Whether the filter has begun a handshake that is not over.
    public internal(set) var isInHandshake = false
    /// How many handshakes have begun.
    public internal(set) var handshakeCount = 0
    /// Requests of the filter's own, in order; see ``answerFetch(_:_:body:)``.
    public internal(set) var fetches: [RecordedFetch] = []
    /// The rules that the filter has broken so far, in order.
    public internal(set) var brokenRules: [BrokenRule] = []
    /// Whether the test looks at ``brokenRules`` itself, so that none of them ends it.
    public var keepsBrokenRules = false
    /// The most that may be held in one direction.
    public var holdLimit = ByteSize.mebibytes(1)
    /// When the whole answer must be there; ``/FilterAPI/Instant/none`` for no such time.
    public var deadline = Instant.none
    /// The settings that a router gave to the filters of the chain.
    public internal(set) var routeTable: RouteSettingsTable?
    /// What the matched route sets for the filter; nil where it sets nothing.
    public var routeSettings: F.RouteSettings? {
        didSet {
            ownTable = routeSettings.map { RouteSettingsTable(byStage: [TypedRouteSettings($0)]) }
            unsafe view.pointee.routeTable = ownTable.map { unsafe Unmanaged.passUnretained($0) }
        }
    }

    enum Life { case new, open, declined, closed }
    var life = Life.new
    let memory: FakeMemory
    let mailbox = FakeMailbox()
    let slot: UnsafeMutableRawPointer
    let view = UnsafeMutablePointer<Stream>.allocate(capacity: 1)
    /// What the filter wants to see, now that it has its settings.
    let interest: Interest
    var down = FakeDirection()
    var up = FakeDirection()
    var serial: UInt32 = 0
    /// With what the filter holds the request before its cluster; for HTTP.
    var clusterToken: UInt32 = 0
    /// What the filter's own requests of one call wait with.
    var fetchToken: UInt32 = 0
    var openFetches: [OpenFetch] = []
    /// Whether the filter wants to be called outside of any event.
    var isNudged = false
    var pendingFault: Fault?
    /// Of one stage, the filter's.
    private var ownTable: RouteSettingsTable?

    init(_ filter: F, memory: FakeMemory) {
        self.filter = filter
        self.memory = memory
        let layout = F._stateLayout
        unsafe slot = .allocate(byteCount: max(1, layout.size), alignment: max(16, layout.alignment))
        interest = F.interest.intersection(filter.activeInterest)
    }

    deinit {
        precondition(life != .open || !hasLifetime, "a stream was dropped without close(_:)")
        unsafe view.deinitialize(count: 1).deallocate()
        unsafe slot.deallocate()
    }

    /// The clock.
    public var clock: ManualClock { memory.clock }
    /// What the filter is told of the client.
    public var connection: ConnectionFacts { memory.connection }
    /// What is known of the stream.
    public var facts: StreamFacts {
        _read { yield unsafe memory.facts.pointee }
        _modify { yield unsafe &memory.facts.pointee }
    }
    /// Whether the filter was opened and not closed.
    public var isOpen: Bool { life == .open }
    /// Whether the filter did not want to be in this stream.
    public var isDeclined: Bool { life == .declined }
    /// Whether nothing more is shown: the filter answered, failed, or was closed.
    public var isOver: Bool { fault != nil || life == .closed }

    /// What the filter keeps of this stream; nil where it is not open.
    public var state: F.State? {
        guard life == .open, hasLifetime else { return nil }
        return unsafe slot.assumingMemoryBound(to: F.State.self).pointee
    }

    var filterMemory: UnsafeRawPointer { unsafe UnsafeRawPointer(Unmanaged.passUnretained(filter).toOpaque()) }

    /// Whether the filter is told of beginnings and ends: because it asks for it, or because it keeps a state.
    var hasLifetime: Bool { interest.contains(.lifetime) || F._stateLayout.size > 0 }

    // MARK: Time and tokens

    /// Time goes by; the filter is woken if it asked for that and the time has come.
    public func advance(by duration: Duration) {
        clock.advance(by: duration)
        wakeIfDue()
    }

    /// Does what was asked for by tokens since the last time.
    public func settle() {
        repeat {
            for job in mailbox.takeJobs() { job() }
            for (key, outcome) in mailbox.take() { resumed(key, outcome) }
            if isNudged {
                isNudged = false
                wake()
            }
        } while isNudged || mailbox.hasPost
    }

    /// Ends the stream: the filter gives up its state. The last call of every test.
    public func close(_ ending: Ending = .complete) {
        wakeDue = nil
        openFetches = []
        if life == .open, hasLifetime { unsafe F._close(filterMemory, slot, ending, &view.pointee) }
        unsafe view.pointee.asked = .none
        life = .closed
    }

    /// The client goes away, whatever the stream is doing.
    public func clientGone() { close(.fault(Fault(.clientGone, "client.reset"))) }

    // MARK: For the subclasses

    func wakeIfDue() {
        guard let due = wakeDue, due <= clock.now else { return }
        wakeDue = nil
        wake()
    }

    private func wake() {
        guard !isOver, life == .open else { return }
        do throws(Fault) {
            unsafe try F._wake(filterMemory, slot, &view.pointee)
        } catch {
            return failed(error)
        }
        _ = doWhatWasAsked()
    }

    /// - Returns: whether the filter is in the stream.
    func openIfNeeded() -> Bool {
        guard life == .new else { return life == .open }
        guard hasLifetime else {
            life = .open
            return true
        }
        life = .closed
        unsafe view.pointee.isRequest = true
        do throws(Fault) {
            life = unsafe try F._open(filterMemory, slot, &view.pointee) ? .open : .declined
        } catch {
            failed(error)
            return false
        }
        return doWhatWasAsked() && life == .open
    }

    /// Notes that a rule is broken, and fails the stream where the host would.
    func broken(_ rule: BrokenRule, _ fault: Fault? = nil) {
        brokenRules.append(rule)
        if let fault { return failed(fault) }
        precondition(rule.becomesFault || keepsBrokenRules, "\(F.manifest.id) breaks a rule: \(rule.sentence)")
    }

    func failed(_ fault: Fault) {
        if self.fault == nil { self.fault = fault }
    }

    /// - Returns: whether the event that was being shown goes on.
    func doWhatWasAsked() -> Bool { true }

    func resumed(_ key: ResumptionKey, _ outcome: ResumptionOutcome) {}
}
