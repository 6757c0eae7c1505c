internal import FilterAPI

/// One stream's way through one asynchronous filter: what the events of the stream and the filter's task tell each other.
///
/// Events come in by `+Events`, what the filter's task asks for by `+Task`. All of it happens on the worker's thread, and
/// never two things at once. Used for stream after stream.
///
/// SAFETY: `host` and the pointers are set by ``begin(_:_:_:)`` and good while ``isOpen``: the host closes the filter
/// before its stream ends.
@safe
final class Exchange: LaneWork {
    /// How far the request and its answer are.
    enum Phase {
        /// The filter has the request.
        case request
        /// The request has gone on, and its answer has not come.
        case waiting
        /// The filter has the answer.
        case response
        /// The filter has returned.
        case done
    }

    /// What the filter has made of the stream.
    enum Outcome {
        /// The upstream's answer goes on.
        case pass
        /// An answer of the filter's own.
        case reply(LocalReply)
        case fault(Fault)
    }

    let worker: AsyncWorker
    let lane: Lane
    unowned(unsafe) private(set) var host: (any StreamHost)?
    private(set) var stage = 0
    private var filter: (any AsyncHTTPFilter)?
    /// Another number for each stream.
    private(set) var round: UInt64 = 0
    var phase = Phase.request
    var outcome: Outcome?
    /// Whether an event of the filter is being served, which looks at what has become of it when the task waits.
    private(set) var isInEvent = false
    /// What is below has been given up, and the outcome is waited for by ``EventFilter/wake(_:_:)``.
    var isAbandoned = false
    /// What the answer has in place of a head.
    var faultBelow: Fault?
    let requestBody = BodyPort()
    let responseBody = BodyPort()
    /// What a held direction goes on with.
    private var requestToken: Resumption?
    private var responseToken: Resumption?
    var answerWaiter = Waiter()
    var sleepWaiter = Waiter()
    var sleepUntil = Instant.none
    private var fetches: [WeakFetch] = []
    var requestMap: BodyMap?
    var responseMap: BodyMap?
    var factsMemory: UnsafeMutablePointer<StreamFacts>
    var routeTable: Unmanaged<RouteSettingsTable>?

    private struct WeakFetch { weak var response: FetchedResponse? }

    init(_ worker: AsyncWorker) {
        self.worker = worker
        lane = worker.take()
        unsafe factsMemory = Nothing.facts
        requestBody.wantsMore = { [unowned self] in showMore(isRequest: true) }
        responseBody.wantsMore = { [unowned self] in showMore(isRequest: false) }
    }

    var isOpen: Bool { unsafe host != nil }

    /// Takes a stream on, and lets the filter run until it waits for something.
    func begin(_ filter: any AsyncHTTPFilter, _ stream: inout Stream, last: Bool) {
        unsafe host = stream.host
        stage = stream.stage
        self.filter = filter
        unsafe factsMemory = stream.factsMemory
        phase = .request
        if last { requestBody.push(ByteChunk(), last: true) }
        serve(&stream) { lane.begin(self) }
    }

    /// Serves an event: what the task does meanwhile is looked at afterwards.
    func serve(_ stream: inout Stream, _ body: () -> Void) {
        unsafe routeTable = stream.routeTable
        isInEvent = true
        worker.executor.attend(body)
        isInEvent = false
    }

    nonisolated(nonsending) func work() async {
        guard let filter else { return }
        do {
            let response = try await filter.handle(AsyncRequest(self), next: Next(self))
            finish(response.outcome)
        } catch let fault as Fault {
            finish(.fault(fault))
        } catch {
            if let host = unsafe host {
                worker.report(error, of: type(of: filter).manifest.id, at: host.now)
            }
            finish(.fault(Fault(.filterFailed, "async.threw")))
        }
    }

    private func finish(_ outcome: Outcome) {
        phase = .done
        guard isOpen else { return }
        self.outcome = outcome
        if !isInEvent { settle() }
    }

    /// The stream has ended: who still waits for something of it is told so.
    ///
    /// - Returns: whether the exchange can be used again.
    func close() -> Bool {
        unsafe host = nil
        round += 1
        filter = nil
        unsafe factsMemory = Nothing.facts
        unsafe routeTable = nil
        outcome = nil
        isAbandoned = false
        faultBelow = nil
        // The host has ended the stream: it asks nothing of these.
        takeToken(isRequest: true)?.resume()
        takeToken(isRequest: false)?.resume()
        let isIdle = !lane.isBusy
        if !isIdle { lane.cancel() }
        worker.executor.attend {
            requestBody.reset()
            responseBody.reset()
            requestMap?.stop()
            responseMap?.stop()
            if let waiting = unsafe answerWaiter.take() { unsafe waiting.resume() }
            if let waiting = unsafe sleepWaiter.take() { unsafe waiting.resume() }
            for fetch in fetches { fetch.response?.cancel() }
        }
        fetches.removeAll(keepingCapacity: true)
        requestMap = nil
        responseMap = nil
        return isIdle
    }

    // MARK: Holding

    /// Holds a direction until the task has decided, or wants to see more.
    func hold(isRequest: Bool, _ stream: inout Stream) {
        if isRequest { requestToken = stream.pause() } else { responseToken = stream.pause() }
    }

    func takeToken(isRequest: Bool) -> Resumption? {
        var token: Resumption?
        if isRequest { swap(&token, &requestToken) } else { swap(&token, &responseToken) }
        return token
    }

    /// The task reads on while a direction is held.
    private func showMore(isRequest: Bool) {
        // A direction whose pieces are changed shows them by itself.
        guard (isRequest ? requestMap : responseMap) == nil, let token = takeToken(isRequest: isRequest) else { return }
        token.showMore()
    }

    /// Does what the filter has decided, outside of any event.
    private func settle() {
        guard let outcome else { return }
        if isAbandoned {
            unsafe host?.nudge(stage: stage)
            return
        }
        guard let token = takeToken(isRequest: true) ?? takeToken(isRequest: false) else { return }
        self.outcome = nil
        switch outcome {
        case .pass: token.resume()
        case .fault(let fault): token.fail(fault)
        case .reply(let reply): token.reply(reply.status, body: reply.body, fields: reply.fields)
        }
    }

    func setFacts(_ facts: StreamFacts, _ round: UInt64) {
        if round == self.round, isOpen { unsafe factsMemory.pointee = facts }
    }

    func note(_ response: FetchedResponse) {
        fetches.removeAll { $0.response == nil }
        fetches.append(WeakFetch(response: response))
    }
}

/// An answer of a filter's own, kept until it can be given.
struct LocalReply {
    var status: Status
    var body: String
    var fields: [(name: HeaderName, value: String)]
}

/// What is shown of a stream that has ended.
///
/// SAFETY: it is on no worker in particular, but nobody reads there what another one has written: streams that have ended
/// have nothing to tell.
enum Nothing {
    static nonisolated(unsafe) let facts: UnsafeMutablePointer<StreamFacts> = {
        let memory = UnsafeMutablePointer<StreamFacts>.allocate(capacity: 1)
        unsafe memory.initialize(to: StreamFacts())
        return unsafe memory
    }()
}
