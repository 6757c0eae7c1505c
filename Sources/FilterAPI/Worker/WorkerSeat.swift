/// A worker's thread, as far as code that runs there and elsewhere needs to know it. One for each worker, for ever.
///
/// SAFETY: `guest` is used on the worker's thread only.
@safe
package final class WorkerSeat: Sendable {
    /// Runs something on the worker's thread, later; from any thread.
    package let post: @Sendable (@escaping @Sendable () -> Void) -> Void
    /// Whether this is the worker's thread.
    private let check: @Sendable () -> Bool
    /// What keeps something for this worker that the host does not know of.
    package nonisolated(unsafe) var guest: AnyObject?

    /// Writes to the log what a filter has thrown that is no fault.
    package let report: @Sendable (_ filter: String, _ error: String) -> Void

    package init(
        isCurrent check: @escaping @Sendable () -> Bool,
        report: @escaping @Sendable (String, String) -> Void = { _, _ in },
        post: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) {
        self.check = check
        self.report = report
        self.post = post
    }

    package var isCurrent: Bool { check() }
}
