/// What a descriptor became ready for.
///
/// The bits are those of epoll, so nothing is translated.
@frozen public struct Readiness: OptionSet, Sendable {
    /// The epoll bits.
    public let rawValue: UInt32

    /// Takes epoll bits as they are.
    @inlinable
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// There is something to read, or to accept (EPOLLIN).
    @inlinable public static var readable: Readiness { Readiness(rawValue: 0x001) }
    /// There is room to write, or a connect has ended (EPOLLOUT).
    @inlinable public static var writable: Readiness { Readiness(rawValue: 0x004) }
    /// An error is pending on the descriptor (EPOLLERR).
    @inlinable public static var error: Readiness { Readiness(rawValue: 0x008) }
    /// Both directions are closed (EPOLLHUP).
    @inlinable public static var hangup: Readiness { Readiness(rawValue: 0x010) }
    /// The peer will send nothing more (EPOLLRDHUP); there may still be bytes to read.
    @inlinable public static var peerClosed: Readiness { Readiness(rawValue: 0x2000) }
}
