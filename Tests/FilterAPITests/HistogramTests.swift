import FilterAPI
import Testing

@Suite("Histograms") struct HistogramTests {
    /// Where a value belongs, found by looking at all bounds.
    private func slowPlace(_ value: UInt64) -> (decade: Int, bucket: Int) {
        for decade in 0..<HistogramScale.decadeCount {
            // Below ten a bucket is one number.
            for bucket in 0..<(decade == 0 ? 10 : HistogramScale.bucketCount)
            where value <= HistogramScale.upperBound(decade: decade, bucket: bucket) {
                return (decade, bucket)
            }
        }
        return (HistogramScale.decadeCount - 1, HistogramScale.bucketCount - 1)
    }

    @Test("A bucket begins where the one before ends") func bounds() {
        for decade in 1..<HistogramScale.decadeCount {
            for bucket in 0..<HistogramScale.bucketCount {
                let lower = HistogramScale.lowerBound(decade: decade, bucket: bucket)
                let upper = HistogramScale.upperBound(decade: decade, bucket: bucket)
                #expect(lower < upper, "decade \(decade), bucket \(bucket)")
                if bucket > 0 {
                    #expect(lower == HistogramScale.upperBound(decade: decade, bucket: bucket - 1))
                }
                #expect(decade < 2 || Double(upper) <= Double(lower) * 1.1 + 1, "no wider than a tenth")
            }
            let last = HistogramScale.bucketCount - 1
            if decade + 1 < HistogramScale.decadeCount {
                #expect(
                    HistogramScale.upperBound(decade: decade, bucket: last)
                        == HistogramScale.lowerBound(decade: decade + 1, bucket: 0))
            }
        }
    }

    @Test("The bounds that monitoring systems know are bounds in every decade") func knownBounds() {
        var power: UInt64 = 10
        for decade in 1..<HistogramScale.decadeCount {
            let all = (0..<HistogramScale.bucketCount).map { HistogramScale.upperBound(decade: decade, bucket: $0) }
            for tenths in [25, 50, 75, 100] as [UInt64] where decade > 1 || tenths % 10 == 0 {
                #expect(all.contains(power * tenths / 10), "\(tenths) tenths of \(power)")
            }
            power *= 10
        }
    }

    @Test("A value on a bound belongs below it, and the next one above") func valuesOnBounds() {
        for decade in 1..<HistogramScale.decadeCount {
            for bucket in 0..<HistogramScale.bucketCount {
                let bound = HistogramScale.upperBound(decade: decade, bucket: bucket)
                #expect(HistogramScale.place(of: bound) == (decade, bucket), "\(bound)")
                let next = HistogramScale.place(of: bound + 1)
                #expect(next == slowPlace(bound + 1), "\(bound + 1)")
            }
        }
        #expect(HistogramScale.place(of: 0) == (0, 0))
        #expect(HistogramScale.place(of: 1) == (0, 0))
        #expect(HistogramScale.place(of: 10) == (0, 9))
        #expect(HistogramScale.place(of: .max) == (12, 34))
    }

    @Test("Any value is where a look at all bounds finds it") func randomValues() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let value = UInt64.random(in: 0...UInt64.max, using: &generator) >> UInt64.random(in: 20...63)
            #expect(HistogramScale.place(of: value) == slowPlace(value), "\(value)")
        }
    }

    @Test("What several have recorded is added up, exactly at bounds") func totals() {
        let (first, second) = (Histogram.detached(), Histogram.detached())
        defer {
            first.free()
            second.free()
        }
        var values: [UInt64] = [0, 1, 5_000_000, 5_000_001, 25_000_000, 10_000_000_000]
        for _ in 0..<2000 { values.append(UInt64.random(in: 0...20_000_000_000)) }
        for (index, value) in values.enumerated() { (index % 2 == 0 ? first : second).record(value) }
        var totals = HistogramTotals()
        first.add(to: &totals)
        second.add(to: &totals)
        #expect(totals.count == UInt64(values.count))
        #expect(totals.sum == values.reduce(0, +))
        let bounds: [UInt64] = [5_000_000, 25_000_000, 75_000_000, 1_000_000_000, 2_500_000_000, 10_000_000_000]
        var counts: [UInt64] = Array(repeating: 0, count: bounds.count)
        totals.counts(upTo: bounds, into: &counts)
        #expect(counts == bounds.map { bound in UInt64(values.count { $0 <= bound }) })
    }

    @Test("Quantiles are within a tenth") func quantiles() {
        let histogram = Histogram.detached()
        defer { histogram.free() }
        let values = (0..<5000).map { _ in UInt64.random(in: 1000...9_000_000) }.sorted()
        for value in values { histogram.record(value) }
        var totals = HistogramTotals()
        #expect(totals.quantile(0.5) == nil, "there is none of nothing")
        histogram.add(to: &totals)
        for share in [0.1, 0.5, 0.9, 0.99] {
            let right = Double(values[min(values.count - 1, Int(share * Double(values.count)))])
            let found = totals.quantile(share) ?? 0
            #expect(abs(found - right) <= right * 0.11, "\(share): \(found), not \(right)")
        }
    }

    @Test("Memory is taken for decades that have values, and kept by a reset") func memory() {
        let histogram = Histogram.detached()
        defer { histogram.free() }
        #expect(histogram.valueBytes == 0)
        histogram.record(5)
        let one = histogram.valueBytes
        histogram.record(7)
        #expect(one > 0 && histogram.valueBytes == one)
        histogram.record(5_000_000)
        let two = histogram.valueBytes
        #expect(two > one)
        histogram.reset()
        var totals = HistogramTotals()
        histogram.add(to: &totals)
        #expect(totals.count == 0 && totals.sum == 0 && histogram.valueBytes == two)
        histogram.record(7)
        histogram.add(to: &totals)
        #expect(totals.count == 1 && totals.sum == 7)
    }
}
