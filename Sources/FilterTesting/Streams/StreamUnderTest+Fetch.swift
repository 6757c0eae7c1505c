public import FilterAPI

/// Requests of the filter's own, and their answers, which the test gives.
extension StreamUnderTest {
    package func fetch(
        stage: Int, isRequest: Bool, _ request: consuming FetchRequest, from cluster: ClusterID
    ) -> FetchID {
        if fetchToken == 0 {
            serial += 1
            fetchToken = serial
        }
        let id = record(request, cluster)
        openFetches.append(OpenFetch(id: id, isRequest: isRequest, token: fetchToken, receiver: nil))
        return id
    }

    package func fetch(
        stage: Int, _ request: consuming FetchRequest, from cluster: ClusterID, for receiver: any FetchReceiver
    ) -> any FetchLine {
        let id = record(request, cluster)
        openFetches.append(OpenFetch(id: id, isRequest: true, token: 0, receiver: receiver))
        return FakeFetchLine { [weak self] in self?.openFetches.removeAll { $0.id == id } }
    }

    private func record(_ request: consuming FetchRequest, _ cluster: ClusterID) -> FetchID {
        let id = FetchID(number: UInt64(fetches.count + 1))
        var recorded = RecordedRequest(request.head, isComplete: true)
        recorded.body = request.body.copied()
        fetches.append(RecordedFetch(id: id, cluster: cluster, request: recorded, timeout: request.timeout))
        return id
    }

    /// Whether the filter waits for an answer to a request of its own.
    public var awaitsFetch: Bool { !openFetches.isEmpty }

    /// Answers the filter's own request that has waited longest.
    ///
    /// - Returns: what the filter said; nil where it was not asked.
    @discardableResult
    public func answerFetch(
        _ status: Status = 200, _ fields: KeyValuePairs<String, String> = [:], body: String = ""
    ) -> Step? {
        answerFetch(status, fields.map { RecordedField(name: $0.key, value: $0.value) }, bytes: Array(body.utf8))
    }

    /// Answers the filter's own request that has waited longest, with bytes.
    @discardableResult
    public func answerFetch(
        _ status: Status, _ fields: [RecordedField], bytes: [UInt8]
    ) -> Step? {
        settle()
        guard !openFetches.isEmpty else { return nil }
        let fetch = openFetches.removeFirst()
        var answer = FetchAnswer()
        answer.head.status = status
        answer.head.headers.fill(fields.map { ($0.name, $0.value) })
        if let receiver = fetch.receiver {
            receiver.fetchedHead(&answer.head, last: bytes.isEmpty)
            if !bytes.isEmpty { receiver.fetchedBody(memory.pages.chunk(copying: bytes), last: true) }
            settle()
            return nil
        }
        if !bytes.isEmpty { answer.body = memory.pages.chunk(copying: bytes) }
        return show(&answer, of: fetch)
    }

    /// Lets the filter's own request that has waited longest fail.
    @discardableResult
    public func failFetch(
        _ fault: Fault = Fault(.upstreamTimeout, "upstream.response_timeout", replay: .ifIdempotent)
    ) -> Step? {
        settle()
        guard !openFetches.isEmpty else { return nil }
        let fetch = openFetches.removeFirst()
        if let receiver = fetch.receiver {
            receiver.fetchFailed(fault)
            settle()
            return nil
        }
        var answer = FetchAnswer()
        answer.fault = fault
        return show(&answer, of: fetch)
    }

    private func show(_ answer: inout FetchAnswer, of fetch: OpenFetch) -> Step? {
        guard !isOver, life != .declined else { return nil }
        unsafe view.pointee.isRequest = fetch.isRequest
        let before = serial
        fetchToken = fetch.token
        do throws(Fault) {
            let step = unsafe try F._fetched(filterMemory, slot, fetch.id, &answer, &view.pointee)
            guard doWhatWasAsked() else { return step }
            let key = ResumptionKey(
                slot: 0, generation: 0, stage: 0, isRequest: fetch.isRequest, serial: fetch.token)
            if step != .hold { resumed(key, .resumed) } else if serial != before { retoken(fetch, serial) }
            return step
        } catch {
            failed(error)
            return nil
        }
    }

    private func retoken(_ fetch: OpenFetch, _ token: UInt32) {
        if clusterToken == fetch.token { clusterToken = token }
        if fetch.isRequest, down.token == fetch.token { down.token = token }
        if !fetch.isRequest, up.token == fetch.token { up.token = token }
    }

    // MARK: What happens outside of events

    package var responseHead: UnsafeMutablePointer<ResponseHead> { unsafe memory.response }
    package var seat: WorkerSeat { mailbox.seat }
    package func nudge(stage: Int) { isNudged = true }
}

/// A request that nobody reads from.
private final class FakeFetchLine: FetchLine {
    private let whenCancelled: () -> Void

    init(_ whenCancelled: @escaping () -> Void) { self.whenCancelled = whenCancelled }

    func readOn() {}
    func cancel() { whenCancelled() }
}
