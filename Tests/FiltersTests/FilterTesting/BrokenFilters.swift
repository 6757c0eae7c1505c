import FilterAPI
import FilterTesting
import Synchronization

/// A filter with one mistake in it, which its settings name.
final class Broken: HTTPFilter {
    enum Mistake: String, Codable, CaseIterable, Sendable {
        case none, takesHead, holdsEnd, holdsForEver, drops, pausesOnly, answersTwice, sendsAfterEnd, sendsEarly
        case losesBytes, doublesBytes, keepsLength, addsBytes, losesEnd, caresForPieces, undescribedReason
        case undescribedStat, leaks, shares, keepsState, keepsFilter, retriesForEver, remembersReplays, refusesOthers,
            forgetsEnd
    }

    struct Settings: FilterSettings {
        var mistake = Mistake.none
    }

    final class State {
        var pieces = 0
    }

    static let manifest = Manifest(
        id: "broken", summary: "Makes a mistake.", stats: [.counter("requests", "Requests that came by.")])

    private struct Box: ~Copyable { var token: Resumption? }
    private static let everyone = Mutex<Int>(0)

    private let mistake: Mistake
    private let requests: Counter
    private var box = Box()
    private var open = 0
    private var kept: [State] = []
    private var me: Broken?
    private var replays = 0

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        mistake = settings.mistake
        requests = worker.counter("requests")
        if mistake == .undescribedStat { _ = worker.gauge("secret") }
        if mistake == .refusesOthers, worker.index > 0 { throw ConfigurationFault("there is one already") }
        if mistake == .keepsFilter { me = self }
    }

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? {
        open += 1
        let state = State()
        if mistake == .keepsState { kept.append(state) }
        return state
    }

    func close(_ state: inout State, _ ending: Ending, _ stream: inout FilterAPI.Stream) {
        if mistake == .leaks, case .fault = ending { return }
        if case .replay = ending { replays += 1 }
        open -= 1
    }

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        requests.add()
        switch mistake {
        case .takesHead: return .taken
        case .holdsEnd: return .hold
        case .holdsForEver:
            box.token = stream.pause()
            return .hold
        case .drops:
            _ = stream.pause()
            return .hold
        case .pausesOnly: box.token = stream.pause()
        case .answersTwice:
            stream.reply(403)
            stream.reply(404)
        case .sendsEarly: stream.sendBelow(ByteChunk("x"))
        case .undescribedReason: throw Fault(.badRequest, "broken.unheard_of")
        case .leaks: if open > 1 { stream.reply(503) }
        case .shares: if countEveryone() > 1 { stream.reply(429) }
        case .remembersReplays: if replays > 0 { stream.reply(409) }
        default: break
        }
        return .next
    }

    private func countEveryone() -> Int {
        Self.everyone.withLock { count in
            count += 1
            return count
        }
    }

    func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        if mistake == .addsBytes { head.headers.remove(.contentLength) }
        if mistake == .forgetsEnd, head.status == 500, state.pieces == 0 {
            state.pieces = 1
            try stream.restartBelow(stream.withRequest { $0.copy() }, last: false)
            return .hold
        }
        return .next
    }

    func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        state.pieces += 1
        switch mistake {
        case .losesBytes: if chunk.count > 1 { chunk.removeFirst(1) }
        case .doublesBytes: stream.sendAbove(chunk.share())
        case .addsBytes, .keepsLength: if last { stream.sendAbove(ByteChunk("more")) }
        case .losesEnd: if last { _ = chunk.take() }
        case .caresForPieces: if state.pieces == 2 { stream.sendAbove(ByteChunk("-")) }
        default: break
        }
        return .next
    }

    func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        if mistake == .sendsAfterEnd, last { stream.endRequestBelow() }
        if mistake == .sendsAfterEnd, last { stream.sendBelow(ByteChunk("x")) }
        return .next
    }

    func faultBelow(_ fault: Fault, _ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) {
        guard mistake == .retriesForEver else { return }
        try stream.restartBelow(stream.withRequest { $0.copy() }, last: true)
    }
}

/// A filter whose description is wrong in every way.
final class Misdescribed: HTTPFilter {
    static let manifest = Manifest(
        id: "Mis-described", summary: "no sentence",
        stats: [.counter("Never", "never asked for"), .counter("twice", "One."), .counter("twice", "Two.")],
        reasons: [.init("whatever", [.badRequest], "no sentence")])
    static let interest: Interest = [.requestHead, Interest(rawValue: 1 << 15)]

    /// Takes whatever there is.
    struct Settings: FilterSettings {
        init() {}
        init(from decoder: any Decoder) throws {}
        func encode(to encoder: any Encoder) throws {}
    }

    struct State { var number = 1 }

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {}

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State() }
}

/// A byte filter with one mistake in it.
final class BrokenBytes: ByteFilter {
    enum Mistake: String, Codable, CaseIterable, Sendable {
        case none, answers, holdsWithoutToken, losesBytes, endsEarly, neverReady, caresForPieces, replays
    }

    struct Settings: FilterSettings {
        var mistake = Mistake.none
    }

    struct State { var pieces = 0 }

    static let manifest = Manifest(id: "broken_bytes", summary: "Makes a mistake.")
    private let mistake: Mistake

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) { mistake = settings.mistake }

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? {
        if mistake == .neverReady { stream.beginHandshake() }
        return State()
    }

    func requestBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        state.pieces += 1
        switch mistake {
        case .answers: stream.reply(400)
        case .holdsWithoutToken: return .hold
        case .losesBytes: if last { _ = chunk.take() }
        case .endsEarly:
            stream.endBelow()
            stream.sendBelow(ByteChunk("x"))
        case .caresForPieces: if state.pieces > 1 { throw Fault(.badRequest, "broken_bytes.pieces") }
        case .replays: try stream.restartBelow(RequestHead(), last: true)
        default: break
        }
        return .next
    }
}

/// A terminal that does nothing at all.
final class DeadEnd: HTTPTerminal {
    static let manifest = Manifest(id: "dead_end", summary: "Does nothing.")
    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}
}

/// A byte filter that takes a first line out, as some protocols have it before everything else.
final class FirstLine: ByteFilter {
    struct State { var hasLine = false }

    static let manifest = Manifest(
        id: "first_line", summary: "Takes the first line out.",
        reasons: [.init("first_line.too_long", [.badRequest], "There is no end to the line.")])

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State() }

    func requestBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        while !state.hasLine, !chunk.isEmpty {
            let first = chunk.splitFirst(1)
            if unsafe first.withUnsafeBytes({ unsafe $0.first }) == UInt8(ascii: "\n") { state.hasLine = true }
        }
        return state.hasLine ? .leave : .next
    }
}
