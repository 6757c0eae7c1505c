internal import Synchronization

/// How many further tries run now, for each cluster; shared by all workers, and kept over reloads.
final class RetryLedger: Sendable {
    /// The number of one cluster.
    final class Account: Sendable {
        private let running = Atomic<Int>(0)

        /// Takes a place.
        ///
        /// - Returns: false where there are as many as `limit` already.
        func take(limit: Int) -> Bool {
            if running.add(1, ordering: .relaxed).newValue <= limit { return true }
            give()
            return false
        }

        /// Gives a place back.
        func give() { running.subtract(1, ordering: .relaxed) }

        /// How many run now.
        var count: Int { running.load(ordering: .relaxed) }
    }

    private let accounts = Mutex<[String: Account]>([:])

    /// The account of a cluster; asked for once by each worker.
    func account(_ cluster: String) -> Account {
        accounts.withLock { accounts in
            if let account = accounts[cluster] { return account }
            let account = Account()
            accounts[cluster] = account
            return account
        }
    }
}
