/// Random numbers that cost a nanosecond (xoroshiro128+), for identifiers that nobody else has. Not for secrets.
///
/// 128 bits of state, so that no two workers or processes ever come to draw the same numbers.
package struct RandomBits {
    private var state: (UInt64, UInt64)

    /// Seeded by the system.
    package init() {
        var system = SystemRandomNumberGenerator()
        // All zeros would stay so.
        state = (system.next() | 1, system.next())
    }

    /// 64 bits.
    package mutating func next() -> UInt64 {
        let (one, other) = state
        let mixed = one ^ other
        state.0 = (one << 24 | one >> 40) ^ mixed ^ (mixed << 16)
        state.1 = mixed << 37 | mixed >> 27
        return one &+ other
    }

    /// 64 bits that are not all zero.
    mutating func nextNonZero() -> UInt64 {
        while true {
            let bits = next()
            if bits != 0 { return bits }
        }
    }
}
