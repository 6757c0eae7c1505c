/// How long each filter has had a request in hand: its own code and what it held, without what is below it.
///
/// There only where the listener measures it (`filter_times`).
///
/// SAFETY: `words` has `perStage` for each of 64 stages, and is freed with the object. Belongs to one worker.
@safe
public final class FilterTimes {
    /// Which way an event went.
    public enum Direction: Int, Sendable, CaseIterable {
        /// Down, to the upstream.
        case request
        /// Up, to the client.
        case response
    }

    private static var perStage: Int { 2 }
    private let words: UnsafeMutablePointer<UInt64>
    /// The names of the HTTP stages, from the top.
    package var names: [String] = []
    /// Stages that have something to tell, by direction.
    private var used: (request: UInt64, response: UInt64) = (0, 0)

    package init() {
        unsafe words = .allocate(capacity: 64 * Self.perStage)
        unsafe words.initialize(repeating: 0, count: 64 * Self.perStage)
    }

    deinit { unsafe words.deallocate() }

    /// Adds to what a stage has taken.
    @inline(__always)
    package func add(_ time: UInt64, stage: Int, _ direction: Direction) {
        let bit = UInt64(1) << UInt64(stage)
        if direction == .request { used.request |= bit } else { used.response |= bit }
        unsafe words[stage * Self.perStage + direction.rawValue] &+= time
    }

    /// Shows what there is, each once.
    package func forEach(_ body: (_ stage: Int, Direction, _ time: UInt64) -> Void) {
        for direction in Direction.allCases {
            var mask = direction == .request ? used.request : used.response
            while mask != 0 {
                let stage = mask.trailingZeroBitCount
                mask &= mask &- 1
                body(stage, direction, unsafe words[stage * Self.perStage + direction.rawValue])
            }
        }
    }

    /// Forgets all.
    package func reset() {
        forEach { stage, direction, _ in unsafe words[stage * Self.perStage + direction.rawValue] = 0 }
        used = (0, 0)
    }

    /// Puts each time through a function; from ticks to nanoseconds.
    package func convert(_ body: (UInt64) -> UInt64) {
        forEach { stage, direction, time in
            unsafe words[stage * Self.perStage + direction.rawValue] = body(time)
        }
    }

    /// What a filter has taken; nil where there is none of this name. Known when the request is over.
    ///
    /// - Parameters:
    ///   - filter: its name in the chain.
    ///   - direction: nil for both together.
    public func nanoseconds(of filter: String, _ direction: Direction? = nil) -> UInt64? {
        guard let stage = names.firstIndex(of: filter) else { return nil }
        let both = unsafe (words[stage * Self.perStage], words[stage * Self.perStage + 1])
        switch direction {
        case .request: return both.0
        case .response: return both.1
        case nil: return both.0 &+ both.1
        }
    }
}
