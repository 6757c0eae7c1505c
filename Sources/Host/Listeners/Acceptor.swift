internal import Engine
internal import FilterAPI

/// A listening socket that a worker accepts from.
///
/// Where the process has no descriptors left, it rests until a connection has closed or a moment has passed: clients
/// wait in the kernel's queue meanwhile, and the loop does not spin.
final class Acceptor: EventSource {
    private static let perTurn = 64
    private static let pauseLength: Nanoseconds = 50_000_000
    /// Between two lines in the log that say the same.
    private static let silence: Nanoseconds = 10_000_000_000

    unowned(unsafe) private let listener: Listener
    private let socket: BoundSocket
    private var isResting = false
    private var isStopped = false
    private var warnedAt: Nanoseconds?
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
        tune()
        do throws(SystemFault) {
            try loop.registerReadOnly(self, fd: socket.socket.fd, levelTriggered: true, exclusive: socket.shared != nil)
            unsafe listener.stats.listener.add(.socketsAccepting)
        } catch {
            // Out of memory, or too many watched descriptors: it may work later.
            warn("cannot watch a listener", error)
            rest()
        }
    }

    /// Gives the socket what its listener's settings say now; its clients inherit it.
    func tune() {
        let settings = unsafe listener.plan.settings
        let fd = socket.socket.fd
        // The kernel takes another backlog at any time.
        try? Syscalls.listen(fd, backlog: settings.backlog)
        guard socket.asked.family != .unix else { return }
        try? Syscalls.set(TCPKeepalive.option(settings.tcpKeepalive) ?? .noKeepAlive, on: fd)
    }

    func stop() {
        isStopped = true
        if timer.isArmed { loop.cancel(timer) }
        // Who is in the queue already was promised a connection.
        accept(atMost: unsafe listener.plan.settings.backlog)
        if isRegistered { leave() }
        socket.close()
    }

    override func ready(_ readiness: Readiness) { accept(atMost: Self.perTurn) }

    private func accept(atMost limit: Int) {
        for _ in 0..<limit {
            switch Syscalls.accept(socket.socket.fd) {
            case .accepted(let fd, let peer):
                unsafe listener.accept(fd: fd, peer: peer, local: socket.socket.address)
            case .transient: unsafe listener.stats.listener.add(.acceptFailed)
            case .wouldBlock: return
            case .exhausted(let errno):
                warn("no descriptors or memory for more clients, they wait", SystemFault(call: "accept4", errno: errno))
                return pause()
            case .failed(let errno):
                warn("cannot accept clients", SystemFault(call: "accept4", errno: errno))
                return pause()
            }
        }
    }

    private func warn(_ message: String, _ fault: SystemFault) {
        unsafe listener.stats.listener.add(.acceptFailed)
        let now = loop.now
        if let warnedAt, now < warnedAt + Self.silence { return }
        warnedAt = now
        unsafe listener.worker.log.write(
            .warning, message, [("listener", listener.plan.name), ("error", fault.description)])
    }

    private func pause() {
        guard isRegistered, !isResting, !isStopped else { return }
        leave()
        rest()
    }

    private func leave() {
        loop.deregister(self)
        unsafe listener.stats.listener.add(.socketsAccepting, -1)
    }

    private func rest() {
        isResting = true
        loop.schedule(timer, after: Self.pauseLength)
    }

    /// Something may have become free.
    func resume() {
        guard isResting else { return }
        isResting = false
        if timer.isArmed { loop.cancel(timer) }
        start()
    }
}
