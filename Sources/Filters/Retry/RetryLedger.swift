internal import FilterAPI
internal import Synchronization

/// How many further tries run now, for each cluster; shared by all workers, and kept over reloads.
final class RetryLedger: Sendable {
    private let accounts = Mutex<[String: LimitedCount]>([:])

    /// The number of a cluster; asked for once by each worker.
    func account(_ cluster: String) -> LimitedCount {
        accounts.withLock { accounts in
            if let account = accounts[cluster] { return account }
            let account = LimitedCount()
            accounts[cluster] = account
            return account
        }
    }
}
