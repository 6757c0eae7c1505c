internal import FilterAPI

/// Requests of the stages' own.
extension HTTPStream: FetchAsker {
    func fetch(
        stage: Int, isRequest: Bool, _ request: consuming FetchRequest, from cluster: ClusterID
    ) -> FetchID {
        // What is held with it goes on when the answer is there. Several in one call wait for the same.
        if pendingToken == 0 { pendingToken = nextToken() }
        let fetch = StageFetch(
            request, for: self, stage: stage, isRequest: isRequest, token: pendingToken, cluster: cluster,
            deadline: deadline, desk: worker.fetches)
        begin(fetch, stage: stage)
        return FetchID(number: fetch.number)
    }

    func fetch(
        stage: Int, _ request: consuming FetchRequest, from cluster: ClusterID, for receiver: any FetchReceiver
    ) -> any FetchLine {
        let fetch = ReceiverFetch(
            request, for: receiver, cluster: cluster, deadline: deadline, desk: worker.fetches)
        begin(fetch, stage: stage)
        return fetch
    }

    private func begin(_ fetch: Fetch, stage: Int) {
        fetches.removeAll { $0.fetch.isOver }
        fetches.append((stage, fetch))
        worker.fetches.start(fetch)
    }

    /// A request of a stage has its answer.
    func fetched(_ fetch: StageFetch, _ answer: inout FetchAnswer) {
        let stage = fetch.stage
        guard flags.contains(.active),
            table.lifetimeMask & (1 << UInt64(stage)) == 0 || opened & (1 << UInt64(stage)) != 0
        else { return }
        let entry = unsafe table.httpStages[stage]
        unsafe view.pointee.stage = stage
        unsafe view.pointee.isRequest = fetch.isRequest
        // A request that is sent from there waits with what is held.
        pendingToken = fetch.token
        let step: Step
        let began = unsafe beginCall(entry, .fetched)
        do throws(Fault) {
            step = unsafe try entry.type._fetched(
                entry.filter, block + entry.offset, FetchID(number: fetch.number), &answer, &view.pointee)
        } catch {
            pendingToken = 0
            return faulted(error, at: stage)
        }
        endCall(began, stage, fetch.isRequest ? .request : .response)
        let token = pendingToken
        pendingToken = 0
        if unsafe !view.pointee.asked.isNone, !settle(stage, .next) { return }
        let key = ResumptionKey(
            slot: slot, generation: generation, stage: UInt8(stage), isRequest: fetch.isRequest, serial: fetch.token)
        if step != .hold { return resumed(key, .resumed) }
        // It holds on, for a token of its own perhaps.
        if token != fetch.token { retoken(key, token) }
        kick()
    }

    // MARK: A stream that carries a filter's own request

    /// The final head has come. Whoever is told may end this stream, which is soon another one's then.
    func fetchedHead(last: Bool) {
        let present = generation
        unsafe fetch?.headArrived(&responseMemory.pointee, last: last)
        if last, generation == present { responseEnded() }
    }

    func fetchedBody(_ chunk: consuming ByteChunk, last: Bool) {
        let present = generation
        fetch?.bodyArrived(chunk, last: last)
        if last, generation == present { responseEnded() }
    }

    /// Gives up the requests of the stages that are meant.
    func cancelFetches(where isMeant: (Int) -> Bool) {
        guard !fetches.isEmpty else { return }
        let ending = fetches.filter { isMeant($0.stage) }
        fetches.removeAll { isMeant($0.stage) }
        for (_, fetch) in ending { fetch.cancel() }
    }
}
