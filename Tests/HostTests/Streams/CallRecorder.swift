import FilterAPI
import Synchronization

/// Calls in the order in which they were made, as `filter method`.
final class CallBook: Sendable {
    private let lines = Mutex<[String]>([])
    private static let all = Mutex<[String: CallBook]>([:])

    static func of(_ key: String) -> CallBook {
        all.withLock { all in
            let book = all[key] ?? CallBook()
            all[key] = book
            return book
        }
    }

    var calls: [String] { lines.withLock { $0 } }
    func add(_ call: String) { lines.withLock { $0.append(call) } }
}

/// Where a recorder stands; each has a type of its own, since a chain has each filter once.
protocol RecorderPlace: SendableMetatype { static var name: String { get } }
enum UpperPlace: RecorderPlace { static var name: String { "upper" } }
enum LowerPlace: RecorderPlace { static var name: String { "lower" } }

/// Writes down each of its calls, and does in one of them what its settings say.
final class CallRecorder<Place: RecorderPlace>: HTTPFilter {
    struct Settings: FilterSettings {
        var book = ""
        /// `answer`: requests itself; `hold`: requests with a token, until it is woken; `replay`: an answer 503.
        var does = ""
    }

    final class State {
        var kept: Again.Kept?
        var token: Resumption?
        var triesLeft = 1
    }

    static var manifest: Manifest { Manifest(id: Place.name, summary: "Writes down its calls.") }
    static var interest: Interest { .all }

    private let book: CallBook
    private let does: String

    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        book = CallBook.of(settings.book)
        does = settings.does
        write("init")
    }

    private func write(_ call: String) { book.add("\(Place.name) \(call)") }

    func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> State? {
        write("open")
        return State()
    }

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        write("requestHead")
        state.kept = Again.Kept(head)
        switch does {
        case "answer": stream.reply(403, body: "no")
        case "hold":
            state.token = stream.pause()
            stream.wake(after: .milliseconds(1))
            return .hold
        default: break
        }
        return .next
    }

    func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        write("requestBody")
        return .next
    }

    func requestTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        write("requestTrailers")
        return .next
    }

    func clusterAttached(_ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) -> Step {
        write("clusterAttached")
        return .next
    }

    func endpointPicked(_ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) -> Bool {
        write("endpointPicked")
        return true
    }

    func interimHead(_ head: inout ResponseHead, _ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) {
        write("interimHead")
    }

    func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        write("responseHead")
        guard does == "replay", head.status == 503, state.triesLeft > 0, let kept = state.kept else { return .next }
        state.triesLeft -= 1
        try stream.restartBelow(kept.head, last: true)
        return .hold
    }

    func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        write("responseBody")
        return .next
    }

    func responseTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        write("responseTrailers")
        return .next
    }

    func faultBelow(_ fault: Fault, _ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) {
        write("faultBelow")
    }

    func wake(_ state: inout State, _ stream: inout FilterAPI.Stream) throws(Fault) {
        write("wake")
        state.token.take()?.resume()
    }

    func close(_ state: inout State, _ ending: Ending, _ stream: inout FilterAPI.Stream) { write("close") }
}
