internal import Engine
internal import FilterAPI
internal import Glibc

/// The weights of endpoints that have just become good: `time / window`, to the power of `1 / aggression`, of the full
/// one, but never less than a share of it (Envoy's formula).
struct SlowStart {
    /// Weights are whole numbers, so all of a list's weights are multiplied by this while one of them grows.
    static let scale = 100

    let window: Nanoseconds
    private let exponent: Double
    private let least: Double

    init(_ settings: SlowStartSettings) {
        window = settings.window.wholeNanoseconds
        exponent = 1 / settings.aggression
        least = Double(settings.minWeight.millionths) / 1_000_000
    }

    /// Between two looks at weights that grow.
    var interval: Nanoseconds { max(window / 20, 100_000_000) }

    func isOver(since start: Nanoseconds, at now: Nanoseconds) -> Bool { now >= start && now - start >= window }

    /// A weight times ``scale``, as far as it has grown; never 0.
    func weight(_ full: Int, since start: Nanoseconds, at now: Nanoseconds) -> Int {
        if isOver(since: start, at: now) { return full * Self.scale }
        let elapsed = now > start ? Double(now - start) : 0
        let grown = max(least, pow(elapsed / Double(window), exponent))
        return max(1, Int((Double(full * Self.scale) * grown).rounded()))
    }
}
