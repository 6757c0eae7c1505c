internal import Synchronization

/// How one request ended.
enum Outcome {
    case success
    /// It succeeded, and took too long.
    case slow
    case failure
    /// It had begun to succeed, which is counted, and then the answer broke off.
    case brokenOff
}

/// Outcomes within a window, added up.
struct OutcomeSums: Equatable {
    var total = 0
    var failures = 0
    var slow = 0
}

/// What one worker has seen of one breaker lately, in ten steps of time.
///
/// Only its worker writes, with plain loads and stores. Others add up, without stopping it: a sum may miss what is
/// written at that moment, and never counts what is too old.
final class OutcomeWindow: Sendable {
    private static let count = 10

    private struct Bucket: ~Copyable {
        /// The step of time and the generation that it holds; 0 while it is being emptied.
        let tag = Atomic<UInt64>(0)
        let total = Atomic<Int>(0)
        let failures = Atomic<Int>(0)
        let slow = Atomic<Int>(0)
    }

    /// The whole window, in nanoseconds.
    let length: UInt64
    private let step: UInt64
    private let buckets: InlineArray<10, Bucket>

    init(length: UInt64) {
        self.length = length
        step = max(1, length / UInt64(Self.count))
        buckets = InlineArray { _ in Bucket() }
    }

    /// Notes an outcome; on the window's own worker only.
    ///
    /// - Parameter generation: of the breaker's state; what earlier ones have left is never counted again.
    func add(_ outcome: Outcome, generation: UInt64, at now: UInt64) {
        let number = now / step
        let tag = Self.tag(number, generation)
        let index = Int(number % UInt64(Self.count))
        if buckets[index].tag.load(ordering: .relaxed) != tag { empty(index, for: tag) }
        if outcome != .brokenOff { Self.increase(buckets[index].total) }
        switch outcome {
        case .success: break
        case .slow: Self.increase(buckets[index].slow)
        case .failure, .brokenOff: Self.increase(buckets[index].failures)
        }
    }

    private func empty(_ index: Int, for tag: UInt64) {
        buckets[index].tag.store(0, ordering: .sequentiallyConsistent)
        buckets[index].total.store(0, ordering: .relaxed)
        buckets[index].failures.store(0, ordering: .relaxed)
        buckets[index].slow.store(0, ordering: .relaxed)
        buckets[index].tag.store(tag, ordering: .releasing)
    }

    private static func increase(_ cell: borrowing Atomic<Int>) {
        cell.store(cell.load(ordering: .relaxed) &+ 1, ordering: .relaxed)
    }

    /// Adds what is in the window now; from any thread.
    func addUp(into sums: inout OutcomeSums, generation: UInt64, at now: UInt64) {
        let number = now / step
        let oldest = number >= UInt64(Self.count) ? number - UInt64(Self.count) + 1 : 0
        for index in 0..<Self.count {
            let tag = buckets[index].tag.load(ordering: .acquiring)
            guard tag != 0, tag & 0xFFFF == Self.tag(0, generation) & 0xFFFF else { continue }
            guard tag >> 16 >= oldest & Self.numberMask, tag >> 16 <= number & Self.numberMask else { continue }
            sums.total += buckets[index].total.load(ordering: .relaxed)
            sums.failures += buckets[index].failures.load(ordering: .relaxed)
            sums.slow += buckets[index].slow.load(ordering: .relaxed)
        }
    }

    private static let numberMask: UInt64 = (1 << 48) - 1

    /// Never 0 for a step that has begun: steps are at least 10 ms, and the clock does not stand at its start.
    private static func tag(_ number: UInt64, _ generation: UInt64) -> UInt64 {
        (number & numberMask) << 16 | generation & 0xFFFF
    }
}
