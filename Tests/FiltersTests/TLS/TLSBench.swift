import FilterAPI
import FilterTesting
import Testing

@testable import Filters

/// A connection with the `tls` filter on it and no socket: what it sends is kept until the test gives it to somebody.
///
/// SAFETY: the memory is allocated with the object and freed with it; no stream outlives a call.
@safe
final class TLSBench {
    let filter: TLS
    let side: Side
    let clock = ManualClock()
    let connectionFacts = ConnectionFacts()
    let pages = PagePool()
    /// Sealed, for the peer.
    private(set) var toPeer: [UInt8] = []
    /// Whether nothing more goes to the peer.
    private(set) var peerIsTold = false
    /// In the clear, for the filters behind.
    private(set) var toInside: [UInt8] = []
    /// Whether the peer has ended its direction.
    private(set) var insideIsTold = false
    private(set) var isShakingHands = false
    private(set) var fault: Fault?
    private(set) var wakeDue: Instant?
    private var state: TLS.State?
    private let factsMemory = UnsafeMutablePointer<StreamFacts>.allocate(capacity: 1)
    let requestHead = UnsafeMutablePointer<RequestHead>.allocate(capacity: 1)

    /// A new connection through `filter`, which was made for `side`.
    init(_ filter: TLS, _ side: Side, host: String = "a.test") {
        self.filter = filter
        self.side = side
        unsafe factsMemory.initialize(to: StreamFacts())
        unsafe requestHead.initialize(to: RequestHead())
        connectionFacts.endpointHost = host
        connectionFacts.remoteAddress = "192.0.2.7:41000"
        call { bench, stream throws(Fault) in bench.state = try bench.filter.open(&stream) }
    }

    deinit {
        unsafe factsMemory.deinitialize(count: 1).deallocate()
        unsafe requestHead.deinitialize(count: 1).deallocate()
    }

    /// The state machine itself.
    var session: TLSSession? { state?.session }
    /// What went wrong.
    var reason: String? { fault.map { "\($0.reason)" } }
    /// Whether the handshake is over.
    var isOpen: Bool { connectionFacts.tls != nil }

    /// Sealed bytes come from the peer.
    func receive(_ bytes: [UInt8], last: Bool = false) {
        call { bench, stream throws(Fault) in
            guard var state = bench.state else { return }
            var chunk = bench.chunk(bytes)
            let step =
                bench.side == .client
                ? try bench.filter.requestBytes(&chunk, last: last, &state, &stream)
                : try bench.filter.responseBytes(&chunk, last: last, &state, &stream)
            if step == .next { bench.toInside += unsafe chunk.withUnsafeBytes { unsafe Array($0) } }
            if last, step == .next { bench.insideIsTold = true }
            #expect(step == .next || step == .taken)
        }
    }

    /// The filters behind have something to say to the peer.
    func send(_ bytes: [UInt8], last: Bool = false) {
        call { bench, stream throws(Fault) in
            guard var state = bench.state else { return }
            var chunk = bench.chunk(bytes)
            let step =
                bench.side == .client
                ? try bench.filter.responseBytes(&chunk, last: last, &state, &stream)
                : try bench.filter.requestBytes(&chunk, last: last, &state, &stream)
            #expect(step == .next)
            bench.toPeer += unsafe chunk.withUnsafeBytes { unsafe Array($0) }
            if last { bench.peerIsTold = true }
        }
    }

    func send(_ text: String, last: Bool = false) { send(Array(text.utf8), last: last) }

    /// Time goes by.
    func advance(by duration: Duration) {
        clock.advance(by: duration)
        guard let due = wakeDue, due <= clock.now, var state else { return }
        wakeDue = nil
        call { bench, stream throws(Fault) in try bench.filter.wake(&state, &stream) }
    }

    /// Takes out what is for the peer.
    func takeToPeer() -> [UInt8] {
        defer { toPeer = [] }
        return toPeer
    }

    /// Takes out what came in the clear, as text.
    func takeText() -> String {
        defer { toInside = [] }
        return String(decoding: toInside, as: UTF8.self)
    }

    private func call(_ body: (TLSBench, inout FilterAPI.Stream) throws(Fault) -> Void) {
        guard fault == nil else { return }
        var stream = unsafe FilterAPI.Stream(host: self, facts: factsMemory)
        do throws(Fault) { try body(self, &stream) } catch { fault = error }
    }

    private func chunk(_ bytes: [UInt8]) -> ByteChunk {
        bytes.isEmpty ? ByteChunk() : unsafe pages.chunk(copying: bytes.span.bytes)
    }
}

extension TLSBench: StreamHost {
    var seat: WorkerSeat { WorkerSeat(isCurrent: { true }, post: { $0() }) }
    func fetch(stage: Int, isRequest: Bool, _ request: consuming FetchRequest, from cluster: ClusterID) -> FetchID {
        fatalError("TLS asks nobody")
    }
    func fetch(
        stage: Int, _ request: consuming FetchRequest, from cluster: ClusterID, for receiver: any FetchReceiver
    ) -> any FetchLine {
        fatalError("TLS asks nobody")
    }
    var now: Instant { clock.now }
    func wake(stage: Int, after delay: Duration) {
        wakeDue = Instant(nanoseconds: clock.now.nanoseconds &+ delay.wholeNanoseconds)
    }
    func cancelWake(stage: Int) { wakeDue = nil }
    func handshake(stage: Int, isOver: Bool) { isShakingHands = !isOver }
    func fail(stage: Int, _ fault: Fault) { self.fault = fault }

    func send(stage: Int, isRequest: Bool, _ chunk: consuming ByteChunk) {
        let bytes = unsafe chunk.withUnsafeBytes { unsafe Array($0) }
        if isRequest == (side == .client) { toInside += bytes } else { toPeer += bytes }
    }

    func sendEnd(stage: Int, isRequest: Bool) {
        if isRequest == (side == .client) { insideIsTold = true } else { peerIsTold = true }
    }

    // What no byte filter asks for.
    func useRouteSettings(_ settings: RouteSettingsTable?) {}
    func makeResumption(stage: Int, isRequest: Bool) -> Resumption { fatalError("not for byte filters here") }
    func reply(stage: Int, _ status: Status, body: String, _ edit: (inout ResponseHead) -> Void) {}
    func restartBelow(stage: Int, _ head: borrowing RequestHead, last: Bool) throws(Fault) {}
    func attach(_ cluster: ClusterID, _ attachment: FilterAPI.Attachment) {}
}
