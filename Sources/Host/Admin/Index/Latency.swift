internal import FilterAPI

/// How long something took, as the index page tells it.
struct Latency {
    private(set) var count: UInt64 = 0
    /// In nanoseconds; 0 without values.
    private(set) var median = 0.0
    private(set) var high = 0.0
    /// Upper bounds in nanoseconds with how many values are in the bucket, for whoever works out what is new.
    private(set) var buckets: [(bound: UInt64, count: UInt64)] = []

    /// No values.
    init() {}

    init(_ totals: borrowing HistogramTotals) {
        count = totals.count
        median = totals.quantile(0.5) ?? 0
        high = totals.quantile(0.99) ?? 0
        var found: [(bound: UInt64, count: UInt64)] = []
        totals.forEachBucket { _, upper, number in found.append((upper, number)) }
        buckets = found
    }

    /// Those of several together.
    static func sum(_ all: [Latency]) -> Latency {
        var counts: [UInt64: UInt64] = [:]
        for one in all { for bucket in one.buckets { counts[bucket.bound, default: 0] += bucket.count } }
        var sum = Latency()
        sum.buckets = counts.map { ($0.key, $0.value) }.sorted { $0.bound < $1.bound }
        sum.count = sum.buckets.reduce(0) { $0 + $1.count }
        sum.median = sum.bound(0.5)
        sum.high = sum.bound(0.99)
        return sum
    }

    /// The upper bound of the bucket in which a share of the values ends.
    private func bound(_ share: Double) -> Double {
        var left = share * Double(count)
        for bucket in buckets {
            left -= Double(bucket.count)
            if left <= 0 { return Double(bucket.bound) }
        }
        return Double(buckets.last?.bound ?? 0)
    }
}
