/// The probes of one worker, by the watches that they work for.
final class ProbeTable {
    unowned private let worker: Worker
    private var probes: [UInt64: Probe] = [:]

    init(worker: Worker) { self.worker = worker }

    /// Asks an endpoint; the answer goes to the order's link.
    func ask(_ order: ProbeOrder) {
        let probe = probes[order.watch] ?? Probe(order, worker: worker)
        probes[order.watch] = probe
        probe.ask()
    }

    /// A watch has ended: nobody waits for its answer.
    func forget(_ watch: UInt64) { probes.removeValue(forKey: watch)?.stop() }
}
