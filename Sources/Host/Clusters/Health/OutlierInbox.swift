internal import Engine

/// Where workers tell the control thread that an endpoint has failed too often in a row.
///
/// SAFETY: `watch` is set before the inbox is handed out, and looked at on the control thread only.
@safe
final class OutlierInbox: Sendable {
    private let poster: LoopPoster
    nonisolated(unsafe) weak var watch: OutlierWatch?

    /// - Parameter poster: of the control thread's loop.
    init(_ poster: LoopPoster) { self.poster = poster }

    /// Callable from any thread.
    func report(_ address: SocketAddress, _ kind: OutlierKind) {
        poster.post { unsafe self.watch?.reached(kind, by: address) }
    }
}
