import FilterAPI
import Glibc
import Synchronization

/// One request's question to Redis: from the worker that asks it to the thread that knows the answer, and back.
///
/// Whoever is the first to finish it lets the request go on: the thread, or the worker when the time is over.
final class Decision: Sendable {
    let limit: Limit
    /// The bucket's name in Redis.
    let key: [UInt8]
    private let begin = Decision.now
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var token: Resumption?
        var verdict: Verdict?
        var end: UInt64 = 0

        init(_ token: consuming Resumption) { self.token = consume token }
    }

    init(_ limit: Limit, _ key: [UInt8], _ token: consuming sending Resumption) {
        self.limit = limit
        self.key = key
        state = Mutex(State(token))
    }

    /// Whether somebody still wants to know.
    var isOpen: Bool { state.withLock { $0.token != nil } }

    /// What was decided, and how long that took in nanoseconds; nil while nothing is.
    var outcome: (verdict: Verdict, nanoseconds: UInt64)? {
        state.withLock { state in state.verdict.map { ($0, state.end - begin) } }
    }

    /// Lets the request go on, or answers it, unless that has been done.
    func finish(_ verdict: Verdict) {
        let token = state.withLock { state -> Resumption? in
            guard let token = state.token.take() else { return nil }
            state.verdict = verdict
            state.end = Decision.now
            return token
        }
        if let token { limit.use(token, verdict) }
    }

    /// The request has ended.
    func abandon() {
        // Its stream is over: the token asks nothing of anybody.
        state.withLock { $0.token.take() }?.resume()
    }

    private static var now: UInt64 { monotonicNow() }
}

/// Nanoseconds on the clock that only goes forward.
func monotonicNow() -> UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
}
