/// Phase and generation of a breaker in one word, which requests read without a lock.
struct CircuitGate: Equatable {
    let word: UInt64

    init(word: UInt64) { self.word = word }

    init(_ phase: CircuitState.Phase, _ generation: UInt64) { word = generation << 2 | phase.rawValue }

    var isClosed: Bool { word & 3 == 0 }
    var phase: CircuitState.Phase { CircuitState.Phase(rawValue: word & 3) ?? .closed }
    var generation: UInt64 { word >> 2 }
}
