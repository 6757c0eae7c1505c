/// Something that takes any bytes, with a check of what it makes of them.
public protocol FuzzTarget {
    /// Shows it an input.
    ///
    /// - Returns: what is wrong; nil where nothing is. Where a check of the program itself fails, the process traps.
    func complaint(about input: [UInt8]) -> String?
}

/// The targets by their names; each has a folder of that name in `Tests/Fuzz/corpus` and `Tests/Fuzz/regressions`.
public enum FuzzTargets {
    /// The names.
    public static let names = ["request", "response", "config", "gzip", "http2"]

    /// Makes a target; nil where there is none of that name.
    public static func make(_ name: String) -> (any FuzzTarget)? {
        switch name {
        case "request": RequestTarget()
        case "response": ResponseTarget()
        case "config": ConfigTarget()
        case "gzip": GzipTarget()
        case "http2": HTTP2Target()
        default: nil
        }
    }
}
