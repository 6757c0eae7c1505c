/// Draws entries by lot, each as often as its weight says, in the same time for any number of them.
///
/// With unequal weights this is Walker's alias method: the total is dealt out to as many boxes as there are entries,
/// each box holding shares of at most two; a draw picks a box, and one of the two in it.
struct Lottery {
    private var count = 0
    private var total = 0
    /// What each box holds of its own entry; empty where all weights are equal.
    private var kept: [Int] = []
    /// Whose the rest of each box is.
    private var other: [Int] = []

    mutating func update(_ weights: [Int]) {
        count = weights.count
        total = weights.reduce(0, +)
        guard !weights.allSatisfy({ $0 == weights.first }) else {
            kept = []
            other = []
            return
        }
        kept = weights.map { $0 * count }
        other = Array(weights.indices)
        var small = weights.indices.filter { kept[$0] < total }
        var large = weights.indices.filter { kept[$0] >= total }
        while let poor = small.popLast(), let rich = large.popLast() {
            other[poor] = rich
            kept[rich] -= total - kept[poor]
            if kept[rich] < total { small.append(rich) } else { large.append(rich) }
        }
    }

    /// An entry; there must be one.
    @inline(__always)
    func draw(_ generator: inout SplitMix) -> Int {
        let box = generator.below(count)
        if kept.isEmpty { return box }
        return generator.below(total) < kept[box] ? box : other[box]
    }
}
