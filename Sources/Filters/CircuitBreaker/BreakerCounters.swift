internal import FilterAPI

/// What the filter counts.
struct BreakerCounters {
    let opened: Counter
    let closed: Counter
    let probes: Counter
    let queued: Counter
    let rejectedMaxRequests: Counter
    let rejectedOpen: Counter
    let rejectedQueueFull: Counter
    let queueTimeout: Counter
    let endpointsSkipped: Counter
    let breakersShared: Counter

    init(_ worker: borrowing WorkerContext) {
        opened = worker.counter("opened")
        closed = worker.counter("closed")
        probes = worker.counter("probes")
        queued = worker.counter("queued")
        rejectedMaxRequests = worker.counter("rejected_max_requests")
        rejectedOpen = worker.counter("rejected_open")
        rejectedQueueFull = worker.counter("rejected_queue_full")
        queueTimeout = worker.counter("queue_timeout")
        endpointsSkipped = worker.counter("endpoints_skipped")
        breakersShared = worker.counter("breakers_shared")
    }

    func refused(_ cause: Refusal.Cause) {
        switch cause {
        case .maxRequests: rejectedMaxRequests.add()
        case .open: rejectedOpen.add()
        case .queueFull: rejectedQueueFull.add()
        case .queueTimeout: queueTimeout.add()
        }
    }
}
