internal import FilterAPI

/// The budgets of one worker, by cluster.
final class RetryAccounts {
    /// One cluster's.
    final class Entry {
        fileprivate(set) var name: FactName
        var budget: RetryBudget
        let account: RetryLedger.Account

        fileprivate init(_ name: FactName, _ budget: RetryBudget, _ account: RetryLedger.Account) {
            self.name = name
            self.budget = budget
            self.account = account
        }
    }

    private let ledger: RetryLedger
    private let fresh: RetryBudget
    private var byName: [String: Entry] = [:]
    private var last: Entry?

    init(_ ledger: RetryLedger, fresh: RetryBudget) {
        self.ledger = ledger
        self.fresh = fresh
    }

    /// The entry of a cluster. As a rule it is the one that was asked for last.
    func entry(_ cluster: FactName) -> Entry {
        if let last, last.name === cluster { return last }
        let entry = byName[cluster.text] ?? Entry(cluster, fresh, ledger.account(cluster.text))
        // A reload gives the cluster a new object for its name.
        entry.name = cluster
        byName[cluster.text] = entry
        last = entry
        return entry
    }
}
