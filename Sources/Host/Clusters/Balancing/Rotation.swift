/// Goes round a list so that everyone's turns are as many as its weight says, and spread evenly.
///
/// With equal weights a turn is one step. Otherwise the k-th turn of an entry with weight w is due at (k + ½) / w of a
/// round, and a heap has the one that is due next on top; a round is as many turns as the weights have in sum. All of
/// it is whole numbers, so every round is exact.
struct Rotation {
    private var count = 0
    private var position = 0
    /// Empty where all are equal.
    private var weights: [Int] = []
    /// Turns that each has had in this round.
    private var given: [Int] = []
    private var heap: [Int] = []
    /// The heap at the beginning of a round.
    private var fresh: [Int] = []
    private var turnsLeft = 0

    /// Takes new weights, and begins anywhere in a round, so that workers do not all begin with the same entry.
    mutating func update(_ weights: [Int], _ generator: inout SplitMix) {
        count = weights.count
        position = count > 0 ? generator.below(count) : 0
        let isEqual = weights.allSatisfy { $0 == weights.first }
        let divisor = weights.reduce(0, Self.commonDivisor)
        self.weights = isEqual ? [] : weights.map { $0 / divisor }
        given = self.weights.map { _ in 0 }
        fresh = self.weights.indices.sorted { isBefore($0, $1) }
        heap = fresh
        turnsLeft = self.weights.reduce(0, +)
        guard !isEqual else { return }
        for _ in 0..<generator.below(min(turnsLeft, 1024)) { _ = next() }
    }

    /// Whose turn it is; there must be somebody.
    @inline(__always)
    mutating func next() -> Int {
        if !weights.isEmpty { return nextByWeight() }
        position = position + 1 < count ? position + 1 : 0
        return position
    }

    private mutating func nextByWeight() -> Int {
        let first = heap[0]
        given[first] += 1
        turnsLeft -= 1
        if turnsLeft == 0 { beginRound() } else { sink() }
        return first
    }

    private mutating func beginRound() {
        for index in weights.indices {
            given[index] = 0
            heap[index] = fresh[index]
            turnsLeft += weights[index]
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
        let leftDue = (2 * given[left] + 1) * weights[right]
        let rightDue = (2 * given[right] + 1) * weights[left]
        return leftDue == rightDue ? left < right : leftDue < rightDue
    }

    private static func commonDivisor(_ left: Int, _ right: Int) -> Int {
        right == 0 ? left : commonDivisor(right, left % right)
    }
}
