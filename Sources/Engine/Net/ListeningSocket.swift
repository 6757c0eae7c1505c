internal import Glibc

/// A socket that listens.
///
/// A value that names a descriptor: whoever opened it calls ``close()`` once.
public struct ListeningSocket: Sendable, Equatable {
    /// The descriptor: non-blocking, closed on exec.
    public let fd: Int32
    /// Where it listens, with the port that the kernel picked if port 0 was asked for.
    public let address: SocketAddress

    /// Adopts a descriptor that listens already, for example one handed over by another process.
    ///
    /// - Returns: nil if it has no address.
    public init?(adopting fd: Int32) {
        guard let address = Syscalls.localAddress(fd) else { return nil }
        self.init(fd: fd, address: address)
    }

    private init(fd: Int32, address: SocketAddress) {
        self.fd = fd
        self.address = address
    }

    /// Opens a listener.
    ///
    /// An IPv6 address takes IPv6 only; `:80` takes both kinds (IPv4 alone where the machine has no IPv6). A unix socket file
    /// that nobody answers at is replaced. Connections inherit TCP_NODELAY from the listener.
    ///
    /// - Parameters:
    ///   - backlog: how many connections may wait; the kernel caps it.
    ///   - reusePort: let several sockets, one for each worker, share the port.
    ///   - alone: refuse the port if it is bound already, also by one that would share it: for the first of them.
    /// - Throws: the call that failed; nothing stays open.
    public static func open(
        _ address: SocketAddress, backlog: Int = 4096, reusePort: Bool = false, alone: Bool = false
    ) throws(ListenError) -> ListeningSocket {
        do throws(SystemFault) {
            return try openSocket(address, backlog, reusePort, alone)
        } catch {
            // All addresses means IPv4 alone on a machine whose kernel has no IPv6.
            if case .all(let port) = address.storage, error.errno == EAFNOSUPPORT {
                let any = SocketAddress(v4: 0, port: port)
                return try open(any, backlog: backlog, reusePort: reusePort, alone: alone)
            }
            throw ListenError(address: address, fault: error)
        }
    }

    /// Closes the descriptor and leaves a unix socket's file in place, as another process may listen at it by now.
    public func close() {
        Syscalls.close(fd)
    }

    /// Closes the descriptor and removes the file of a unix socket.
    public func closeAndRemove() {
        Syscalls.close(fd)
        if let path = address.unixPath, path.hasPrefix("/") || !path.hasPrefix("@"), !path.isEmpty {
            try? Syscalls.unlink(path)
        }
    }

    private static func openSocket(
        _ address: SocketAddress, _ backlog: Int, _ reusePort: Bool, _ alone: Bool
    ) throws(SystemFault) -> ListeningSocket {
        let fd = try Syscalls.socket(address.family)
        do throws(SystemFault) {
            try prepare(fd, address, reusePort && !alone)
            try bind(fd, address)
            // What counts for the next one to bind is how the option stands by then.
            if reusePort && alone { try Syscalls.set(.reusePort(true), on: fd) }
            try Syscalls.listen(fd, backlog: backlog)
        } catch {
            Syscalls.close(fd)
            throw error
        }
        guard case .all = address.storage else {
            return ListeningSocket(fd: fd, address: Syscalls.localAddress(fd) ?? address)
        }
        return ListeningSocket(fd: fd, address: address.with(port: Syscalls.localAddress(fd)?.port ?? 0))
    }

    private static func prepare(_ fd: Int32, _ address: SocketAddress, _ reusePort: Bool) throws(SystemFault) {
        if address.family == .unix { return }
        try Syscalls.set(.reuseAddress(true), on: fd)
        if reusePort { try Syscalls.set(.reusePort(true), on: fd) }
        try Syscalls.set(.noDelay(true), on: fd)
        if case .all = address.storage {
            try Syscalls.set(.v6Only(false), on: fd)
        } else if address.family == .v6 {
            try Syscalls.set(.v6Only(true), on: fd)
        }
    }

    private static func bind(_ fd: Int32, _ address: SocketAddress) throws(SystemFault) {
        do throws(SystemFault) {
            try Syscalls.bind(fd, to: address)
        } catch {
            guard error.errno == EADDRINUSE, let path = address.unixPath, try isStale(path, address) else {
                throw error
            }
            try Syscalls.unlink(path)
            try Syscalls.bind(fd, to: address)
        }
    }

    /// Whether a path is a socket at which nobody listens.
    ///
    /// A plain file refuses a connect as well, so the kind is asked first.
    private static func isStale(_ path: String, _ address: SocketAddress) throws(SystemFault) -> Bool {
        guard Syscalls.isSocket(path) else { return false }
        let probe = try Syscalls.socket(.unix)
        defer { Syscalls.close(probe) }
        return Syscalls.connect(probe, to: address) == .failed(ECONNREFUSED)
    }
}

/// A listener that could not be opened.
public struct ListenError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Where it should have listened.
    public let address: SocketAddress
    /// Which call failed, and how.
    public let fault: SystemFault

    /// For example `cannot listen at 0.0.0.0:80: bind: Permission denied (EACCES)`.
    public var description: String { "cannot listen at \(address): \(fault)" }
}
