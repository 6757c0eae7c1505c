internal import Engine

/// What one filter adds to the walk of a request down a chain and of its response up, in nanoseconds.
struct FilterCost {
    /// In each round both chains run, so that what the machine does meanwhile concerns both.
    private static let rounds = 41
    private static let roundTime: Nanoseconds = 10_000_000

    /// Half of the rounds cost less.
    let median: Double
    /// A quarter of the rounds cost less, and a quarter more.
    let quartiles: (low: Double, high: Double)
    /// The walk without the filter.
    let base: Double

    init(without: ChainTrial, with: ChainTrial) {
        var count = 1000
        while Self.time(with, count) < Self.roundTime / 2, count < 1 << 24 { count *= 2 }
        _ = Self.time(without, count)
        var differences: [Double] = []
        var bases: [Double] = []
        for round in 0..<Self.rounds {
            // The order changes, so that neither always has what the other has warmed up.
            let isFirst = round.isMultiple(of: 2)
            let one = Self.time(isFirst ? without : with, count)
            let other = Self.time(isFirst ? with : without, count)
            let (plain, filtered) = isFirst ? (one, other) : (other, one)
            differences.append((Double(filtered) - Double(plain)) / Double(count))
            bases.append(Double(plain) / Double(count))
        }
        differences.sort()
        bases.sort()
        median = differences[Self.rounds / 2]
        quartiles = (differences[Self.rounds / 4], differences[Self.rounds * 3 / 4])
        base = bases[Self.rounds / 2]
    }

    private static func time(_ trial: ChainTrial, _ count: Int) -> Nanoseconds {
        let begin = Syscalls.timeNow()
        trial.run(count)
        return Syscalls.timeNow() - begin
    }

    /// For the author.
    func text(_ name: String) -> String {
        var text = """
            \(name): \(Self.short(median)) ns per request (half of \(Self.rounds) rounds: \(Self.short(quartiles.low)) to \
            \(Self.short(quartiles.high)))
            the chain without it: \(Self.short(base)) ns; a GET without a body, and an answer without one

            """
        #if DEBUG
            text += "This Sluice is a debug build: a release build is several times faster, and its filters too.\n"
        #endif
        return text
    }

    private static func short(_ value: Double) -> String {
        let tenths = Int((value * 10).rounded())
        return "\(tenths < 0 ? "-" : "")\(abs(tenths) / 10).\(abs(tenths) % 10)"
    }
}
