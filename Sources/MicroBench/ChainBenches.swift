internal import FilterAPI
internal import FilterAsync
internal import Host

/// What a filter costs that does nothing: the walk of a request down and its response up.
enum ChainBenches {
    static func run(_ measure: Measure) {
        do {
            let base = measure.run("walk a chain without filters") { [trial = try ChainTrial([])] in trial.run($0) }
            try series(measure, "pass-through", PassThrough.self, base)
            try series(measure, "stateful", Stateful.self, base)
            try series(measure, "asynchronous", PassAsync.self, base)
        } catch { fatalError("\(error)") }
    }

    private static func series(_ measure: Measure, _ word: String, _ type: any Filter.Type, _ base: Double?) throws {
        for count in [1, 5, 10] {
            let trial = try ChainTrial(Array(repeating: type, count: count))
            let time = measure.run("walk a chain of \(count) \(word) filters") { trial.run($0) }
            if let time, let base { measure.note("for each of them", (time - base) / Double(count)) }
        }
    }
}

/// Looks at both heads, and lets them go on.
final class PassThrough: HTTPFilter {
    static let manifest = Manifest(id: "pass_through", summary: "Does nothing.")
    static let interest: Interest = .heads

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}
}

/// The same, with something that it keeps of each stream.
final class Stateful: HTTPFilter {
    struct State {
        var seen = 0
    }

    static let manifest = Manifest(id: "stateful", summary: "Keeps a number.")
    static let interest: Interest = [.requestHead, .responseHead, .lifetime]

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}

    func open(_ stream: inout Stream) throws(Fault) -> State? { State() }

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        state.seen += 1
        return .next
    }

    func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        state.seen += 1
        return .next
    }
}

/// Waits for the answer, and for nothing else.
final class PassAsync: AsyncHTTPFilter {
    static let manifest = Manifest(id: "pass_async", summary: "Does nothing.")

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}

    nonisolated(nonsending) func handle(
        _ request: consuming AsyncRequest, next: consuming Next
    ) async throws -> AsyncResponse {
        try await next(request)
    }
}
