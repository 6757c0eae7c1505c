internal import FilterAPI
internal import Host

/// What a value in a histogram costs, and what statistics take of memory.
enum StatBenches {
    static func run(_ measure: Measure) {
        let histogram = Histogram.detached()
        measure.run("record a value in a histogram") { count in
            var value: UInt64 = 90_000
            for _ in 0..<count {
                histogram.record(value)
                value = value &* 3 % 40_000_000 &+ 1000
            }
        }
        guard measure.wants("statistics") else { return }
        for workers in [1, 2] {
            let bytes = StatTrial.bytes(workers: workers)
            measure.note("statistics: bytes per cluster, \(workers) workers", bytes.cluster)
            measure.note("statistics: bytes per endpoint, \(workers) workers", bytes.endpoint)
        }
    }
}
