internal import Engine
internal import Synchronization

/// A socket that the control thread has bound for one worker.
///
/// A value with one owner, which calls ``close()`` once.
struct BoundSocket: Sendable {
    /// As the config says it, with port 0 where any port will do.
    let asked: SocketAddress
    let socket: ListeningSocket
    /// Set where the descriptor serves several workers, as that of a Unix socket must.
    var shared: SharedSocket?

    func close() {
        if let shared { shared.letGo() } else { socket.close() }
    }
}

/// A Unix socket with all who accept from it: every worker, and after a reload perhaps another listener.
///
/// The last one that lets go closes it and removes its file.
final class SharedSocket: Sendable {
    let socket: ListeningSocket
    private let users: Atomic<Int>

    init(_ socket: ListeningSocket, users: Int) {
        self.socket = socket
        self.users = Atomic(users)
    }

    /// Adds users.
    ///
    /// - Returns: false where the last one has let go already, and the socket is no more.
    func take(_ count: Int) -> Bool {
        var known = users.load(ordering: .acquiring)
        while known > 0 {
            let (done, now) = users.weakCompareExchange(
                expected: known, desired: known + count, ordering: .acquiringAndReleasing)
            if done { return true }
            known = now
        }
        return false
    }

    func letGo() {
        if users.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 { socket.closeAndRemove() }
    }
}
