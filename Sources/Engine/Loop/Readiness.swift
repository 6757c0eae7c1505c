/// What a descriptor became ready for.
///
/// The bits are those of epoll, so nothing is translated.
public struct Readiness: OptionSet, Sendable {
    /// The epoll bits.
    public let rawValue: UInt32

    /// Takes epoll bits as they are.
    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    /// There is something to read, or to accept (EPOLLIN).
    public static let readable = Readiness(rawValue: 0x001)
    /// There is room to write, or a connect has ended (EPOLLOUT).
    public static let writable = Readiness(rawValue: 0x004)
    /// An error is pending on the descriptor (EPOLLERR).
    public static let error = Readiness(rawValue: 0x008)
    /// Both directions are closed (EPOLLHUP).
    public static let hangup = Readiness(rawValue: 0x010)
    /// The peer will send nothing more (EPOLLRDHUP); there may still be bytes to read.
    public static let peerClosed = Readiness(rawValue: 0x2000)
}
