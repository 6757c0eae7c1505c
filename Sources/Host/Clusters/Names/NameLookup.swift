internal import CCares
internal import Engine
internal import Glibc

/// One lookup of one name, on a c-ares channel of its own.
///
/// A channel for each lookup costs a read of the system's two small files, and buys that nothing can be stuck: a lookup
/// has its own end, after which nothing of it is left, and a change of those files is seen by the next one.
///
/// SAFETY: c-ares calls back on this thread, from within the calls below only, with pointers to `sockets` and `answer`.
/// Both are stored here, and the channel is destroyed before they go.
@safe
final class NameLookup {
    private let loop: EventLoop
    private let name: String
    private let family: NameFamily
    private let servers: NameServers
    private let timeout: Nanoseconds
    private let done: (Result<NameAnswer, NameFault>) -> Void
    private let sockets: LookupSockets
    private let answer = Answer()
    private var channel: ares_channel?
    private lazy var retryTimer = CallbackTimer { [unowned self] in self.process(-1, -1) }
    private lazy var deadline = CallbackTimer { [unowned self] in self.finish(.failure(.timeout)) }

    /// What c-ares has said.
    private final class Answer {
        var outcome: Result<NameAnswer, NameFault>?
    }

    /// - Parameter done: called once, unless the lookup is cancelled; may be called from within ``start()``.
    init(
        _ name: String, _ family: NameFamily, servers: NameServers, timeout: Nanoseconds, loop: EventLoop,
        done: @escaping (Result<NameAnswer, NameFault>) -> Void
    ) {
        self.name = name
        self.family = family
        self.servers = servers
        self.timeout = timeout
        self.loop = loop
        self.done = done
        sockets = LookupSockets(loop: loop)
    }

    deinit { cancel() }

    /// Begins; the owner keeps the lookup until it is done.
    func start() {
        sockets.onReady = { [unowned self] read, write in self.process(read, write) }
        let status = open()
        guard status == ARES_SUCCESS, let channel = unsafe channel else { return finish(.failure(Self.fault(status))) }
        loop.schedule(deadline, after: timeout)
        var hints = ares_addrinfo_hints(
            ai_flags: ARES_AI_NOSORT, ai_family: addressFamily, ai_socktype: Int32(SOCK_STREAM.rawValue), ai_protocol: 0
        )
        let box = unsafe Unmanaged.passUnretained(answer).toOpaque()
        unsafe ares_getaddrinfo(channel, name, nil, &hints, Self.answered, box)
        // What comes without a packet comes from this machine.
        if case .success(var found) = answer.outcome {
            found.timeToLive = nil
            answer.outcome = .success(found)
        }
        settle()
    }

    /// Ends the lookup without an answer.
    func cancel() {
        if let channel = unsafe channel {
            unsafe self.channel = nil
            unsafe ares_destroy(channel)
        }
        if retryTimer.isArmed { loop.cancel(retryTimer) }
        if deadline.isArmed { loop.cancel(deadline) }
    }

    private func process(_ read: Int32, _ write: Int32) {
        guard let channel = unsafe channel else { return }
        unsafe ares_process_fd(channel, read, write)
        settle()
    }

    /// Looks whether it is over, and otherwise when c-ares wants to send again.
    private func settle() {
        if let outcome = answer.outcome { return finish(outcome) }
        guard let channel = unsafe channel else { return }
        var time = timeval()
        guard unsafe ares_timeout(channel, nil, &time) != nil else { return }
        loop.schedule(retryTimer, after: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_usec) * 1000)
    }

    private func finish(_ outcome: Result<NameAnswer, NameFault>) {
        let done = done
        cancel()
        done(outcome)
    }

    private var addressFamily: Int32 {
        switch family {
        case .v4: AF_INET
        case .v6: AF_INET6
        case .auto, .all: AF_UNSPEC
        }
    }

    // MARK: c-ares

    private static let isLibraryReady = ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS

    /// Makes the channel with tries that fit into the time: where a server never answers for one kind of address, the
    /// other kind is still found.
    private func open() -> Int32 {
        guard Self.isLibraryReady else { return Int32(ARES_ENOTINITIALIZED) }
        let first = open(tries: nil)
        guard first == ARES_SUCCESS, let channel = unsafe channel else { return first }
        let count = unsafe max(1, Self.serverCount(channel))
        cancel()
        return open(tries: (count == 1 ? 3 : 2, count))
    }

    private func open(tries: (each: Int, servers: Int)?) -> Int32 {
        var options = unsafe ares_options()
        var mask = Int32(ARES_OPT_SOCK_STATE_CB)
        unsafe options.sock_state_cb = Self.socketChanged
        unsafe options.sock_state_cb_data = Unmanaged.passUnretained(sockets).toOpaque()
        if let tries {
            // Each round over the servers takes twice the time of the one before.
            let parts = UInt64(tries.servers * ((1 << tries.each) - 1))
            mask |= Int32(ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES)
            unsafe options.timeout = Int32(clamping: max(1, timeout / 1_000_000 * 19 / 20 / parts))
            unsafe options.tries = Int32(tries.each)
        }
        var status = unsafe ares_init_options(&channel, &options, mask)
        if status == ARES_SUCCESS, let list = servers.list {
            status = unsafe ares_set_servers_ports_csv(channel, list)
        }
        return status
    }

    private static func serverCount(_ channel: ares_channel) -> Int {
        var list: UnsafeMutablePointer<ares_addr_port_node>?
        guard unsafe ares_get_servers_ports(channel, &list) == ARES_SUCCESS else { return 1 }
        defer { unsafe ares_free_data(list) }
        var count = 0
        var next = unsafe list
        while let node = unsafe next {
            count += 1
            unsafe next = node.pointee.next
        }
        return count
    }

    private static let socketChanged: @convention(c) (UnsafeMutableRawPointer?, Int32, Int32, Int32) -> Void = {
        data, fd, read, write in
        guard let data = unsafe data else { return }
        unsafe Unmanaged<LookupSockets>.fromOpaque(data).takeUnretainedValue()
            .change(fd, read: read != 0, write: write != 0)
    }

    private static let answered:
        @convention(c) (UnsafeMutableRawPointer?, Int32, Int32, UnsafeMutablePointer<ares_addrinfo>?) -> Void = {
            data, status, _, list in
            // Nothing to free is fine too.
            defer { unsafe ares_freeaddrinfo(list) }
            guard let data = unsafe data else { return }
            let answer = unsafe Unmanaged<Answer>.fromOpaque(data).takeUnretainedValue()
            if status == ARES_SUCCESS, let list = unsafe list {
                answer.outcome = .success(unsafe read(list))
            } else {
                answer.outcome = .failure(fault(status))
            }
        }

    private static func read(_ list: UnsafeMutablePointer<ares_addrinfo>) -> NameAnswer {
        var addresses: [SocketAddress] = []
        var timeToLive = Int32.max
        var node = unsafe list.pointee.nodes
        while let one = unsafe node {
            if let address = unsafe address(one.pointee) {
                addresses.append(address)
                timeToLive = min(timeToLive, unsafe one.pointee.ai_ttl)
            }
            unsafe node = one.pointee.ai_next
        }
        var alias = unsafe list.pointee.cnames
        while let one = unsafe alias {
            timeToLive = min(timeToLive, unsafe one.pointee.ttl)
            unsafe alias = one.pointee.next
        }
        return NameAnswer(addresses, timeToLive: Int(max(0, timeToLive)))
    }

    private static func address(_ node: ares_addrinfo_node) -> SocketAddress? {
        guard let source = unsafe node.ai_addr else { return nil }
        var storage = sockaddr_storage()
        let length = min(unsafe Int(node.ai_addrlen), MemoryLayout<sockaddr_storage>.size)
        unsafe withUnsafeMutableBytes(of: &storage) { bytes in
            unsafe bytes.copyMemory(from: UnsafeRawBufferPointer(start: source, count: length))
        }
        return SocketAddress(storage, length: length)?.with(port: 0)
    }

    private static func fault(_ status: Int32) -> NameFault {
        switch status {
        case Int32(ARES_ENOTFOUND): return NameFault(message: "the name does not exist")
        case Int32(ARES_ENODATA): return NameFault(message: "the name has no address of this kind")
        case Int32(ARES_ETIMEOUT): return .timeout
        default: return NameFault(message: unsafe String(cString: ares_strerror(status)))
        }
    }
}
