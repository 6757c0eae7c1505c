internal import Glibc

/// What a read or a write came to.
public enum IOResult: Sendable, Equatable {
    /// So many bytes were moved; zero only if there was no room to move any.
    case bytes(Int)
    /// Nothing can be moved now; an edge will come.
    case wouldBlock
    /// The peer sends nothing more. Never the result of a write.
    case ended
    /// The descriptor is broken, with this errno.
    case failed(Int32)

    @inline(__always)
    init(reading result: Int, into room: Int) {
        if result > 0 {
            self = .bytes(result)
        } else if result == 0 {
            self = room == 0 ? .bytes(0) : .ended
        } else {
            self.init(failure: result)
        }
    }

    @inline(__always)
    init(writing result: Int) {
        if result >= 0 { self = .bytes(result) } else { self.init(failure: result) }
    }

    private init(failure: Int) {
        let errno = Int32(truncatingIfNeeded: -failure)
        self = errno == EAGAIN ? .wouldBlock : .failed(errno)
    }
}

/// What asking a listener for a connection came to.
public enum AcceptResult: Sendable, Equatable {
    /// A connection: its descriptor (non-blocking, closed on exec), which the caller owns, and who is at the other end.
    case accepted(fd: Int32, peer: SocketAddress)
    /// Nobody waits; an edge will come.
    case wouldBlock
    /// This one connection went away or was refused by the kernel, with this errno: go on with the next.
    case transient(Int32)
    /// The process or the machine has no more descriptors or memory, with this errno: pause, then try again.
    case exhausted(Int32)
    /// The listener itself is broken, with this errno.
    case failed(Int32)

    init(failure errno: Int32) {
        switch errno {
        case EAGAIN: self = .wouldBlock
        // Linux hands over errors that are already pending on the new connection: see accept(2).
        case ECONNABORTED, EINTR, EPROTO, EPERM, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
            ENETUNREACH, ETIMEDOUT, ECONNRESET:
            self = .transient(errno)
        case EMFILE, ENFILE, ENOBUFS, ENOMEM, ENOSR: self = .exhausted(errno)
        default: self = .failed(errno)
        }
    }
}

/// What starting a connection came to.
public enum ConnectResult: Sendable, Equatable {
    /// It is there already.
    case connected
    /// It is on its way: when the socket becomes writable, ask ``Syscalls/socketError(_:)``.
    case inProgress
    /// It was refused at once, with this errno.
    case failed(Int32)
}

/// What looking at an idle connection found.
public enum PeekResult: Sendable, Equatable {
    /// Nothing: the connection is as good as one can tell.
    case quiet
    /// Bytes nobody asked for.
    case bytes
    /// The peer has closed it.
    case ended
    /// It is broken, with this errno.
    case failed(Int32)
}
