import Engine
import FilterAPI

/// Holds each request until its own questions are answered, and writes the answers into the response.
final class Asker: HTTPFilter {
    struct Settings: FilterSettings {
        var ask = "/"
        var body = ""
        /// How many questions at once.
        var times = 1
        /// How many more, one after the other.
        var then = 0
        /// Refuse the request unless the answer is 200.
        var strict = false
        /// Refuse by throwing.
        var `throws` = false
    }

    struct State {
        var open: Set<FetchID> = []
        var left = 0
        var answers: [String] = []
    }

    static let manifest = Manifest(id: "asker", summary: "Asks.")
    private let settings: Settings
    private let cluster: ClusterID

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        cluster = worker.cluster("asked")
    }

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State(left: settings.then) }

    private func ask(_ state: inout State, _ stream: inout FilterAPI.Stream) {
        var request = FetchRequest("POST", settings.ask)
        request.body = unsafe stream.makeChunk(copying: settings.body.utf8Span.span.bytes)
        state.open.insert(stream.fetch(request, from: cluster))
    }

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        for _ in 0..<settings.times { ask(&state, &stream) }
        return .hold
    }

    func fetched(
        _ id: FetchID, _ answer: inout FetchAnswer, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        precondition(state.open.remove(id) != nil)
        state.answers.append("\(answer.status) " + (answer.fault.map { "\($0.reason)" } ?? answer.text))
        if settings.strict, answer.status != 200 {
            if settings.throws { throw Fault(.badRequest, "asker.refused") }
            stream.reply(403)
        }
        if state.left > 0 {
            state.left -= 1
            ask(&state, &stream)
        }
        return state.open.isEmpty ? .next : .hold
    }

    func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        guard let name = HeaderName("x-answer") else { return .leave }
        head.headers.set(name, state.answers.joined(separator: " "))
        return .leave
    }
}

/// Holds the first bytes of a connection until a question is answered.
final class ByteAsker: ByteFilter {
    static let manifest = Manifest(id: "byte_asker", summary: "Asks.")
    struct State { var hasAsked = false }
    private let cluster: ClusterID
    private let answers: Counter

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        cluster = worker.cluster("asked")
        answers = worker.counter("answers")
    }

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? { State() }

    func requestBytes(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        if state.hasAsked { return .next }
        state.hasAsked = true
        _ = stream.fetch(FetchRequest(), from: cluster)
        return .hold
    }

    func fetched(
        _ id: FetchID, _ answer: inout FetchAnswer, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        if answer.status == 200 { answers.add() }
        return .next
    }
}

/// A socket at which nobody accepts.
final class SilentListener {
    private let fd: Int32

    init(_ name: String) throws {
        let address = try SocketAddress.parse("unix:@\(name)")
        fd = try Syscalls.socket(address.family)
        try Syscalls.bind(fd, to: address)
        try Syscalls.listen(fd, backlog: 16)
    }

    func close() { Syscalls.close(fd) }
}
