/// Signals as events of a loop: each one calls a closure with its number on the loop's thread.
public final class SignalSource: EventSource {
    private let callback: (Int32) -> Void

    /// Takes these signals from now on; they must be blocked (``Signals/block(_:)``) in all threads.
    public init(_ signals: [Int32], on loop: EventLoop, _ callback: @escaping (Int32) -> Void) throws(SystemFault) {
        self.callback = callback
        super.init()
        let fd = try Syscalls.signalfd(signals)
        do throws(SystemFault) {
            try loop.registerReadOnly(self, fd: fd)
        } catch {
            Syscalls.close(fd)
            throw error
        }
    }

    public override func ready(_ readiness: Readiness) {
        while isRegistered, let signal = Syscalls.nextSignal(signalfd: fd) { callback(signal) }
    }

    /// Stops taking signals.
    public func close(on loop: EventLoop) {
        loop.close(self)
    }
}
