internal import Glibc

/// Runs pieces of code many times, and writes down how long the fastest batch of them took.
///
/// The fastest and not the mean: what disturbs a measurement only ever makes it slower.
struct Measure {
    /// Nanoseconds that a batch should take at least.
    static let batchTime: UInt64 = 2_000_000

    private let only: [String]
    private let batches: Int

    /// - Parameter arguments: names, or parts of them, of what to run; `--batches N` for how often.
    init(_ arguments: ArraySlice<String>) {
        var names: [String] = []
        var count = 200
        var rest = arguments
        while let word = rest.popFirst() {
            if word == "--batches" { count = rest.popFirst().flatMap { Int($0) } ?? count } else { names.append(word) }
        }
        only = names
        batches = count
        Self.line("\(Self.padded("what", 44)) \(Self.padded("min ns", 10)) \(Self.padded("median ns", 10))")
    }

    /// Whether a name was asked for.
    func wants(_ name: String) -> Bool { only.isEmpty || only.contains { name.contains($0) } }

    /// Measures one thing.
    ///
    /// - Parameters:
    ///   - name: its line in the table.
    ///   - body: does it as often as it is told to.
    /// - Returns: nanoseconds in the fastest batch; nil where it was not asked for.
    @discardableResult
    func run(_ name: String, _ body: (Int) -> Void) -> Double? {
        guard wants(name) else { return nil }
        let count = size(body)
        var times: [UInt64] = []
        for _ in 0..<max(1, batches) { times.append(Self.time { body(count) }) }
        times.sort()
        let minimum = Self.figure(times[0], count)
        let median = Self.figure(times[times.count / 2], count)
        Self.line("\(Self.padded(name, 44)) \(Self.padded(minimum, 10)) \(Self.padded(median, 10))")
        return Double(times[0]) / Double(count)
    }

    /// Adds a figure that follows from others.
    func note(_ name: String, _ value: Double) {
        let hundredths = Int((value * 100).rounded())
        let rest = abs(hundredths % 100)
        Self.line("\(Self.padded("  " + name, 44)) \(hundredths / 100).\(rest < 10 ? "0" : "")\(rest)")
    }

    /// How often the code must run for a batch to be worth timing.
    private func size(_ body: (Int) -> Void) -> Int {
        var count = 1
        while true {
            let elapsed = Self.time { body(count) }
            if elapsed >= Self.batchTime || batches <= 1 && count >= 1000 { return count }
            let enough = Int(Self.batchTime * UInt64(count) / max(elapsed, 1)) * 11 / 10
            count = elapsed < 1000 ? count * 16 : max(count + 1, enough)
        }
    }

    private static func time(_ body: () -> Void) -> UInt64 {
        let before = now()
        body()
        return now() - before
    }

    private static func now() -> UInt64 {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func figure(_ elapsed: UInt64, _ count: Int) -> String {
        let tenths = elapsed * 10 / UInt64(count)
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.utf8.count))
    }

    private static func line(_ text: String) {
        var bytes = Array((text + "\n").utf8)
        _ = unsafe write(STDOUT_FILENO, &bytes, bytes.count)
    }
}
