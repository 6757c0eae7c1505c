internal import FilterAPI
internal import Synchronization

/// What filters share between workers and generations, by key and type; gone when nobody holds it any more.
final class SharedState: Sendable {
    /// The one of this process.
    static let process = SharedState()

    private struct Weak: Sendable {
        weak let value: (any AnyObject & Sendable)?
    }

    private let values = Mutex<[String: Weak]>([:])

    func value<T: AnyObject & Sendable, E: Error>(_ key: String, _ make: () throws(E) -> T) throws(E) -> T {
        let key = "\(key):\(ObjectIdentifier(T.self))"
        if let found = values.withLock({ $0[key]?.value }) as? T { return found }
        let made = try make()
        return values.withLock { values in
            if let found = values[key]?.value as? T { return found }
            values[key] = Weak(value: made)
            return made
        }
    }
}

/// The numbers of cluster names: given once, never taken back, so that they stay valid over reloads.
final class ClusterNames: Sendable {
    /// The one of this process.
    static let process = ClusterNames()

    private let ids = Mutex<[String: Int]>([:])

    func id(_ name: String) -> ClusterID {
        ids.withLock { ids in
            let index = ids[name] ?? ids.count
            ids[name] = index
            return ClusterID(index: index)
        }
    }
}

/// How many clients the process holds at once; shared by the workers.
final class ConnectionLimit: Sendable {
    private let taken = Atomic<Int>(0)
    private let limit = Atomic<Int>(0)

    init(_ limit: Int) { self.limit.store(limit, ordering: .relaxed) }

    func change(to limit: Int) { self.limit.store(limit, ordering: .relaxed) }

    /// Takes one place, if there is one.
    func take() -> Bool {
        let now = taken.add(1, ordering: .relaxed).newValue
        if now <= limit.load(ordering: .relaxed) { return true }
        taken.subtract(1, ordering: .relaxed)
        return false
    }

    func give() { taken.subtract(1, ordering: .relaxed) }

    /// How many there are.
    var count: Int { taken.load(ordering: .relaxed) }
}
