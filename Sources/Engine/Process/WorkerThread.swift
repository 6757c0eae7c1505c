internal import CLinux
internal import Glibc
internal import Synchronization

/// A thread of our own, with a name that tools show and perhaps a processor of its own.
public final class WorkerThread: Sendable {
    private final class Start {
        let name: String
        let cpu: Int?
        let isLow: Bool
        let body: () -> Void

        init(name: String, cpu: Int?, isLow: Bool, body: @escaping () -> Void) {
            self.name = name
            self.cpu = cpu
            self.isLow = isLow
            self.body = body
        }
    }

    private let thread: pthread_t
    private let isJoined = Atomic(false)

    private init(thread: pthread_t) {
        self.thread = thread
    }

    deinit {
        if !isJoined.load(ordering: .relaxed) { pthread_detach(thread) }
    }

    /// Starts a thread that runs `body` and ends with it.
    ///
    /// It inherits this thread's blocked signals.
    ///
    /// - Parameters:
    ///   - name: what tools show; the kernel keeps 15 bytes of it.
    ///   - cpu: the only processor it may run on. One that does not exist is ignored: pinning is a wish.
    ///   - isLow: whether all others go first.
    public static func start(
        name: String, cpu: Int? = nil, isLow: Bool = false, _ body: sending @escaping () -> Void
    ) throws(SystemFault) -> WorkerThread {
        // SAFETY: the retain taken here is given to the new thread, or taken back if there is none.
        let start = unsafe Unmanaged.passRetained(Start(name: name, cpu: cpu, isLow: isLow, body: body))
        var thread = pthread_t()
        var failure = Syscalls.injected(.pthreadCreate)
        if failure == 0 {
            failure = unsafe pthread_create(&thread, nil, { unsafe WorkerThread.main($0) }, start.toOpaque())
        }
        if failure != 0 {
            unsafe start.release()
            throw SystemFault(call: "pthread_create", errno: failure)
        }
        return WorkerThread(thread: thread)
    }

    /// Waits until the thread has ended.
    ///
    /// Further calls return at once.
    public func join() {
        if isJoined.exchange(true, ordering: .relaxed) { return }
        _ = pthread_join(thread, nil)
    }

    private static func main(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        guard let argument = unsafe argument else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        let name = String(decoding: start.name.utf8.prefix(15), as: UTF8.self)
        _ = unsafe sluice_name_this_thread(name)
        if let cpu = start.cpu { _ = sluice_pin_this_thread(Int32(clamping: cpu)) }
        if start.isLow { _ = sluice_lower_this_thread() }
        start.body()
        return nil
    }
}
