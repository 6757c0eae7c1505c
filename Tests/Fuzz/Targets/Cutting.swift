internal import FilterTesting

extension Splitter {
    /// Cuts byte by byte, and in pieces that depend on the bytes.
    ///
    /// That the pieces follow from the input keeps a found input good, and lets the fuzzer change both.
    init(fuzzing input: [UInt8]) {
        self.init(input)
        cutLimit = 0
        randomRuns = 1
        seed = input.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    }
}
