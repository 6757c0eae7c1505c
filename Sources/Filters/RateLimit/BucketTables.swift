internal import Synchronization

/// The buckets of all filters of one name; shared by all workers, and kept over reloads.
final class BucketTables: Sendable {
    /// Of listeners and routes, of which there are as many as in the config: clients cannot push them out.
    let named = BucketTable(capacity: 4_000)
    /// Makes keys that nobody outside can choose, however the process's own hashing is seeded.
    let seed = UInt64.random(in: .min ... .max)
    private let maxKeys: Int
    private let byKey = Mutex<BucketTable?>(nil)

    /// - Parameter maxKeys: for how many clients and values of fields there is room.
    init(maxKeys: Int) { self.maxKeys = maxKeys }

    /// Of clients and values of fields; made when the first rule asks for it.
    var keyed: BucketTable {
        byKey.withLock { table in
            if let table { return table }
            let fresh = BucketTable(capacity: maxKeys)
            table = fresh
            return fresh
        }
    }
}
