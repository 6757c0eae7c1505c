public import FilterAPI

/// Gives each request a place in a trace: goes on with the one that it belongs to or begins one, tells the upstream of it,
/// and lets logs and other filters know.
public final class Trace: HTTPFilter {
    /// Both heads.
    public static let interest: Interest = .heads

    /// That of the response only where clients are told.
    public var activeInterest: Interest { responseField == nil ? .requestHead : Self.interest }

    /// Name, summary and counters.
    public static let manifest = Manifest(
        id: "trace",
        summary: "Goes on with the trace that a request belongs to, or begins one, and tells the upstream of it.",
        stats: TraceCounters.descriptions)

    private let formats: TraceFormats
    private let sample: Percent
    private let trusts: Bool
    private let responseField: HeaderName?
    private let counters: TraceCounters
    private var random = RandomBits()
    private var scratch = ByteText()

    /// Takes the settings over.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        formats = TraceFormats(settings.propagate)
        sample = settings.sample
        trusts = settings.trust
        responseField = settings.responseHeader.flatMap { HeaderName($0) }
        counters = TraceCounters(&worker)
    }

    /// Finds or makes the trace, and writes it into the fields.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout Void, _ stream: inout Stream
    ) throws(Fault) -> Step {
        let incoming = IncomingTrace(head.headers)
        let (context, source) = context(for: incoming, known: stream.facts.trace)
        // A further try is not another request.
        let isFirst = stream.facts.trace == nil
        stream.facts.trace = context
        if isFirst { count(incoming, context, source) }
        // A client that is not trusted does not say either in which formats the upstream is told.
        let written = trusts ? formats.union(incoming.present) : formats
        if source != .w3c {
            head.headers.remove(.tracestate)
        } else if !TraceState.tidy(&head.headers, scratch: &scratch), isFirst {
            counters.noteDroppedState()
        }
        incoming.present.subtracting(written).remove(from: &head.headers)
        written.write(context, to: &head.headers)
        return .next
    }

    /// The trace of a request, and the format by which it was named; none where it was not.
    ///
    /// - Parameter known: what the request already has: from an earlier try of it, or from another such filter above.
    private func context(
        for incoming: IncomingTrace, known: TraceContext?
    ) -> (context: TraceContext, source: TraceFormats) {
        let span = random.nextNonZero()
        let claim = incoming.claim
        if let known, claim?.trace != known.trace {
            // A further try, of a request that did not name its trace: beside the first, in the same trace.
            return (TraceContext(trace: known.trace, span: span, parent: known.parent, flags: known.flags), [])
        }
        let accepted = trusts || known != nil ? claim : nil
        var context = TraceContext(trace: TraceID(high: 0, low: 0), span: span)
        context.flags = accepted?.flags ?? []
        if let trace = accepted?.trace {
            context.trace = trace
            context.parent = accepted?.span ?? 0
        } else {
            context.trace = TraceID(high: random.next(), low: random.nextNonZero())
            context.flags.insert(.random)
        }
        // By the half that OpenTelemetry's samplers look at, so that all who decide by it decide the same.
        if accepted?.isSampled ?? sample.covers(context.trace.low) { context.flags.insert(.sampled) }
        return (context, accepted?.trace == nil ? [] : incoming.source)
    }

    private func count(_ incoming: IncomingTrace, _ context: TraceContext, _ source: TraceFormats) {
        counters.note(context, source: source, isDecided: trusts && incoming.claim?.isSampled != nil)
        if trusts {
            counters.note(invalid: incoming.invalid)
        } else if !incoming.present.isEmpty {
            counters.noteUntrusted()
        }
    }

    /// Tells the client.
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout Void, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard let responseField, let context = stream.facts.trace else { return .next }
        var text = TraceText()
        text.append(hex: context.trace.high)
        text.append(hex: context.trace.low)
        text.set(responseField, in: &head.headers)
        return .next
    }
}
