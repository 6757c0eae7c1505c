internal import Engine
internal import FilterAPI
internal import Filters

/// The logs of one listener's requests on one worker.
final class AccessLog {
    private let outputs: [AccessLogOutput]
    private let worker: Worker
    private let needsWallClock: Bool
    private let needsTries: Bool
    private let drawsLots: Bool
    private var lots = LotGenerator()

    /// Logs; nil where nothing is to be logged.
    init?(_ plans: [AccessLogPlan], _ sinks: [String: LogSink], _ worker: Worker) {
        outputs = plans.compactMap { plan in sinks[plan.to].flatMap { AccessLogOutput(plan, $0, worker) } }
        if outputs.isEmpty { return nil }
        self.worker = worker
        needsWallClock = outputs.contains { $0.format.needsWallClock }
        needsTries = outputs.contains { $0.format.needsTries }
        drawsLots = outputs.contains { $0.condition?.draws ?? false }
    }

    /// Writes the line of a stream that has ended.
    func write(_ stream: HTTPStream, on connection: ServerConnection) {
        let hasResponse = unsafe stream.factsMemory.pointee.status != 0
        let tried = needsTries && !stream.triedEndpoints.isEmpty ? stream.triedEndpoints.map(\.name) : []
        // SAFETY: the stream owns what is pointed at, and is not touched before this returns.
        let subject = unsafe FormatSubject(
            request: stream.headMemory, response: hasResponse ? UnsafePointer(stream.responseMemory) : nil,
            trailers: stream.responseTrailersMemory.map { unsafe UnsafePointer($0) }, facts: stream.factsMemory,
            connection: connection.facts, at: moment(.stream, tried: tried))
        write(subject)
    }

    /// Writes the line of a connection without HTTP that has ended.
    ///
    /// - Parameter request: an empty one.
    func write(_ facts: StreamFacts, request: UnsafeMutablePointer<RequestHead>, on connection: ConnectionFacts) {
        // SAFETY: both outlive the call.
        unsafe withUnsafePointer(to: facts) { facts in
            let subject = unsafe FormatSubject(
                request: request, response: nil, facts: facts, connection: connection, at: moment(.connection))
            write(subject)
        }
    }

    private func moment(_ occasion: FormatMoment.Occasion, tried: [FactName] = []) -> FormatMoment {
        FormatMoment(
            now: worker.instant, wallClock: needsWallClock ? Syscalls.wallClock() : 0, occasion: occasion, tried: tried)
    }

    private func write(_ subject: borrowing FormatSubject) {
        // One lot for all logs: what is in a log of one per cent is in one of ten as well.
        let lot = drawsLots ? lots.next() : 0
        for output in outputs { output.write(subject, lot: lot) }
    }

    /// Hands over what was gathered.
    func flush() { for output in outputs { output.flush() } }
}
