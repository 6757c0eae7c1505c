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

    package init(
        isCurrent check: @escaping @Sendable () -> Bool,
        post: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void
    ) {
        self.check = check
        self.post = post
    }

    package var isCurrent: Bool { check() }
}
