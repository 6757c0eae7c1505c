/// A share of a hundred, written in config files with or without its sign: `20%`, `0.5%`, `20`.
///
/// Kept in ten-thousandths of a per cent, so that comparing and drawing lots are whole numbers.
public struct Percent: Codable, Sendable, Hashable, Comparable {
    /// Millionths of the whole: 1,000,000 is 100 %.
    public var millionths: Int

    /// That many millionths of the whole.
    public init(millionths: Int) { self.millionths = millionths }

    /// That many whole per cent.
    public static func percent(_ count: Int) -> Percent { Percent(millionths: count * 10_000) }

    /// Nothing of it.
    public static let zero = Percent(millionths: 0)

    /// All of it.
    public static let all = Percent(millionths: 1_000_000)

    /// This share of a number, rounded down.
    public func of(_ whole: Int) -> Int { whole * millionths / 1_000_000 }

    /// Whether a lot falls within this share.
    ///
    /// - Parameter lot: 64 random bits.
    public func covers(_ lot: UInt64) -> Bool {
        lot.multipliedFullWidth(by: 1_000_000).high < UInt64(clamping: millionths)
    }

    /// Compares by size.
    public static func < (left: Percent, right: Percent) -> Bool { left.millionths < right.millionths }
}
