internal import FilterAPI

/// Assigns hashes to entries so that an entry that comes or goes moves hardly more than its own share.
///
/// Each entry has points on a ring of 64-bit numbers, about as many as ``pointsPerEntry``, more or fewer by its weight. A
/// hash belongs to the first point that is not below it. The points depend on names only: every worker, every process
/// and every generation has the same ones.
struct HashRing {
    /// Enough that the shares of equal entries differ by some eight per cent (one over the root of it).
    static let pointsPerEntry = 160

    private var points: [UInt64] = []
    /// Whose the point at the same place is.
    private var owners: [Int32] = []

    mutating func update(_ endpoints: [Endpoint]) {
        let total = endpoints.reduce(0) { $0 + $1.weight }
        var ring: [(point: UInt64, owner: Int32)] = []
        for (index, endpoint) in endpoints.enumerated() {
            let share = Self.pointsPerEntry * endpoints.count * endpoint.weight
            let base = Self.hash(endpoint.name.text)
            for number in 0..<max(1, (share + total / 2) / total) {
                ring.append((SplitMix.mix(base &+ UInt64(number) &* 0x9E37_79B9_7F4A_7C15), Int32(index)))
            }
        }
        ring.sort { $0 < $1 }
        points = ring.map(\.point)
        owners = ring.map(\.owner)
    }

    /// Whose a hash is; there must be an entry.
    ///
    /// - Parameter avoided: entries that are passed over, as if they were not there; must not be all of them.
    func owner(of hash: UInt64, avoiding avoided: [Int] = []) -> Int {
        // Whoever made the hash may have left most of its bits alike.
        var place = firstPoint(atLeast: SplitMix.mix(hash))
        while true {
            if place == points.count { place = 0 }
            let owner = Int(owners[place])
            if avoided.isEmpty || !avoided.contains(owner) { return owner }
            place += 1
        }
    }

    private func firstPoint(atLeast hash: UInt64) -> Int {
        var low = 0
        var high = points.count
        while low < high {
            let middle = (low + high) / 2
            if points[middle] < hash { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// FNV-1a over the text.
    static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
