internal import FilterAPI

/// Requests of byte stages' own.
extension BytePipe: FetchAsker {
    var seat: WorkerSeat { unsafe connection.worker.seat }

    func fetch(
        stage: Int, _ request: consuming FetchRequest, from cluster: ClusterID, for receiver: any FetchReceiver
    ) -> any FetchLine {
        let desk = unsafe connection.worker.fetches
        let fetch = ReceiverFetch(
            request, for: receiver, cluster: cluster, deadline: .none, desk: desk)
        desk.start(fetch)
        return fetch
    }

    func fetch(
        stage: Int, isRequest: Bool, _ request: consuming FetchRequest, from cluster: ClusterID
    ) -> FetchID {
        if pendingToken == 0 { pendingToken = nextToken() }
        let desk = unsafe connection.worker.fetches
        let fetch = StageFetch(
            request, for: self, stage: stage, isRequest: isRequest, token: pendingToken, cluster: cluster,
            deadline: .none, desk: desk)
        fetches.removeAll { $0.isOver }
        fetches.append(fetch)
        desk.start(fetch)
        return FetchID(number: fetch.number)
    }

    func fetched(_ fetch: StageFetch, _ answer: inout FetchAnswer) {
        let stage = fetch.stage
        guard opened & (1 << UInt64(stage)) != 0 else { return }
        let entry = unsafe connection.chain.byteStages[stage]
        unsafe view.pointee.stage = stage
        unsafe view.pointee.isRequest = fetch.isRequest
        pendingToken = fetch.token
        let step: Step
        unsafe connection.worker.calls.begin(entry.label, .fetched)
        do throws(Fault) {
            let slot = unsafe connection.block + entry.offset
            step = unsafe try entry.type._fetched(
                entry.filter, slot, FetchID(number: fetch.number), &answer, &view.pointee)
        } catch {
            pendingToken = 0
            return fault(error, from: stage)
        }
        unsafe connection.worker.calls.end()
        let token = pendingToken
        pendingToken = 0
        guard settle(stage) else { return }
        let key = key(stage, fetch.isRequest, fetch.token)
        if step != .hold { return resumed(key, .resumed) }
        if token != fetch.token { retoken(key, token) }
    }

    func cancelFetches() {
        let ending = fetches
        fetches = []
        for fetch in ending { fetch.cancel() }
    }
}
