/// Goes round a list so that everyone's turns are as many as its weight says, and spread evenly.
///
/// With equal weights a turn is one step. Otherwise a round is as many turns as the weights have in sum, an entry with
/// weight w has its turns 1 / w of a round apart, and those with the same weight begin one after the other within that
/// time. A heap has the entry that is due next on top. All of it is whole numbers, so every round is exact.
struct Rotation {
    private var count = 0
    private var position = 0
    /// Empty where all weights are equal.
    private var entries: [Entry] = []
    private var heap: [Int] = []
    /// The heap at the beginning of a round.
    private var fresh: [Int] = []
    private var turnsLeft = 0

    /// An entry's next turn is due at `due / scale` of a round.
    private struct Entry {
        let weight: Int
        let scale: Int
        /// From one turn to the next.
        let step: Int
        let first: Int
        var due: Int
    }

    /// Takes new weights, and begins anywhere in a round, so that workers do not all begin with the same entry.
    mutating func update(_ weights: [Int], _ generator: inout SplitMix) {
        count = weights.count
        position = count > 0 ? generator.below(count) : 0
        entries = weights.allSatisfy { $0 == weights.first } ? [] : Self.entries(weights)
        fresh = entries.indices.sorted { isBefore($0, $1) }
        heap = fresh
        turnsLeft = entries.reduce(0) { $0 + $1.weight }
        guard !entries.isEmpty else { return }
        for _ in 0..<generator.below(min(turnsLeft, 1024)) { _ = next() }
    }

    private static func entries(_ weights: [Int]) -> [Entry] {
        let divisor = weights.reduce(0, commonDivisor)
        let sizes = Dictionary(weights.map { ($0, 1) }, uniquingKeysWith: +)
        var ranks: [Int: Int] = [:]
        return weights.map { weight in
            let rank = ranks[weight, default: 0]
            ranks[weight] = rank + 1
            let size = sizes[weight] ?? 1
            let reduced = weight / divisor
            let first = 2 * rank + 1
            return Entry(weight: reduced, scale: 2 * reduced * size, step: 2 * size, first: first, due: first)
        }
    }

    /// Whose turn it is; there must be somebody.
    @inline(__always)
    mutating func next() -> Int {
        if !entries.isEmpty { return nextByWeight() }
        position = position + 1 < count ? position + 1 : 0
        return position
    }

    private mutating func nextByWeight() -> Int {
        let first = heap[0]
        entries[first].due += entries[first].step
        turnsLeft -= 1
        if turnsLeft == 0 { beginRound() } else { sink() }
        return first
    }

    private mutating func beginRound() {
        for index in entries.indices {
            entries[index].due = entries[index].first
            heap[index] = fresh[index]
            turnsLeft += entries[index].weight
        }
    }

    /// The top of the heap has had its turn: moves it to where it belongs now.
    private mutating func sink() {
        var place = 0
        let moved = heap[0]
        while true {
            var child = 2 * place + 1
            guard child < heap.count else { break }
            if child + 1 < heap.count, isBefore(heap[child + 1], heap[child]) { child += 1 }
            guard isBefore(heap[child], moved) else { break }
            heap[place] = heap[child]
            place = child
        }
        heap[place] = moved
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        let leftDue = entries[left].due * entries[right].scale
        let rightDue = entries[right].due * entries[left].scale
        return leftDue == rightDue ? left < right : leftDue < rightDue
    }

    private static func commonDivisor(_ left: Int, _ right: Int) -> Int {
        right == 0 ? left : commonDivisor(right, left % right)
    }
}
