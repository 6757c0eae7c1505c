internal import FilterAPI

/// The budgets of one worker, by cluster.
///
/// SAFETY: `byName` keeps every entry alive as long as this object, and an entry its name, so that the identity of the last
/// one is that of nothing else.
@safe
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
    private var lastIdentity: ObjectIdentifier?
    private var last: Unmanaged<Entry>?

    init(_ ledger: RetryLedger, fresh: RetryBudget) {
        self.ledger = ledger
        self.fresh = fresh
        unsafe last = nil
    }

    /// The entry of a cluster. As a rule it is the one that was asked for last.
    ///
    /// - Parameters:
    ///   - identity: that of the object for the cluster's name.
    ///   - name: the object, where the identity is another one than the last time.
    func entry(_ identity: ObjectIdentifier, name: () -> FactName?) -> Unmanaged<Entry>? {
        if identity == lastIdentity { return unsafe last }
        guard let cluster = name() else { return nil }
        let entry = byName[cluster.text] ?? Entry(cluster, fresh, ledger.account(cluster.text))
        // A reload gives the cluster a new object for its name.
        entry.name = cluster
        byName[cluster.text] = entry
        lastIdentity = identity
        unsafe last = Unmanaged.passUnretained(entry)
        return unsafe last
    }
}
