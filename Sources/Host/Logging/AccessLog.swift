internal import Engine
internal import FilterAPI
internal import Filters

/// The lines of one listener's requests on one worker: gathered here, and handed to the writing thread when there are
/// enough of them or a moment has passed.
final class AccessLog {
    private static let fullAt = 32 * 1024
    private static let patience: Nanoseconds = 100_000_000

    private let format: AccessLogFormat
    private let sink: LogSink
    private let worker: Worker
    private var lines = ByteText(capacity: 4096)
    private var value = ByteText()
    private lazy var timer = CallbackTimer { [unowned self] in self.flush() }

    /// A log; nil where nothing is to be logged, or the format was refused when the config was read.
    init?(_ settings: AccessLogSettings, _ sink: LogSink?, _ worker: Worker) {
        guard settings.isOn, let sink else { return nil }
        do throws(FormatProblem) { format = try AccessLogFormat(settings.format) } catch { return nil }
        self.sink = sink
        self.worker = worker
    }

    /// Writes the line of a stream that has ended.
    func write(_ stream: HTTPStream, on connection: ServerConnection) {
        let facts = unsafe stream.factsMemory.pointee
        unsafe write(
            Entry(
                facts: facts, request: stream.headMemory, response: facts.status == 0 ? nil : stream.responseMemory,
                connection: connection.facts))
    }

    /// Writes the line of a connection without HTTP that has ended.
    ///
    /// - Parameter request: an empty one.
    func write(_ facts: StreamFacts, request: UnsafeMutablePointer<RequestHead>, on connection: ConnectionFacts) {
        unsafe write(Entry(facts: facts, request: request, response: nil, connection: connection))
    }

    /// What a line tells of. Without a response where none began.
    @unsafe
    private struct Entry {
        let facts: StreamFacts
        let request: UnsafeMutablePointer<RequestHead>
        let response: UnsafeMutablePointer<ResponseHead>?
        let connection: ConnectionFacts
    }

    private func write(_ entry: Entry) {
        switch format {
        case .text(let format):
            unsafe render(format, entry, unset: "-", into: &lines)
            lines.append("\n")
        case .json(let members):
            for member in members { unsafe append(member, entry) }
            lines.append("}\n")
        }
        if lines.count >= Self.fullAt { return flush() }
        if !timer.isArmed { worker.loop.schedule(timer, after: Self.patience) }
    }

    private func append(_ member: AccessLogFormat.Member, _ entry: Entry) {
        lines.append(member.lead)
        value.removeAll()
        unsafe render(member.value, entry, unset: "", into: &value)
        if value.isEmpty {
            lines.append("null")
        } else if member.isNumber {
            lines.append(contentsOf: value)
        } else {
            lines.append("\"")
            lines.append(escapedForJSON: value)
            lines.append("\"")
        }
    }

    private func render(_ format: TextFormat, _ entry: Entry, unset: StaticString, into text: inout ByteText) {
        let moment = FormatMoment(
            now: worker.instant, wallClock: format.needsWallClock ? Syscalls.wallClock() : 0, isOver: true, unset: unset
        )
        if let response = unsafe entry.response {
            unsafe format.render(
                into: &text, request: entry.request.pointee, response: response.pointee, facts: entry.facts,
                connection: entry.connection, at: moment)
        } else {
            unsafe format.render(
                into: &text, request: entry.request.pointee, facts: entry.facts, connection: entry.connection,
                at: moment)
        }
    }

    /// Hands over what was gathered.
    func flush() {
        guard !lines.isEmpty else { return }
        sink.write(lines.copy())
        lines.removeAll()
    }
}
