import FilterAPI

/// A limit, with everything that is said where it is reached, and where nobody knows whether it is.
final class Limit: Sendable {
    /// For how long one token grows, in ticks; rounded down, so that none comes late.
    private let interval: Int64
    /// How long an empty bucket takes to be full.
    private let depth: Int64
    private let burst: Int
    /// For operators.
    let reached: ReachedLimit
    /// What Redis is asked with, behind the key.
    let arguments: [UInt8]
    private let answer: LimitAnswer

    /// - Parameters:
    ///   - rule: has passed its check, and has `requests`.
    ///   - whose: in words.
    ///   - place: where it is set.
    init(_ rule: RuleSettings, whose: String, answer: LimitAnswer, place: String) {
        let requests = rule.requests ?? 1
        let span = rule.per ?? .seconds(1)
        burst = rule.burst ?? requests
        let ticks = Int64(span.wholeNanoseconds) * (BucketScript.ticksPerSecond / 1_000_000) / 1000
        interval = max(1, ticks / Int64(requests))
        depth = interval * Int64(burst)
        let atOnce = burst == requests ? "" : ", \(burst) at once,"
        let count = requests == 1 ? "1 request" : "\(requests) requests"
        reached = ReachedLimit(
            text: "the limit of \(count) in \(Self.text(span))\(atOnce) for \(whose) is reached", place: place)
        arguments = RESP.word("\(interval)") + RESP.word("\(depth)")
        self.answer = answer
    }

    private static func text(_ span: Duration) -> String {
        let milliseconds = span.wholeNanoseconds / 1_000_000
        return milliseconds % 1000 == 0 ? "\(milliseconds / 1000)s" : "\(milliseconds)ms"
    }

    /// Seconds until there is a token, rounded up.
    ///
    /// - Parameter missing: how long it is until the bucket is full, in ticks.
    func secondsToNext(_ missing: Int64) -> Int { Self.seconds(missing - (depth - interval)) }

    private static func seconds(_ ticks: Int64) -> Int {
        Int((max(0, ticks) + BucketScript.ticksPerSecond - 1) / BucketScript.ticksPerSecond)
    }

    /// The fields that tell of the bucket.
    func fields(_ missing: Int64) -> [(name: HeaderName, value: String)] {
        let names = answer.names
        return [
            (names.limit, "\(burst)"), (names.remaining, "\(max(0, depth - missing) / interval)"),
            (names.reset, "\(Self.seconds(missing))"),
        ]
    }

    /// Does with a held request what has been decided; from any thread.
    func use(_ token: consuming Resumption, _ verdict: Verdict) {
        switch verdict {
        case .failed where answer.isClosed:
            token.reply(503, body: "it cannot be told whether this is within the limit\n")
        case .passed, .failed:
            token.resume()
        case .limited(let missing):
            let retry = (name: HeaderName.retryAfter, value: "\(max(1, secondsToNext(missing)))")
            token.reply(
                answer.status, body: answer.body ?? reached.text + "\n",
                fields: [retry] + (answer.fieldUse == .off ? [] : fields(missing)))
        }
    }

    var isClosed: Bool { answer.isClosed }
}

/// How a filter answers; the same for all of its limits.
struct LimitAnswer: Sendable {
    var status: Status
    var body: String?
    var fieldUse: RedisRateLimit.FieldUse
    /// By the names of the IETF's drafts (draft-ietf-httpapi-ratelimit-headers-06), or those that were common before.
    var names: (limit: HeaderName, remaining: HeaderName, reset: HeaderName)
    /// Whether requests do not go on where Redis does not decide.
    var isClosed: Bool

    init(_ settings: RedisRateLimit.Settings) throws(ConfigurationFault) {
        let prefix = settings.headerPrefix.rawValue
        guard let limit = HeaderName("\(prefix)-limit"), let remaining = HeaderName("\(prefix)-remaining"),
            let reset = HeaderName("\(prefix)-reset")
        else { throw ConfigurationFault("cannot be the beginning of a field's name", key: "header_prefix") }
        names = (limit, remaining, reset)
        status = Status(settings.status)
        body = settings.body
        fieldUse = settings.headers
        isClosed = settings.onError == .closed
    }
}
