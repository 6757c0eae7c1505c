/// How much may come out of a compressed body.
struct InflateLimits {
    /// How many bytes for each one that came in.
    let ratio: Int
    /// How many bytes in all.
    let size: Int

    /// What is too little to do harm, whatever it was made of: short texts of one letter are no attack.
    private static let harmless = 64 * 1024

    /// The most that may have come out of so many bytes.
    func output(of input: Int) -> Int {
        let (product, overflow) = input.multipliedReportingOverflow(by: ratio)
        return overflow ? size : min(size, product + Self.harmless)
    }
}
