/// A timer that runs a closure.
///
/// Its owner keeps it alive; capture the owner weakly or unowned.
public final class CallbackTimer: LoopTimer {
    private let callback: () -> Void

    /// A timer that runs `callback` on the loop's thread each time it fires.
    public init(_ callback: @escaping () -> Void) {
        self.callback = callback
    }

    public override func fired() {
        callback()
    }
}
