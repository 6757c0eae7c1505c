internal import Engine
internal import FilterAPI
internal import Filters

/// One log on one worker: its lines are gathered here, and handed to the writing thread when there are enough of them or a
/// moment has passed.
final class AccessLogOutput {
    private static let fullAt = 32 * 1024
    private static let patience: Nanoseconds = 100_000_000

    let format: AccessLogFormat
    /// Which requests it has; nil for all.
    let condition: AccessLogCondition?
    private let sink: LogSink
    private let worker: Worker
    private var lines = ByteText(capacity: 4096)
    private lazy var timer = CallbackTimer { [unowned self] in self.flush() }

    /// A log; nil where its condition was refused when the config was read.
    init?(_ plan: AccessLogPlan, _ sink: LogSink, _ worker: Worker) {
        if let settings = plan.when {
            guard let made = AccessLogCondition(settings) else { return nil }
            condition = made
        } else {
            condition = nil
        }
        format = plan.format
        self.sink = sink
        self.worker = worker
    }

    /// Writes a line, if the log has such.
    ///
    /// - Parameter lot: 64 random bits, where a condition asks for some.
    func write(_ subject: borrowing FormatSubject, lot: UInt64) {
        if let condition, !subject.passes(condition, lot: lot) { return }
        format.render(into: &lines, subject)
        if lines.count >= Self.fullAt { return flush() }
        if !timer.isArmed { worker.loop.schedule(timer, after: Self.patience) }
    }

    /// Hands over what was gathered.
    func flush() {
        guard !lines.isEmpty else { return }
        sink.write(lines.copy())
        lines.removeAll()
    }
}

extension FormatSubject {
    fileprivate borrowing func passes(_ condition: AccessLogCondition, lot: UInt64) -> Bool {
        let one = AccessLogCondition.Case(now: moment.now, lot: lot, connection: connection, isHTTP: isHTTP)
        return withFacts { condition.holds($0, $1, one) }
    }
}
