internal import Engine

/// Where workers tell the control thread that an endpoint has failed too often in a row.
///
/// SAFETY: `receiver` is set before the inbox is handed out, and looked at on the control thread only.
@safe
final class OutlierInbox: Sendable {
    /// Who is told, on the control thread.
    protocol Receiver: AnyObject {
        func reached(_ kind: OutlierKind, by address: SocketAddress)
    }

    private let poster: LoopPoster
    nonisolated(unsafe) weak var receiver: (any Receiver)?

    /// - Parameter poster: of the control thread's loop.
    init(_ poster: LoopPoster) { self.poster = poster }

    /// Callable from any thread.
    func report(_ address: SocketAddress, _ kind: OutlierKind) {
        poster.post { unsafe self.receiver?.reached(kind, by: address) }
    }
}
