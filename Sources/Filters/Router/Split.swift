internal import FilterAPI

/// Clusters that share the requests of a route by weight.
struct Split {
    /// Each cluster with the sum of the weights up to its own.
    private var parts: [(bound: UInt64, cluster: ClusterID)] = []
    private var total: UInt64 = 0

    init(_ weights: [String: Int], on worker: borrowing WorkerContext) {
        for (name, weight) in weights.sorted(by: { $0.key < $1.key }) where weight > 0 {
            total += UInt64(weight)
            parts.append((total, worker.cluster(name)))
        }
    }

    /// A cluster.
    ///
    /// - Parameter random: any number.
    func pick(_ random: UInt64) -> ClusterID? {
        guard total > 0 else { return nil }
        let point = random.multipliedFullWidth(by: total).high
        for part in parts where point < part.bound { return part.cluster }
        return parts.last?.cluster
    }
}

/// Numbers without a pattern that matters here, at the price of a multiplication.
struct FastRandom {
    private var state: UInt64

    init() { state = UInt64.random(in: .min ... .max) }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
