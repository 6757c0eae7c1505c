internal import Engine
internal import FilterAPI

/// The end of the process in order: what comes in goes first, what the service asks of others goes last.
///
/// Requests that are being answered may need calls of the service to others. So outbound listeners stay open until no
/// inbound listener has a connection, and until the service has ended where the config says how to tell.
///
/// Lives on the control thread, until the process ends.
final class Drain {
    private let workers: [Worker]
    private let loop: EventLoop
    private let log: Log
    private let service: ServiceWatch?
    private let whenOver: () -> Void
    private var hasInboundLeft = false
    private var hasServiceEnded: Bool
    /// Workers that are not through with the present step.
    private var busy = 0

    init(
        _ workers: [Worker], on loop: EventLoop, _ log: Log, outlive: SocketAddress?,
        whenOver: @escaping () -> Void
    ) {
        self.workers = workers
        self.loop = loop
        self.log = log
        self.whenOver = whenOver
        service = outlive.map { ServiceWatch($0, on: loop) }
        hasServiceEnded = service == nil
    }

    func begin() {
        service?.begin { [unowned self] address in
            log.write(.info, "the service has ended", [("address", "\(address)")])
            hasServiceEnded = true
            endDelays()
            goOn()
        }
        onAll { worker, done in
            worker.drainInbound(done)
        } then: { drain in
            drain.hasInboundLeft = true
            drain.goOn()
        }
    }

    /// There is nobody left to serve those who still come.
    private func endDelays() {
        for worker in workers {
            let handover = Handover(worker)
            worker.loop.poster.post { unsafe handover.value.endDelays() }
        }
    }

    private func goOn() {
        guard hasInboundLeft, hasServiceEnded else { return }
        onAll { worker, done in
            worker.drainOutbound(done)
        } then: { drain in
            drain.whenOver()
        }
    }

    /// Lets each worker take a step, and goes on when the last of them is through with it.
    private func onAll(
        _ step: @escaping @Sendable (Worker, @escaping () -> Void) -> Void,
        then: @escaping @Sendable (Drain) -> Void
    ) {
        busy = workers.count
        let back = Handover(self)
        let poster = loop.poster
        for worker in workers {
            let handover = Handover(worker)
            worker.loop.poster.post {
                step(unsafe handover.value) { poster.post { unsafe back.value.workerIsThrough(then) } }
            }
        }
    }

    private func workerIsThrough(_ then: (Drain) -> Void) {
        busy -= 1
        if busy == 0 { then(self) }
    }
}
