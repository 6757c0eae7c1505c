internal import FilterAPI

/// Assigns hashes to entries by a table of as many slots as a prime says: section 3.4 of "Maglev: A Fast and Reliable
/// Software Network Load Balancer" (Eisenbud and others, 2016).
///
/// Each entry has an order of its own in which it wants the slots, a permutation that follows from its name. In turn,
/// and as often as their weights say, the entries take the first slot in their order that is free. The table depends on
/// names and weights only: every worker, every process and every generation has the same one.
struct MaglevTable {
    /// Whose each slot is.
    private var owners: [Int32] = []

    /// The order in which an entry wants the slots: from `next` on in steps of `step`.
    private struct Wish {
        let owner: Int
        let step: Int
        var next: Int
    }

    /// - Parameter size: a prime; an entry whose share is less than a slot may have none.
    mutating func update(_ endpoints: [Endpoint], size: Int) {
        owners = Array(repeating: -1, count: endpoints.isEmpty ? 0 : size)
        guard !endpoints.isEmpty else { return }
        // In the order of names, so that the order of the list does not matter.
        let order = endpoints.indices.sorted { endpoints[$0].name.text < endpoints[$1].name.text }
        var wishes = order.map { index in
            let hash = HashRing.hash(endpoints[index].name.text)
            return Wish(
                owner: index, step: 1 + Int(SplitMix.mix(hash &+ 0x9E37_79B9_7F4A_7C15) % UInt64(size - 1)),
                next: Int(SplitMix.mix(hash) % UInt64(size)))
        }
        var turns = Rotation()
        var generator = SplitMix(seed: 0)
        turns.update(order.map { endpoints[$0].weight }, &generator)
        for _ in owners.indices { take(&wishes[turns.next()]) }
    }

    private mutating func take(_ wish: inout Wish) {
        while true {
            let slot = wish.next
            wish.next += wish.step
            if wish.next >= owners.count { wish.next -= owners.count }
            guard owners[slot] < 0 else { continue }
            owners[slot] = Int32(wish.owner)
            return
        }
    }

    /// Whose a hash is; there must be an entry.
    ///
    /// - Parameter avoided: entries that are passed over.
    /// - Returns: nil where nobody else has a slot.
    func owner(of hash: UInt64, avoiding avoided: [Int] = []) -> Int? {
        // Whoever made the hash may have left most of its bits alike.
        let slot = Int(SplitMix.mix(hash).multipliedFullWidth(by: UInt64(owners.count)).high)
        if avoided.isEmpty { return Int(owners[slot]) }
        // The slots behind it are as good as drawn by lot, and the same for each request with this hash.
        for step in owners.indices {
            let place = slot + step < owners.count ? slot + step : slot + step - owners.count
            if !avoided.contains(Int(owners[place])) { return Int(owners[place]) }
        }
        return nil
    }

    /// A table has as many slots as a prime says, so that every step leads through all of them.
    static func isPrime(_ number: Int) -> Bool {
        guard number > 1 else { return false }
        var divisor = 2
        while divisor * divisor <= number {
            if number % divisor == 0 { return false }
            divisor += 1
        }
        return true
    }
}
