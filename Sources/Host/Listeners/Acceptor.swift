internal import Engine
internal import FilterAPI

/// A listening socket that a worker accepts from.
///
/// Where the process has no descriptors left, it rests until a connection has closed or a moment has passed: clients
/// wait in the kernel's queue meanwhile, and the loop does not spin.
final class Acceptor: EventSource {
    private static let perTurn = 64
    private static let rest: Nanoseconds = 50_000_000

    unowned(unsafe) private let listener: Listener
    private let socket: BoundSocket
    private var isResting = false
    private lazy var timer = CallbackTimer { [unowned self] in self.resume() }

    /// The address that the config asked for.
    var asked: SocketAddress { socket.asked }

    init(listener: Listener, socket: BoundSocket) {
        unsafe self.listener = listener
        self.socket = socket
        super.init()
    }

    private var loop: EventLoop { unsafe listener.worker.loop }

    func start() {
        do throws(SystemFault) {
            try loop.registerReadOnly(self, fd: socket.socket.fd, levelTriggered: true, exclusive: socket.isShared)
        } catch {
            unsafe listener.worker.log.write(.error, "cannot watch a listener", [("error", error.description)])
        }
    }

    func stop() {
        if timer.isArmed { loop.cancel(timer) }
        // Who is in the queue already was promised a connection.
        acceptAll()
        let wasRegistered = isRegistered
        if wasRegistered { loop.deregister(self) }
        if socket.isOwner { socket.socket.closeAndRemove() } else if !socket.isShared { socket.socket.close() }
    }

    override func ready(_ readiness: Readiness) { acceptAll() }

    private func acceptAll() {
        for _ in 0..<Self.perTurn {
            switch Syscalls.accept(socket.socket.fd) {
            case .accepted(let fd, let peer):
                unsafe listener.accept(fd: fd, peer: peer, local: socket.socket.address)
            case .transient: unsafe listener.worker.counters.acceptFailures.add()
            case .wouldBlock: return
            case .exhausted, .failed:
                unsafe listener.worker.counters.acceptFailures.add()
                return pause()
            }
        }
    }

    private func pause() {
        guard isRegistered, !isResting else { return }
        isResting = true
        loop.deregister(self)
        loop.schedule(timer, after: Self.rest)
    }

    /// Something may have become free.
    func resume() {
        guard isResting else { return }
        isResting = false
        if timer.isArmed { loop.cancel(timer) }
        start()
    }
}

/// A socket that the control thread has bound for one worker.
struct BoundSocket: Sendable {
    /// As the config says it, with port 0 where any port will do.
    let asked: SocketAddress
    let socket: ListeningSocket
    /// The same descriptor serves several workers, as Unix sockets must.
    var isShared = false
    /// The one to remove a Unix socket's file in the end.
    var isOwner = false
}
