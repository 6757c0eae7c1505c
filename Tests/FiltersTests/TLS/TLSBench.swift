import FilterAPI
import FilterTesting

@testable import Filters

/// A connection with the `tls` filter on it and no socket: what it sends is kept until the test gives it to somebody.
final class TLSBench {
    let filter: TLS
    let side: Side
    private let stream: FakeByteStream<TLS>
    private var takenToPeer = 0
    private var takenText = 0

    /// A new connection through `filter`, which was made for `side`.
    init(_ filter: TLS, _ side: Side, host: String = "a.test") {
        self.filter = filter
        self.side = side
        stream = FakeByteStream(filter, side: side) { $0.endpointHost = host }
        stream.open()
    }

    deinit { stream.close() }

    var clock: ManualClock { stream.clock }
    var connectionFacts: ConnectionFacts { stream.connection }
    /// The state machine itself.
    var session: TLSSession? { stream.state?.session }
    /// Sealed, for the peer.
    var toPeer: [UInt8] { Array(stream.toPeer.body[takenToPeer...]) }
    /// Whether nothing more goes to the peer.
    var peerIsTold: Bool { stream.toPeer.isComplete }
    /// In the clear, for the filters behind.
    var toInside: [UInt8] { Array(stream.toInside.body[takenText...]) }
    /// Whether the peer has ended its direction.
    var insideIsTold: Bool { stream.toInside.isComplete }
    var isShakingHands: Bool { stream.isInHandshake }
    var fault: Fault? { stream.fault }
    var wakeDue: Instant? { stream.wakeDue }
    /// What went wrong.
    var reason: String? { fault.map { "\($0.reason)" } }
    /// Whether the handshake is over.
    var isOpen: Bool { connectionFacts.tls != nil }

    /// Sealed bytes come from the peer.
    func receive(_ bytes: [UInt8], last: Bool = false) { stream.fromPeer(bytes, last: last) }

    /// The filters behind have something to say to the peer.
    func send(_ bytes: [UInt8], last: Bool = false) { stream.fromInside(bytes, last: last) }

    func send(_ text: String, last: Bool = false) { send(Array(text.utf8), last: last) }

    /// Time goes by.
    func advance(by duration: Duration) { stream.advance(by: duration) }

    /// Takes out what is for the peer.
    func takeToPeer() -> [UInt8] {
        defer { takenToPeer = stream.toPeer.body.count }
        return toPeer
    }

    /// Takes out what came in the clear, as text.
    func takeText() -> String {
        defer { takenText = stream.toInside.body.count }
        return String(decoding: toInside, as: UTF8.self)
    }
}
