internal import Engine
internal import FilterAPI

/// Carries a cluster's endpoint lists from the control thread to the workers.
final class EndpointRelay {
    let id: ClusterID
    private let workers: [Worker]
    private var latest = EndpointList()
    private var hasBegun = false

    init(_ id: ClusterID, _ workers: [Worker]) {
        self.id = id
        self.workers = workers
    }

    /// Passes each change on from now on.
    ///
    /// - Returns: the list as it is now, which the caller hands over together with the cluster.
    func begin() -> EndpointList {
        hasBegun = true
        return latest
    }

    func changed(_ list: EndpointList) {
        latest = list
        guard hasBegun else { return }
        for worker in workers {
            let handover = Handover((worker, id))
            worker.loop.poster.post {
                let (worker, id) = unsafe handover.value
                worker.update(id, list)
            }
        }
    }
}
