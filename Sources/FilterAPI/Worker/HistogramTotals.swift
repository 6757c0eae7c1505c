/// What histograms of several workers hold together, for whoever shows it.
package struct HistogramTotals: Sendable {
    /// The sum of all values.
    package var sum: UInt64 = 0
    /// How many values there are.
    package private(set) var count: UInt64 = 0
    private var buckets: [UInt64]
    /// No decade outside of these has a value.
    private var used: ClosedRange<Int>?

    /// No values.
    package init() {
        buckets = Array(repeating: 0, count: HistogramScale.decadeCount * HistogramScale.bucketCount)
    }

    /// Forgets all values, and keeps the memory.
    package mutating func removeAll() {
        sum = 0
        count = 0
        guard let used else { return }
        for index in used.lowerBound * HistogramScale.bucketCount..<(used.upperBound + 1) * HistogramScale.bucketCount {
            buckets[index] = 0
        }
        self.used = nil
    }

    mutating func add(_ number: UInt64, decade: Int, bucket: Int) {
        guard number > 0 else { return }
        buckets[decade * HistogramScale.bucketCount + bucket] &+= number
        count &+= number
        used = min(decade, used?.lowerBound ?? decade)...max(decade, used?.upperBound ?? decade)
    }

    /// Shows each bucket that has values, from the lowest: its bounds, the lower one not included, and how many.
    package func forEachBucket(_ body: (_ lower: UInt64, _ upper: UInt64, _ count: UInt64) -> Void) {
        guard let used else { return }
        for decade in used {
            for bucket in 0..<HistogramScale.bucketCount {
                let number = buckets[decade * HistogramScale.bucketCount + bucket]
                guard number > 0 else { continue }
                body(
                    HistogramScale.lowerBound(decade: decade, bucket: bucket),
                    HistogramScale.upperBound(decade: decade, bucket: bucket), number)
            }
        }
    }

    /// How many values are not above each of the bounds, which rise.
    ///
    /// Exact where a bound is one of a bucket; else what is in the bucket around it is not counted.
    package func counts(upTo bounds: [UInt64], into counts: inout [UInt64]) {
        for index in bounds.indices { counts[index] = 0 }
        forEachBucket { _, upper, number in
            for index in bounds.indices.reversed() {
                guard bounds[index] >= upper else { break }
                counts[index] &+= number
            }
        }
    }

    /// The value below which a share of all values is, as near as the buckets tell; nil where there are none.
    package func quantile(_ share: Double) -> Double? {
        guard count > 0 else { return nil }
        let wanted = share * Double(count)
        var seen = 0.0
        var found: Double?
        var last = 0.0
        forEachBucket { lower, upper, number in
            last = Double(upper)
            guard found == nil else { return }
            if seen + Double(number) >= wanted {
                let part = max(0, (wanted - seen) / Double(number))
                found = Double(lower) + (Double(upper) - Double(lower)) * part
            }
            seen += Double(number)
        }
        return found ?? last
    }
}
