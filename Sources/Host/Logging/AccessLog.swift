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
        switch format {
        case .text(let format):
            render(format, stream, connection, unset: "-", into: &lines)
            lines.append("\n")
        case .json(let members):
            for member in members { append(member, stream, connection) }
            lines.append("}\n")
        }
        lineEnded()
    }

    /// Writes the line of a connection without HTTP that has ended.
    ///
    /// - Parameter request: an empty one.
    func write(_ facts: StreamFacts, request: borrowing RequestHead, on connection: ConnectionFacts) {
        switch format {
        case .text(let format):
            format.render(into: &lines, request: request, facts: facts, connection: connection, at: moment(format, "-"))
            lines.append("\n")
        case .json(let members):
            for member in members {
                lines.append(member.lead)
                value.removeAll()
                member.value.render(
                    into: &value, request: request, facts: facts, connection: connection, at: moment(member.value, ""))
                appendValue(isNumber: member.isNumber)
            }
            lines.append("}\n")
        }
        lineEnded()
    }

    private func lineEnded() {
        if lines.count >= Self.fullAt { return flush() }
        if !timer.isArmed { worker.loop.schedule(timer, after: Self.patience) }
    }

    private func append(_ member: AccessLogFormat.Member, _ stream: HTTPStream, _ connection: ServerConnection) {
        lines.append(member.lead)
        value.removeAll()
        render(member.value, stream, connection, unset: "", into: &value)
        appendValue(isNumber: member.isNumber)
    }

    private func appendValue(isNumber: Bool) {
        if value.isEmpty {
            lines.append("null")
        } else if isNumber {
            lines.append(contentsOf: value)
        } else {
            lines.append("\"")
            lines.append(escapedForJSON: value)
            lines.append("\"")
        }
    }

    private func render(
        _ format: TextFormat, _ stream: HTTPStream, _ connection: ServerConnection, unset: StaticString,
        into text: inout ByteText
    ) {
        let moment = moment(format, unset)
        let facts = unsafe stream.factsMemory.pointee
        if facts.status == 0 {
            unsafe format.render(
                into: &text, request: stream.headMemory.pointee, facts: facts, connection: connection.facts, at: moment)
        } else {
            unsafe format.render(
                into: &text, request: stream.headMemory.pointee, response: stream.responseMemory.pointee,
                facts: facts, connection: connection.facts, at: moment)
        }
    }

    private func moment(_ format: TextFormat, _ unset: StaticString) -> FormatMoment {
        FormatMoment(
            now: worker.instant, wallClock: format.needsWallClock ? Syscalls.wallClock() : 0, isOver: true, unset: unset
        )
    }

    /// Hands over what was gathered.
    func flush() {
        guard !lines.isEmpty else { return }
        sink.write(lines.copy())
        lines.removeAll()
    }
}
