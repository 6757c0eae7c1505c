internal import Engine
internal import Glibc

/// Opens sockets towards endpoints.
enum Dialer {
    /// Begins a connection without waiting for it.
    ///
    /// - Parameter keepAlive: how the peer is probed; that it cannot be is no reason to do without the connection.
    /// - Returns: a descriptor that the caller owns; the connection is being made, or was made at once.
    static func dial(_ address: SocketAddress, keepAlive: SocketOption?) throws(SystemFault) -> Int32 {
        let fd = try Syscalls.socket(address.family)
        do throws(SystemFault) {
            if address.family != .unix {
                try Syscalls.set(.noDelay(true), on: fd)
                if let keepAlive { try? Syscalls.set(keepAlive, on: fd) }
            }
            if case .failed(let errno) = Syscalls.connect(fd, to: address) {
                throw SystemFault(call: "connect", errno: errno)
            }
        } catch {
            Syscalls.close(fd)
            throw error
        }
        return fd
    }
}

/// Words for why a connection could not be made.
enum ConnectReason {
    /// Whether a connection that could not even be begun speaks against the endpoint, and not against this machine.
    static func blames(_ errno: Int32) -> Bool {
        ![EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSPC, EADDRNOTAVAIL, EACCES, EPERM].contains(errno)
    }

    static func text(_ errno: Int32) -> StaticString {
        switch errno {
        case ECONNREFUSED: "upstream.connect_refused"
        case ENOENT: "upstream.socket_missing"
        case ETIMEDOUT: "upstream.connect_timeout"
        case EHOSTUNREACH, ENETUNREACH: "upstream.unreachable"
        case ECONNRESET: "upstream.connect_reset"
        case EMFILE, ENFILE: "upstream.no_descriptors"
        default: "upstream.connect_failed"
        }
    }
}
