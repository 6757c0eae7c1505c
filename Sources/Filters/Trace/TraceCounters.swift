internal import FilterAPI

/// What the filter counts of each request, once. The names of the decisions are Envoy's.
struct TraceCounters {
    static let descriptions: [StatDescription] = [
        .counter("random_sampling", "Requests that are recorded by the share of `sample`."),
        .counter("client_enabled", "Requests that are recorded since the client says so."),
        .counter("not_traceable", "Requests that are not recorded."),
        .counter("created", "Traces that began here."),
        .counter("continued_w3c", "Requests whose trace was named by traceparent."),
        .counter("continued_b3", "Requests whose trace was named by the fields x-b3-…."),
        .counter("continued_b3_single", "Requests whose trace was named by b3."),
        .counter("invalid_w3c", "Requests with a traceparent that is not valid."),
        .counter("invalid_b3", "Requests with fields x-b3-… that are not valid."),
        .counter("invalid_b3_single", "Requests with a field b3 that is not valid."),
        .counter("untrusted", "Requests whose client named a trace and is not trusted to."),
        .counter("tracestate_dropped", "Requests whose tracestate was not valid or too long, and not passed on whole."),
    ]

    private let randomSampling: Counter
    private let clientEnabled: Counter
    private let notTraceable: Counter
    private let created: Counter
    private let continuedW3C: Counter
    private let continuedB3: Counter
    private let continuedB3Single: Counter
    private let invalidW3C: Counter
    private let invalidB3: Counter
    private let invalidB3Single: Counter
    private let untrusted: Counter
    private let tracestateDropped: Counter

    init(_ worker: inout WorkerContext) {
        randomSampling = worker.counter("random_sampling")
        clientEnabled = worker.counter("client_enabled")
        notTraceable = worker.counter("not_traceable")
        created = worker.counter("created")
        continuedW3C = worker.counter("continued_w3c")
        continuedB3 = worker.counter("continued_b3")
        continuedB3Single = worker.counter("continued_b3_single")
        invalidW3C = worker.counter("invalid_w3c")
        invalidB3 = worker.counter("invalid_b3")
        invalidB3Single = worker.counter("invalid_b3_single")
        untrusted = worker.counter("untrusted")
        tracestateDropped = worker.counter("tracestate_dropped")
    }

    /// - Parameters:
    ///   - source: the format of the trace that is gone on with; empty where it begins here.
    ///   - isDecided: whether the client has decided if it is recorded.
    func note(_ context: TraceContext, source: TraceFormats, isDecided: Bool) {
        if source.contains(.w3c) {
            continuedW3C.add()
        } else if source.contains(.b3Single) {
            continuedB3Single.add()
        } else if source.contains(.b3) {
            continuedB3.add()
        } else {
            created.add()
        }
        if !context.isSampled {
            notTraceable.add()
        } else if isDecided {
            clientEnabled.add()
        } else {
            randomSampling.add()
        }
    }

    func note(invalid formats: TraceFormats) {
        if formats.contains(.w3c) { invalidW3C.add() }
        if formats.contains(.b3) { invalidB3.add() }
        if formats.contains(.b3Single) { invalidB3Single.add() }
    }

    func noteUntrusted() { untrusted.add() }

    func noteDroppedState() { tracestateDropped.add() }
}
