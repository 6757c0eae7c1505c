import Glibc
import Testing

@testable import Engine

/// Connects and waits until the connection is there; the kernel completes it without the listener's help.
private func connected(to address: SocketAddress) throws -> Int32 {
    let fd = try Syscalls.socket(address.family)
    switch Syscalls.connect(fd, to: address) {
    case .connected: break
    case .inProgress:
        var entry = pollfd(fd: fd, events: Int16(POLLOUT), revents: 0)
        try #require(unsafe poll(&entry, 1, 5000) == 1)
        try #require(Syscalls.socketError(fd) == 0)
    case .failed(let errno): throw SystemFault(call: "connect", errno: errno)
    }
    return fd
}

private func accepted(by listener: ListeningSocket) throws -> (fd: Int32, peer: SocketAddress) {
    var entry = pollfd(fd: listener.fd, events: Int16(POLLIN), revents: 0)
    try #require(unsafe poll(&entry, 1, 5000) == 1)
    guard case .accepted(let fd, let peer) = Syscalls.accept(listener.fd) else {
        throw SystemFault(call: "accept4", errno: 0)
    }
    return (fd, peer)
}

@Suite struct ListeningSocketTests {
    private func address(_ text: String) throws -> SocketAddress { try SocketAddress.parse(text) }

    @Test("A connection carries both ends' addresses, and TCP_NODELAY from its listener")
    func acceptConnection() throws {
        let listener = try ListeningSocket.open(address("127.0.0.1:0"), backlog: 8)
        defer { listener.close() }
        #expect(listener.address.port != 0)
        #expect(Syscalls.accept(listener.fd) == .wouldBlock)
        let client = try connected(to: listener.address)
        let (server, peer) = try accepted(by: listener)
        #expect(peer == Syscalls.localAddress(client))
        #expect(Syscalls.peerAddress(client) == listener.address)
        #expect(Syscalls.isNoDelay(server))
        #expect(Syscalls.peek(server) == .quiet)
        #expect(send("hi", to: client) == .bytes(2))
        Syscalls.shutdownWrite(client)
        #expect(receive(from: server) == "hi")
        Syscalls.close(client)
        Syscalls.close(server)
    }

    @Test("A pooled connection that its peer reset is found out by a peek")
    func peekReset() throws {
        let listener = try ListeningSocket.open(address("127.0.0.1:0"))
        defer { listener.close() }
        let client = try connected(to: listener.address)
        let (server, _) = try accepted(by: listener)
        try Syscalls.set(.resetOnClose, on: server)
        Syscalls.close(server)
        var entry = pollfd(fd: client, events: Int16(POLLIN), revents: 0)
        try #require(unsafe poll(&entry, 1, 5000) == 1)
        #expect(Syscalls.peek(client) == .failed(ECONNRESET))
        Syscalls.close(client)
    }

    @Test("A port on all addresses takes IPv4 clients and shows them as IPv4")
    func dualStack() throws {
        let listener = try ListeningSocket.open(address(":0"))
        defer { listener.close() }
        let port = try #require(listener.address.port)
        #expect(listener.address.description == ":\(port)" || listener.address.family == .v4)
        let client = try connected(to: address("127.0.0.1:\(port)"))
        let (server, peer) = try accepted(by: listener)
        #expect(peer.ipText == "127.0.0.1")
        Syscalls.close(client)
        Syscalls.close(server)
    }

    @Test("A port that is taken is an error that names the address; with reusePort it can be shared")
    func takenPort() throws {
        let first = try ListeningSocket.open(address("127.0.0.1:0"), reusePort: true)
        defer { first.close() }
        let second = try ListeningSocket.open(first.address, reusePort: true)
        second.close()
        let error = #expect(throws: ListenError.self) { try ListeningSocket.open(first.address) }
        #expect(error?.description == "cannot listen at \(first.address): bind: Address already in use (EADDRINUSE)")
    }

    @Test("A stale unix socket file is replaced; one that somebody answers at is not")
    func staleUnixSocket() throws {
        let directory = try ScratchDirectory()
        defer { withExtendedLifetime(directory) {} }
        let place = try address("unix:\(directory.path)/a.sock")
        let crashed = try ListeningSocket.open(place)
        crashed.close()
        #expect(Syscalls.isSocket(directory.path + "/a.sock"))
        let listener = try ListeningSocket.open(place)
        let error = #expect(throws: ListenError.self) { try ListeningSocket.open(place) }
        #expect(error?.fault.errno == EADDRINUSE)
        let client = try connected(to: place)
        let (server, peer) = try accepted(by: listener)
        #expect(peer == .unnamed)
        Syscalls.close(client)
        Syscalls.close(server)
        listener.closeAndRemove()
        #expect(!Syscalls.isSocket(directory.path + "/a.sock"))
    }

    @Test("A plain file at a unix socket's path is never removed")
    func plainFileAtPath() throws {
        let directory = try ScratchDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = directory.path + "/plain"
        Syscalls.close(try Syscalls.open(path, .append))
        let error = #expect(throws: ListenError.self) { try ListeningSocket.open(try address("unix:\(path)")) }
        #expect(error?.fault.errno == EADDRINUSE)
        Syscalls.close(try Syscalls.open(path, .read))
    }

    @Test("An abstract unix socket needs no file")
    func abstractSocket() throws {
        let place = try address("unix:@sluice-engine-test-\(getpid())")
        let listener = try ListeningSocket.open(place)
        #expect(listener.address == place)
        Syscalls.close(try connected(to: place))
        listener.closeAndRemove()
    }

    @Test("A listener opened by someone else can be adopted")
    func adopt() throws {
        let listener = try ListeningSocket.open(address("127.0.0.1:0"))
        defer { listener.close() }
        #expect(ListeningSocket(adopting: listener.fd) == listener)
    }

    @Test(
        "What accept4 says is sorted into: go on, wait a while, give up",
        arguments: [
            (EAGAIN, AcceptResult.wouldBlock), (ECONNABORTED, .transient(ECONNABORTED)), (EPROTO, .transient(EPROTO)),
            (EPERM, .transient(EPERM)), (EINTR, .transient(EINTR)), (ENETDOWN, .transient(ENETDOWN)),
            (EMFILE, .exhausted(EMFILE)), (ENFILE, .exhausted(ENFILE)), (ENOBUFS, .exhausted(ENOBUFS)),
            (ENOMEM, .exhausted(ENOMEM)), (EBADF, .failed(EBADF)), (EINVAL, .failed(EINVAL)),
        ])
    func acceptClasses(errno: Int32, expected: AcceptResult) throws {
        let listener = try ListeningSocket.open(address("127.0.0.1:0"))
        defer { listener.close() }
        let result = Syscalls.faults.during([FaultRule(.accept4, nth: 1, errno: errno)]) {
            Syscalls.accept(listener.fd)
        }
        #expect(result == expected)
    }
}
