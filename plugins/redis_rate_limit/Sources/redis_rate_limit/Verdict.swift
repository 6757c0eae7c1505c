/// What has become of a question to Redis.
enum Verdict: Sendable, Equatable {
    /// There was a token; how long it is until the bucket is full, in ticks.
    case passed(missing: Int64)
    /// There was none.
    case limited(missing: Int64)
    /// Nobody knows.
    case failed(Failure)
}

/// Why Redis did not decide; the labels of the counter.
enum Failure: String, Sendable, CaseIterable {
    /// It did not answer in time.
    case timeout
    /// There is no connection to it.
    case unavailable
    /// Too many requests wait for it.
    case overflow
    /// It answered with an error.
    case refused
}
