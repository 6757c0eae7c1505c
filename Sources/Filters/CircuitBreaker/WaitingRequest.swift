internal import FilterAPI
internal import Synchronization

/// A request that waits for a place.
final class WaitingRequest: Sendable {
    /// How many requests may run at once, itself included.
    let limit: Int
    /// Where it stands in the line, -1 where it does not; written under the line's lock only.
    let place = Atomic<Int>(-1)
    private let token: Mutex<Resumption?>

    init(limit: Int, _ token: consuming sending Resumption) {
        self.limit = limit
        self.token = Mutex(token)
    }

    /// Lets the request go on. Where its stream has been answered or has ended meanwhile nothing happens.
    func letGo() {
        guard let token = token.withLock({ $0.take() }) else { return }
        token.resume()
    }
}
