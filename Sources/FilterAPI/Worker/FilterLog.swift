/// The process's log for one filter, for use at any time and on any thread.
///
/// Every line is tagged with the filter's name. Writing a line costs microseconds and a system call: what a peer can
/// bring about as often as it likes must not be written each time.
public struct FilterLog: Sendable {
    private let sink: @Sendable (LogLevel, String, [(String, String)]) -> Void

    package init(_ sink: @escaping @Sendable (LogLevel, String, [(String, String)]) -> Void) { self.sink = sink }

    /// Writes a line, if its level is not below the log's.
    ///
    /// - Parameters:
    ///   - level: how much it matters.
    ///   - message: what happened, in lower case and without a full stop.
    ///   - fields: with what, by name.
    public func write(_ level: LogLevel, _ message: String, _ fields: [(String, String)] = []) {
        sink(level, message, fields)
    }
}
