internal import Engine
internal import Synchronization

/// Counts the workers that have taken a generation over; with the last one a closure runs on the control thread.
///
/// SAFETY: the closure is made on the control thread, and only called there.
@safe
final class Receipt: Sendable {
    private let open: Atomic<Int>
    private let poster: LoopPoster
    private nonisolated(unsafe) let whenComplete: () -> Void

    init(_ workers: Int, on poster: LoopPoster, _ whenComplete: @escaping () -> Void) {
        open = Atomic(workers)
        self.poster = poster
        unsafe self.whenComplete = whenComplete
    }

    /// Any thread, once for each worker.
    func sign() {
        guard open.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 else { return }
        poster.post { unsafe self.whenComplete() }
    }
}
