internal import Engine
internal import FilterAPI
internal import Filters

/// A client that was accepted, and of which the first bytes say which chain it gets.
///
/// Reads until that is known, within a limit of time; how much it may read is bounded by the reader. Then the socket
/// and all that was read go to a connection, and this object is no more.
final class WaitingClient: EventSource {
    /// What is read at once: it bounds what is read beyond the bytes that decide.
    private static let readSize = 16 * 1024

    let arrival: Arrival
    private let listener: Listener
    private var reader = ClientHelloReader()
    private var bytes: [UInt8] = []
    private var isOver = false
    private lazy var timer = CallbackTimer { [unowned self] in
        self.listener.stats.listener.add(.preCxTimeout)
        self.giveUp(Fault(.requestTimeout, "listener.match_timeout"))
    }

    init(_ arrival: Arrival, listener: Listener) {
        self.arrival = arrival
        self.listener = listener
    }

    private var worker: Worker { listener.worker }

    /// Begins to read.
    ///
    /// - Throws: where the kernel does not watch one more socket; it is still the caller's then.
    func start() throws(SystemFault) {
        try worker.loop.register(self, fd: arrival.fd)
        worker.loop.schedule(timer, after: listener.matchLimit)
    }

    override func ready(_ readiness: Readiness) {
        if readiness.contains(.error), Syscalls.socketError(fd) != 0 {
            return giveUp(Fault(.clientGone, "client.reset"))
        }
        read()
    }

    /// Reads what there is, until it is enough.
    ///
    /// SAFETY: the worker's scratch memory is larger than one read, and is copied from before anyone else gets it.
    private func read() {
        while !isOver {
            let room = unsafe UnsafeMutableRawBufferPointer(rebasing: worker.scratch.prefix(Self.readSize))
            switch unsafe Syscalls.read(fd, into: room) {
            case .bytes(let count): unsafe take(UnsafeRawBufferPointer(rebasing: room.prefix(count)))
            case .wouldBlock: return
            case .ended: return giveUp(Fault(.clientGone, "client.closed"))
            case .failed: return giveUp(Fault(.clientGone, "client.reset"))
            }
        }
    }

    private func take(_ fresh: UnsafeRawBufferPointer) {
        unsafe bytes.append(contentsOf: fresh)
        // SAFETY: the reader keeps nothing of the span, whose bytes stay until the next read.
        switch unsafe reader.read(fresh.bytes) {
        case .needMore: return
        case .notTLS: choose(nil)
        case .hello(let hello): choose(hello)
        case .malformed(let reason): giveUp(Fault(.badRequest, reason))
        }
    }

    private func choose(_ hello: ClientHello?) {
        guard let chain = listener.chains.choose(peer: arrival.peer, local: arrival.local, hello: hello) else {
            listener.noChainFits()
            return close()
        }
        handOver(to: chain, hello)
    }

    /// The chains are others now: perhaps the addresses alone decide.
    func chooseAgain() {
        switch listener.chains.choose(peer: arrival.peer, local: arrival.local) {
        case .firstBytes: break
        case .chain(let chain): handOver(to: chain, nil)
        case .none:
            listener.noChainFits()
            close()
        }
    }

    private func handOver(to chain: Chain, _ hello: ClientHello?) {
        leave()
        // The next one to watch the socket is told of what is ready already: an end, or further bytes.
        worker.loop.deregister(self)
        listener.begin(arrival, chain, serverName: hello?.serverName, read: bytes)
    }

    /// The listener stops. Who has begun to speak may finish within its time; the others are let go.
    func drain() {
        read()
        if !isOver, bytes.isEmpty { close() }
    }

    private func giveUp(_ fault: Fault) {
        worker.count(fault)
        close()
    }

    /// Closes now.
    func close() {
        leave()
        worker.loop.close(self)
        listener.arrivalGone()
    }

    private func leave() {
        isOver = true
        worker.loop.cancel(timer)
        listener.waitingEnded(self)
    }
}

/// A client as the kernel gives it.
struct Arrival {
    let fd: Int32
    let peer: SocketAddress
    /// Where it has connected to.
    var local: SocketAddress
}
