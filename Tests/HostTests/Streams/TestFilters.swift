import FilterAPI
import Synchronization

/// Answers by itself: `/flaky` fails at first, `/echo` says what it was sent, `/large` is large, all else is `ok`.
final class Origin: HTTPTerminal {
    static let manifest = Manifest(id: "origin", summary: "Answers.")
    static let largeSize = 16 << 20
    final class Body { var bytes: [UInt8] = [] }
    struct State {
        var path = ""
        let body = Body()
    }
    private var flakyRequests = 0

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State() }

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        state.path = ASCII.string(head.path)
        if last { answer(state, &stream) }
        return .next
    }

    func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        unsafe chunk.withUnsafeBytes { unsafe state.body.bytes.append(contentsOf: $0) }
        if last { answer(state, &stream) }
        return .next
    }

    func requestTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        answer(state, &stream)
        return .next
    }

    private func answer(_ state: State, _ stream: inout FilterAPI.Stream) {
        switch state.path {
        case "/flaky":
            flakyRequests += 1
            if flakyRequests % 2 == 1 { return stream.reply(503, body: "no") }
            stream.reply(200, body: "yes:" + String(decoding: state.body.bytes, as: UTF8.self))
        case "/down": stream.reply(503, body: "no")
        case "/echo": stream.reply(200, body: String(decoding: state.body.bytes, as: UTF8.self))
        case "/large": stream.reply(200, body: String(repeating: "x", count: Self.largeSize))
        default: stream.reply(200, body: "ok")
        }
    }
}

/// Sends a request once more where the answer is 503, or there is none.
final class Again: HTTPFilter {
    struct Settings: FilterSettings {
        var tries = 1
        /// Decide when the body of the answer comes, and hold its head until then.
        var late = false
        /// Let the head go, and ask for a replay all the same.
        var tooLate = false
    }

    static let manifest = Manifest(id: "again", summary: "Tries again.")

    final class Kept {
        let head: RequestHead
        init(_ head: borrowing RequestHead) { self.head = head.copy() }
    }

    final class Record {
        var kept: Kept?
        var body: [UInt8] = []
        var triesLeft: Int
        init(tries: Int) { triesLeft = tries }
    }

    private let settings: Settings

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) { self.settings = settings }

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> Record? { Record(tries: settings.tries) }

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout Record, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        state.kept = Kept(head)
        return .next
    }

    func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout Record, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        unsafe chunk.withUnsafeBytes { unsafe state.body.append(contentsOf: $0) }
        return .next
    }

    func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout Record, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        guard head.status == 503, state.triesLeft > 0, !settings.tooLate else { return .next }
        if settings.late { return .hold }
        try replay(state, &stream)
        return .hold
    }

    func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout Record, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        guard settings.late || settings.tooLate, state.triesLeft > 0 else { return .next }
        if settings.late, unsafe chunk.withUnsafeBytes({ unsafe $0.starts(with: "yes".utf8) }) { return .next }
        try replay(state, &stream)
        return .hold
    }

    func faultBelow(_ fault: Fault, _ state: inout Record, _ stream: inout FilterAPI.Stream) throws(Fault) {
        if fault.replay == .always, state.triesLeft > 0 { try replay(state, &stream) }
    }

    private func replay(_ record: Record, _ stream: inout FilterAPI.Stream) throws(Fault) {
        record.triesLeft -= 1
        guard let kept = record.kept else { return }
        try stream.restartBelow(kept.head, last: record.body.isEmpty)
        guard !record.body.isEmpty else { return }
        let body = record.body
        let chunk = unsafe stream.makeChunk(copying: body.span.bytes)
        stream.sendBelow(chunk)
        stream.endRequestBelow()
    }
}

/// Counts how often its streams begin, and how they end.
final class Probe: HTTPFilter {
    static let manifest = Manifest(id: "probe", summary: "Counts.")
    static let interest: Interest = .lifetime
    private let opened: Counter
    private let complete: Counter
    private let replayed: Counter
    private let failed: Counter

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        opened = worker.counter("opened")
        complete = worker.counter("complete")
        replayed = worker.counter("replayed")
        failed = worker.counter("failed")
    }

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> Int? {
        opened.add()
        return 1
    }

    func close(_ state: inout Int, _ ending: Ending, _ stream: inout FilterAPI.Stream) {
        switch ending {
        case .complete: complete.add()
        case .replay: replayed.add()
        case .fault: failed.add()
        }
    }
}

/// Holds each request, and hands its token to the test.
final class Gate: HTTPFilter {
    struct Settings: FilterSettings {
        var key = ""
        /// Answer by itself after so long.
        var patience = Duration.zero
    }

    static let manifest = Manifest(id: "gate", summary: "Holds.")

    /// The tokens of one test, oldest first.
    final class Tokens: Sendable {
        private struct Box: ~Copyable {
            var first: Resumption?
            var second: Resumption?
        }

        private let box = Mutex(Box())
        private static let all = Mutex<[String: Tokens]>([:])

        static func of(_ key: String) -> Tokens {
            all.withLock { all in
                let tokens = all[key] ?? Tokens()
                all[key] = tokens
                return tokens
            }
        }

        func add(_ token: consuming Resumption) {
            var token = Optional(token)
            box.withLock { box in
                if box.first == nil { box.first = token.take() } else { box.second = token.take() }
            }
        }

        func takeFirst() -> Resumption? { box.withLock { $0.first.take() } }
        func takeSecond() -> Resumption? { box.withLock { $0.second.take() } }
    }

    private let settings: Settings
    private let held: Counter

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        held = worker.counter("held")
    }

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout Void, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        held.add()
        Tokens.of(settings.key).add(stream.pause())
        if settings.patience > .zero { stream.wake(after: settings.patience) }
        return .hold
    }

    func wake(_ state: inout Void, _ stream: inout FilterAPI.Stream) throws(Fault) {
        stream.reply(504, body: "waited for too long")
    }
}

/// Keeps a whole body back.
final class Hoarder: HTTPFilter {
    static let manifest = Manifest(id: "hoarder", summary: "Keeps bodies.")

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}

    func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout Void, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step { last ? .next : .hold }
}

/// Counts all requests of the process in one place.
final class Tally: HTTPFilter {
    final class Sum: Sendable { let value = Atomic<Int>(0) }
    static let manifest = Manifest(id: "tally", summary: "Counts in one place.")
    struct Settings: FilterSettings { var key = "" }
    private let sum: Sum

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        sum = worker.shared(settings.key) { Sum() }
    }

    func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout Void, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        head.headers.set(.age, sum.value.add(1, ordering: .relaxed).newValue)
        return .leave
    }
}
