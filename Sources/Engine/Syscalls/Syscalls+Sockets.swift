internal import CLinux
internal import Glibc

// The life of a socket.
extension Syscalls {
    /// A new stream socket for addresses of this kind, non-blocking, closed on exec.
    ///
    /// The caller owns it.
    public static func socket(_ family: SocketAddress.Family) throws(SystemFault) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let result = attempt(.socket) { Int(Glibc.socket(family.number, type, 0)) }
        if result < 0 { throw fault("socket", result) }
        return Int32(result)
    }

    /// Takes the next connection that waits at a listener.
    public static func accept(_ listener: Int32) -> AcceptResult {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let failure = injected(.accept4)
        let fd = failure == 0 ? unsafe acceptOnce(listener, &storage, &length) : -1
        if fd < 0 { return AcceptResult(failure: failure == 0 ? errno : failure) }
        return .accepted(fd: fd, peer: SocketAddress(storage, length: Int(length)) ?? .unnamed)
    }

    @inline(__always)
    private static func acceptOnce(
        _ listener: Int32, _ storage: UnsafeMutablePointer<sockaddr_storage>, _ length: UnsafeMutablePointer<socklen_t>
    ) -> Int32 {
        unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe sluice_accept(listener, $0, length) }
    }

    /// Starts a connection.
    public static func connect(_ fd: Int32, to address: SocketAddress) -> ConnectResult {
        // Not repeated after EINTR: the kernel goes on connecting, a second call would only say EALREADY.
        var failure = injected(.connect)
        if failure == 0 {
            let result = unsafe address.withSockaddr { unsafe Glibc.connect(fd, $0, $1) }
            if result == 0 { return .connected }
            failure = errno
        }
        return failure == EINPROGRESS || failure == EINTR ? .inProgress : .failed(failure)
    }

    /// Gives the socket its own address.
    public static func bind(_ fd: Int32, to address: SocketAddress) throws(SystemFault) {
        let result = attempt(.bind) { unsafe address.withSockaddr { unsafe Int(Glibc.bind(fd, $0, $1)) } }
        if result < 0 { throw fault("bind", result) }
    }

    /// Makes the socket a listener.
    ///
    /// The kernel caps the backlog at net.core.somaxconn.
    public static func listen(_ fd: Int32, backlog: Int) throws(SystemFault) {
        let result = attempt(.listen) { Int(Glibc.listen(fd, Int32(clamping: backlog))) }
        if result < 0 { throw fault("listen", result) }
    }

    /// Sends FIN after what was sent; reading goes on.
    ///
    /// A connection that is gone already needs no FIN.
    public static func shutdownWrite(_ fd: Int32) {
        _ = attempt(.shutdown) { Int(Glibc.shutdown(fd, Int32(SHUT_WR))) }
    }

    /// Closes a descriptor.
    ///
    /// Linux has closed it even if the call was interrupted, so this never repeats.
    public static func close(_ fd: Int32) {
        assert(fd >= 0, "closing -1: after deregister, the descriptor is what deregister returned")
        _ = Glibc.close(fd)
    }

    /// The error that is pending on a socket, 0 for none: how a connect in progress ended.
    ///
    /// Reading it clears it.
    public static func socketError(_ fd: Int32) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let result = attempt(.getsockopt) { unsafe Int(getsockopt(fd, SOL_SOCKET, SO_ERROR, &value, &length)) }
        return result < 0 ? Int32(truncatingIfNeeded: -result) : value
    }

    /// Whether this machine knows a way to an address: nothing is sent, only the tables of routes are asked.
    ///
    /// Where the question itself fails, for want of descriptors perhaps, the answer is yes.
    public static func hasRoute(to address: SocketAddress) -> Bool {
        let type = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
        let opened = attempt(.socket) { Int(Glibc.socket(address.family.number, type, 0)) }
        guard opened >= 0 else { return Int32(truncatingIfNeeded: -opened) != EAFNOSUPPORT }
        defer { close(Int32(opened)) }
        let result = attempt(.connect) {
            unsafe address.withSockaddr { unsafe Int(Glibc.connect(Int32(opened), $0, $1)) }
        }
        return ![ENETUNREACH, EHOSTUNREACH, EADDRNOTAVAIL].contains(Int32(truncatingIfNeeded: -result))
    }

    /// The socket's own address; nil if it has none.
    public static func localAddress(_ fd: Int32) -> SocketAddress? {
        unsafe address(of: fd) { unsafe getsockname($0, $1, $2) }
    }

    /// The address at the other end; nil if the socket is not connected.
    public static func peerAddress(_ fd: Int32) -> SocketAddress? {
        unsafe address(of: fd) { unsafe getpeername($0, $1, $2) }
    }

    private static func address(
        of fd: Int32, _ ask: (Int32, UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32
    ) -> SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = attempt(.getsockname) {
            unsafe withUnsafeMutablePointer(to: &storage) { storage in
                unsafe storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe Int(ask(fd, $0, &length)) }
            }
        }
        return result < 0 ? nil : SocketAddress(storage, length: Int(length))
    }
}
