internal import Synchronization

/// Buckets by key, used by all workers at once: a fixed number of slots, no lock, and no token too many.
///
/// A slot is a key and the time at which its bucket is full, changed together or not at all. A key has one of eight
/// slots, which its lowest bits choose. A key without a slot takes the one whose time is the earliest: as a rule that
/// has passed, and nothing is lost.
///
/// There are never two slots for one key: the choice depends on nothing but what is in the eight slots, where times
/// only grow. Of two who look for a slot for the same key, and see different times, one has seen what is not there any
/// more, and does not get it. Only tokens that are given back, and slots that are taken from others before their time,
/// are outside of this; the one happens where two rules meet, the other is counted.
///
/// SAFETY: the memory is allocated, initialised and freed with the object, and holds atomics only.
@safe
final class BucketTable: @unchecked Sendable {
    /// What became of a request for a token.
    struct Outcome: Equatable {
        /// Whether there was one.
        var isTaken: Bool
        /// When the bucket is full, after that.
        var full: UInt64
        /// Whether another key had to go that was not full yet.
        var hasDropped = false
    }

    private static let ways = 8

    private let slots: UnsafeMutablePointer<Atomic<WordPair>>
    private let slotCount: Int

    /// - Parameter capacity: for how many keys there is room. There are twice as many slots, or more, as the keys are
    ///   not spread evenly.
    init(capacity: Int) {
        var count = Self.ways
        while count < capacity * 2 { count *= 2 }
        slotCount = count
        unsafe slots = .allocate(capacity: count)
        for index in 0..<count { unsafe (slots + index).initialize(to: Atomic(WordPair(first: 0, second: 0))) }
    }

    deinit {
        unsafe slots.deinitialize(count: slotCount)
        unsafe slots.deallocate()
    }

    /// Takes a token from a key's bucket.
    func take(_ key: UInt64, _ rate: BucketRate, at now: UInt64) -> Outcome {
        let first = firstSlot(of: key)
        while true {
            let (index, seen) = find(key, from: first)
            if seen.first == UInt(key) {
                guard let full = rate.take(from: UInt64(seen.second), at: now) else {
                    return Outcome(isTaken: false, full: UInt64(seen.second))
                }
                if replace(index, seen, key, full) { return Outcome(isTaken: true, full: full) }
            } else {
                let full = now + rate.interval
                if replace(index, seen, key, full) {
                    return Outcome(isTaken: true, full: full, hasDropped: UInt64(seen.second) > now)
                }
            }
        }
    }

    /// When a key's bucket is full; 0 for one that is not kept.
    func full(_ key: UInt64) -> UInt64 {
        let (_, seen) = find(key, from: firstSlot(of: key))
        return seen.first == UInt(key) ? UInt64(seen.second) : 0
    }

    /// Puts a token back into a key's bucket, if it is still there.
    func giveBack(_ key: UInt64, _ rate: BucketRate) {
        let first = firstSlot(of: key)
        while true {
            let (index, seen) = find(key, from: first)
            guard seen.first == UInt(key) else { return }
            if replace(index, seen, key, rate.giveBack(to: UInt64(seen.second))) { return }
        }
    }

    private func firstSlot(of key: UInt64) -> Int { Int(key & UInt64(slotCount - 1)) & ~(Self.ways - 1) }

    /// The slot of a key, or the one that it may take.
    private func find(_ key: UInt64, from first: Int) -> (index: Int, seen: WordPair) {
        var earliest = first
        var earliestSeen = load(first)
        if earliestSeen.first == UInt(key) { return (first, earliestSeen) }
        for index in first + 1..<first + Self.ways {
            let seen = load(index)
            if seen.first == UInt(key) { return (index, seen) }
            if seen.second < earliestSeen.second {
                earliest = index
                earliestSeen = seen
            }
        }
        return (earliest, earliestSeen)
    }

    private func load(_ index: Int) -> WordPair { unsafe slots[index].load(ordering: .relaxed) }

    private func replace(_ index: Int, _ seen: WordPair, _ key: UInt64, _ full: UInt64) -> Bool {
        let desired = WordPair(first: UInt(key), second: UInt(full))
        return unsafe slots[index].compareExchange(expected: seen, desired: desired, ordering: .relaxed).exchanged
    }
}
