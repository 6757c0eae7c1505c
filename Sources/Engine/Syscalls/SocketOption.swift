internal import Glibc

/// A socket option, with its value.
public enum SocketOption: Sendable, Equatable {
    /// Send small packets at once (TCP_NODELAY). Connections inherit it from their listener.
    case noDelay(Bool)
    /// Bind although old connections of the port still linger (SO_REUSEADDR).
    case reuseAddress(Bool)
    /// Let several sockets listen at one port, each with its share of the connections (SO_REUSEPORT).
    case reusePort(Bool)
    /// Probe an idle connection after `idle` seconds, every `interval` seconds, `count` times.
    case keepAlive(idle: Int32, interval: Int32, count: Int32)
    /// Never probe an idle connection.
    case noKeepAlive
    /// Whether an IPv6 listener refuses IPv4 (IPV6_V6ONLY).
    case v6Only(Bool)
    /// The next close sends RST and throws away what is unsent (SO_LINGER with 0 seconds).
    case resetOnClose
    /// Room for received bytes in the kernel (SO_RCVBUF).
    case receiveBuffer(Int32)
    /// Room for unsent bytes in the kernel (SO_SNDBUF).
    case sendBuffer(Int32)
    /// Give up on a connection whose sent bytes are not acknowledged for so many milliseconds (TCP_USER_TIMEOUT).
    case userTimeout(milliseconds: Int32)

    /// Probes a connection that has been silent for so many seconds, and gives it up after as long again without an
    /// answer. Connections inherit it from their listener.
    public static func keepAlive(after seconds: Int32) -> SocketOption {
        .keepAlive(idle: seconds, interval: max(1, seconds / 4), count: 4)
    }
}

extension Syscalls {
    /// Sets a socket option.
    public static func set(_ option: SocketOption, on fd: Int32) throws(SystemFault) {
        let tcp = Int32(IPPROTO_TCP)
        switch option {
        case .noDelay(let on): try set(fd, tcp, TCP_NODELAY, on ? 1 : 0)
        case .reuseAddress(let on): try set(fd, SOL_SOCKET, SO_REUSEADDR, on ? 1 : 0)
        case .reusePort(let on): try set(fd, SOL_SOCKET, SO_REUSEPORT, on ? 1 : 0)
        case .keepAlive(let idle, let interval, let count):
            try set(fd, SOL_SOCKET, SO_KEEPALIVE, 1)
            try set(fd, tcp, TCP_KEEPIDLE, idle)
            try set(fd, tcp, TCP_KEEPINTVL, interval)
            try set(fd, tcp, TCP_KEEPCNT, count)
        case .noKeepAlive: try set(fd, SOL_SOCKET, SO_KEEPALIVE, 0)
        case .v6Only(let on): try set(fd, Int32(IPPROTO_IPV6), IPV6_V6ONLY, on ? 1 : 0)
        case .resetOnClose: try set(fd, SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
        case .receiveBuffer(let size): try set(fd, SOL_SOCKET, SO_RCVBUF, size)
        case .sendBuffer(let size): try set(fd, SOL_SOCKET, SO_SNDBUF, size)
        case .userTimeout(let milliseconds): try set(fd, tcp, TCP_USER_TIMEOUT, milliseconds)
        }
    }

    /// The present value of TCP_NODELAY.
    public static func isNoDelay(_ fd: Int32) -> Bool {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let result = attempt(.getsockopt) {
            unsafe Int(getsockopt(fd, Int32(IPPROTO_TCP), TCP_NODELAY, &value, &length))
        }
        return result == 0 && value != 0
    }

    private static func set<Value: BitwiseCopyable>(
        _ fd: Int32, _ level: Int32, _ name: Int32, _ value: Value
    ) throws(SystemFault) {
        var value = value
        let size = socklen_t(MemoryLayout<Value>.size)
        let result = attempt(.setsockopt) { unsafe Int(setsockopt(fd, level, name, &value, size)) }
        if result < 0 { throw fault("setsockopt", result) }
    }
}
