/// Where a task waits for something that happens on the worker's thread. One task at a time.
///
/// SAFETY: who waits is resumed once: by ``fire(on:)``, which takes the continuation out.
@safe
struct Waiter {
    private var continuation: UnsafeContinuation<Void, Never>?

    init() { unsafe continuation = nil }

    var isWaiting: Bool { unsafe continuation != nil }

    mutating func set(_ continuation: UnsafeContinuation<Void, Never>) { unsafe self.continuation = continuation }

    /// Takes out who waits.
    mutating func take() -> UnsafeContinuation<Void, Never>? {
        defer { unsafe continuation = nil }
        return unsafe continuation
    }
}
