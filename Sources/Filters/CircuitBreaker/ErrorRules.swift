internal import FilterAPI

/// ``CircuitBreaker/ErrorSettings`` as requests use them: times in nanoseconds.
struct ErrorRules {
    let window: UInt64
    let minRequests: Int
    let failureRate: Percent
    let consecutive: Int
    /// 0 where no answer is slow.
    let slowCall: UInt64
    let slowRate: Percent
    let openFor: UInt64
    let maxOpenFor: UInt64
    let probes: Int
    let failures: FailureKinds

    init(_ settings: CircuitBreaker.ErrorSettings) {
        window = settings.window.wholeNanoseconds
        minRequests = settings.minRequests
        failureRate = settings.failureRate
        consecutive = settings.consecutive
        slowCall = settings.slowCall?.wholeNanoseconds ?? 0
        slowRate = settings.slowRate
        openFor = settings.openFor.wholeNanoseconds
        maxOpenFor = settings.maxOpenFor.wholeNanoseconds
        probes = settings.probes
        failures = FailureKinds(settings.failures)
    }

    /// Whether what has happened opens a closed breaker, and why.
    func cause(_ sums: OutcomeSums, inARow: Int) -> OpeningCause? {
        if consecutive > 0, inARow >= consecutive { return .inARow(inARow) }
        guard sums.total >= minRequests else { return nil }
        if Self.reaches(failureRate, sums.failures, of: sums.total) {
            return .failureRate(sums.failures, of: sums.total)
        }
        if slowCall > 0, Self.reaches(slowRate, sums.slow, of: sums.total) {
            return .slowRate(sums.slow, of: sums.total)
        }
        return nil
    }

    private static func reaches(_ rate: Percent, _ count: Int, of total: Int) -> Bool {
        count * 1_000_000 >= rate.millionths * total
    }

    /// The cause in words, for the log.
    func words(_ cause: OpeningCause) -> String {
        switch cause {
        case .inARow(let count): "\(count) failures in a row"
        case .failureRate(let count, let total): "\(count) of \(total) requests failed within \(TimeText.of(window))"
        case .slowRate(let count, let total):
            "\(count) of \(total) requests within \(TimeText.of(window)) took \(TimeText.of(slowCall)) or longer"
        case .probeFailed: "a probe failed"
        case .probeSlow: "a probe took \(TimeText.of(slowCall)) or longer"
        }
    }
}

/// Why a breaker opened.
enum OpeningCause: Equatable {
    case inARow(Int)
    case failureRate(Int, of: Int)
    case slowRate(Int, of: Int)
    case probeFailed
    case probeSlow
}
