public import FilterAPI
import Glibc

/// Does one thing that a filter must not do, in one phase of the requests whose path is `/bad`.
public final class MisbehavingFilter: HTTPFilter {
    /// `misbehaving: { fault: trap, phase: request_head }`.
    public struct Settings: FilterSettings {
        /// What it does.
        public var fault = Misdeed.none
        /// Where it does it.
        public var phase = Phase.requestHead

        /// Nothing wrong.
        public init() {}
    }

    /// What it may do.
    public enum Misdeed: String, Codable, Sendable, CaseIterable {
        /// Nothing; each of the others is one kind of fault.
        case none, trap, block, drop, forget, twice, late, take, `throw`, refuse
    }

    /// Where it may do it.
    public enum Phase: String, Codable, Sendable, CaseIterable {
        /// The events of a filter, by their names.
        case open, wake, close
        /// The events of a filter, by their names.
        case requestHead = "request_head"
        /// The events of a filter, by their names.
        case requestBody = "request_body"
        /// The events of a filter, by their names.
        case responseHead = "response_head"
        /// The events of a filter, by their names.
        case responseBody = "response_body"
    }

    /// Whether the stream is one of those that it spoils.
    public struct State {
        var isBad = false
        let kept = Kept()
    }

    /// What holds the request until the timer has gone off.
    final class Kept {
        var token: Resumption?
    }

    /// What `sluice` knows of the filter.
    public static let manifest = Manifest(
        id: "misbehaving", summary: "Does what a filter must not do; for tests.", status: .trial,
        reasons: [
            .init("misbehaving.refused", [.badRequest], "The test's filter refuses the request."),
            .init("misbehaving.failed", [.filterFailed], "The test's filter says that it has failed."),
        ])

    /// All that it may spoil.
    public static var interest: Interest {
        [.requestHead, .requestBody, .responseHead, .responseBody, .lifetime]
    }

    private let settings: Settings

    /// Takes the settings as they are.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
    }

    /// Every stream may be spoilt from its beginning on.
    public func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? {
        let isBad = stream.withRequest { $0.path.byteCount == 4 && $0.path.byte(at: 1) == UInt8(ascii: "b") }
        if isBad { _ = try act(.open, &stream) }
        return State(isBad: isBad)
    }

    /// Spoils the request, or asks for the timer in which it will.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        if state.isBad, settings.phase == .wake {
            stream.wake(after: .milliseconds(1))
            state.kept.token = stream.pause()
            return .hold
        }
        // The body is to come here before anybody below can answer.
        if state.isBad, settings.phase == .requestBody { return last ? .next : .hold }
        return try step(.requestHead, state, &stream)
    }

    /// Spoils the request's body.
    public func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step { try step(.requestBody, state, &stream) }

    /// Spoils the response.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step { try step(.responseHead, state, &stream) }

    /// Spoils the response's body.
    public func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step { try step(.responseBody, state, &stream) }

    /// Spoils it from the timer.
    public func wake(_ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) {
        guard state.isBad else { return }
        _ = try act(.wake, &stream)
        state.kept.token.take()?.resume()
    }

    /// Spoils the end.
    public func close(_ state: inout State, _ ending: Ending, _ stream: inout FilterAPI.Stream) {
        if state.isBad { _ = try? act(.close, &stream) }
    }

    private func step(
        _ phase: Phase, _ state: State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step { state.isBad ? try act(phase, &stream) : .next }

    private func act(_ phase: Phase, _ stream: inout FilterAPI.Stream) throws(Fault) -> Step {
        guard phase == settings.phase else { return .next }
        switch settings.fault {
        case .none: break
        case .trap: fatalError("as the test wants it")
        case .block: usleep(1_000_000)
        case .drop:
            _ = stream.pause()
            return .hold
        case .forget: return .hold
        case .twice:
            stream.reply(200, body: "one")
            stream.reply(200, body: "two")
        case .late:
            stream.endAbove()
            // SAFETY: there is room for the four bytes.
            let chunk = unsafe stream.makeChunk(capacity: 4) { memory in
                unsafe memory.storeBytes(of: 0x6574_616C, as: UInt32.self)
                return 4
            }
            stream.sendAbove(chunk)
        case .take: return .taken
        case .throw: throw Fault(.filterFailed, "misbehaving.failed")
        case .refuse: throw Fault(.badRequest, "misbehaving.refused")
        }
        return .next
    }
}
