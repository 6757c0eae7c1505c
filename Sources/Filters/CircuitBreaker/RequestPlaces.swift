internal import Synchronization

/// The places for requests that run at once, counted over all workers and to the request.
///
/// Taking and giving back is one atomic each. A place that is given back while somebody waits is handed over, in the
/// order in which they came; only then a lock is taken.
///
/// Nobody is forgotten: who joins the line says so first (`waiting`) and looks for a place afterwards, and who gives a
/// place back makes it free first and looks for the line afterwards, all of it in one total order. One of the two sees
/// the other.
final class RequestPlaces: Sendable {
    private let used = Atomic<Int>(0)
    /// Those in the line, and those that are about to join it.
    private let waiting = Atomic<Int>(0)
    private let line = Mutex(WaitingLine<WaitingRequest>())
    private let tally: GaugeTally

    /// - Parameter tally: how many requests wait, over all breakers.
    init(tally: GaugeTally) { self.tally = tally }

    /// How many requests run.
    var count: Int { used.load(ordering: .sequentiallyConsistent) }

    /// How many requests wait.
    var waitingCount: Int { waiting.load(ordering: .sequentiallyConsistent) }

    /// Takes a place, unless all are taken or others have waited for one.
    func take(limit: Int) -> Bool { waitingCount == 0 && claim(limit) }

    private func claim(_ limit: Int) -> Bool { Self.raise(used, below: limit) }

    private static func raise(_ number: borrowing Atomic<Int>, below limit: Int) -> Bool {
        var seen = number.load(ordering: .sequentiallyConsistent)
        while seen < limit {
            let (done, original) = number.compareExchange(
                expected: seen, desired: seen + 1, ordering: .sequentiallyConsistent)
            if done { return true }
            seen = original
        }
        return false
    }

    /// Gives a place back, or to who has waited longest for it.
    func giveBack() {
        if waitingCount == 0 { makeFree() } else { handOver() }
    }

    /// Gives a place back that nobody has waited for until now.
    func makeFree() {
        used.subtract(1, ordering: .sequentiallyConsistent)
        if waitingCount > 0 { serve(upTo: 0) }
    }

    private func handOver() {
        let next: WaitingRequest? = line.withLock { line in
            // Those who wait may not have joined the line yet, and the limit may have been lowered since they have.
            guard let first = line.first, count <= first.limit else {
                used.subtract(1, ordering: .sequentiallyConsistent)
                return nil
            }
            return pop(&line)
        }
        next?.letGo()
    }

    // MARK: The line

    /// Asks for room in the line; `join` must follow.
    func reserve(max: Int) -> Bool { Self.raise(waiting, below: max) }

    /// Stands in the line, behind ``reserve(max:)``; the request goes on when it has a place.
    func join(_ request: WaitingRequest) {
        tally.add(1)
        line.withLock { request.place.store($0.append(request), ordering: .relaxed) }
        serve(upTo: request.limit)
    }

    /// Leaves the line.
    ///
    /// - Returns: false where the request has been given a place already.
    func leave(_ request: WaitingRequest) -> Bool {
        line.withLock { line in
            let place = request.place.load(ordering: .relaxed)
            guard place >= 0 else { return false }
            _ = line.remove(at: place)
            left(request)
            return true
        }
    }

    /// Gives free places to those in the line.
    ///
    /// - Parameter limit: of whom came last; where it has been raised since others have come, it holds for them too.
    private func serve(upTo limit: Int) {
        while let next = line.withLock({ line -> WaitingRequest? in
            guard let first = line.first, claim(max(first.limit, limit)) else { return nil }
            return pop(&line)
        }) {
            next.letGo()
        }
    }

    private func pop(_ line: inout WaitingLine<WaitingRequest>) -> WaitingRequest? {
        guard let first = line.popFirst() else { return nil }
        left(first)
        return first
    }

    private func left(_ request: WaitingRequest) {
        request.place.store(-1, ordering: .relaxed)
        waiting.subtract(1, ordering: .sequentiallyConsistent)
        tally.add(-1)
    }
}
