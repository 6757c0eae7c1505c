/// The buckets of a ``Histogram``: 35 in each decade from 10 on, in steps of 0.1 from 1 to 2.5, of 0.25 to 5,
/// of 0.5 to 10.
///
/// Decimal, so that the bounds that monitoring systems are used to (0.005, 0.025, 0.075 s) are bounds of buckets, and
/// counts below them are exact. A bucket holds what is above its lower and up to its upper bound, as Prometheus' do.
public enum HistogramScale {
    /// From 1 to 10^13: of nanoseconds, to almost three hours. What is above is in the last bucket.
    package static let decadeCount = 13
    /// Buckets in each decade.
    package static let bucketCount = 35

    /// Where a value is counted.
    @inlinable
    public static func place(of value: UInt64) -> (decade: Int, bucket: Int) {
        // Bounds belong to the bucket below them.
        let value = value == 0 ? 0 : value &- 1
        // Below ten a bucket is one number.
        if value < 10 { return (0, Int(value)) }
        // Divisions by numbers that the compiler knows are multiplications. The mantissa is in twentieths.
        let (decade, mantissa): (Int, UInt64) =
            switch value {
            case ..<100: (1, value &* 2)
            case ..<1000: (2, value / 5)
            case ..<10_000: (3, value / 50)
            case ..<100_000: (4, value / 500)
            case ..<1_000_000: (5, value / 5000)
            case ..<10_000_000: (6, value / 50_000)
            case ..<100_000_000: (7, value / 500_000)
            case ..<1_000_000_000: (8, value / 5_000_000)
            case ..<10_000_000_000: (9, value / 50_000_000)
            case ..<100_000_000_000: (10, value / 500_000_000)
            case ..<1_000_000_000_000: (11, value / 5_000_000_000)
            case ..<10_000_000_000_000: (12, value / 50_000_000_000)
            default: (12, 199)
            }
        let bucket: UInt64 =
            if mantissa < 50 { (mantissa &- 20) / 2 } else if mantissa < 100 {
                15 &+ (mantissa &- 50) / 5
            } else { 25 &+ (mantissa &- 100) / 10 }
        return (decade, Int(bucket))
    }

    /// The upper bound of a bucket.
    package static func upperBound(decade: Int, bucket: Int) -> UInt64 {
        if decade == 0 { return UInt64(bucket) + 1 }
        var power: UInt64 = 1
        for _ in 0..<decade { power *= 10 }
        return (power * twentieths(after: bucket) + 19) / 20
    }

    /// The lower bound of a bucket.
    package static func lowerBound(decade: Int, bucket: Int) -> UInt64 {
        if bucket > 0 { return upperBound(decade: decade, bucket: bucket - 1) }
        return decade == 0 ? 0 : decade == 1 ? 10 : upperBound(decade: decade - 1, bucket: bucketCount - 1)
    }

    private static func twentieths(after bucket: Int) -> UInt64 {
        let next = UInt64(bucket) + 1
        return next <= 15 ? 20 + 2 * next : next <= 25 ? 50 + 5 * (next - 15) : 100 + 10 * (next - 25)
    }
}
