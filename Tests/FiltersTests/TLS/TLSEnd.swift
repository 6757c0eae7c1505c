import FilterAPI
import Synchronization

@testable import Filters

/// One end of a connection in memory: a ``TLSSession`` with what came out of it.
///
/// SAFETY: `room` lives as long as the object; arrays outlive the calls that they are lent to.
@safe
final class TLSEnd {
    let session: TLSSession
    /// What the peer has said.
    private(set) var heard: [UInt8] = []
    /// What is for the peer.
    private var toSend: [UInt8] = []
    private(set) var fault: Fault?
    private let room: UnsafeMutableRawBufferPointer

    /// - Parameter roomSize: how much may be written at once; small to have OpenSSL stop and go on.
    init(
        _ side: Side, roomSize: Int = 16_384, endpoint: String = "", sessions: SessionStore = SessionStore(),
        tickets: TicketKeys = TicketKeys(), _ edit: (inout TLS.Settings) -> Void = { _ in }
    ) throws {
        var settings = TLS.Settings()
        if side == .client {
            settings.certificate = "server.crt"
            settings.key = "server.key"
        } else {
            settings.ca = "ca.pem"
        }
        edit(&settings)
        let gauges = MaterialGauges(
            reloads: Gauge(cell: GaugeCell()), failures: Gauge(cell: GaugeCell()), secondsLeft: [])
        let material = try TLSMaterial(
            settings, side: side, tickets: tickets, log: FilterLog { _, _, _ in }, gauges: gauges
        ) { "\(ThrowAway.folder)/\($0)" }
        let context = try TLSContext(material, sessions: sessions)
        session = try TLSSession(context, host: side == .client ? "" : "localhost", endpoint: endpoint)
        unsafe room = .allocate(byteCount: roomSize, alignment: 1)
    }

    deinit { unsafe room.deallocate() }

    /// Gives it bytes from the peer; none to let a client begin.
    func feed(_ bytes: some Collection<UInt8>) {
        guard fault == nil else { return }
        unsafe Array(bytes).withUnsafeBytes { lent in
            unsafe session.lend(lent)
            do throws(Fault) { try advance() } catch { fault = error }
            session.takeBack()
        }
    }

    /// Seals a text for the peer.
    func say(_ text: String) {
        var progress = Result<TLSSession.Progress, Fault>.success(.needsRoom)
        while case .success(.needsRoom) = progress {
            // Elsewhere each time, as pages are.
            unsafe Array(text.utf8).withUnsafeBytes { bytes in
                progress = Result { () throws(Fault) in unsafe try session.write(bytes, room: room) }
            }
            keepWritten()
        }
        if case .failure(let problem) = progress { fault = problem }
    }

    func end() {
        unsafe session.end(room: room)
        keepWritten()
    }

    /// Takes what is for the peer.
    func take() -> [UInt8] {
        defer { toSend = [] }
        return toSend
    }

    private func advance() throws(Fault) {
        defer { keepWritten() }
        while !session.isOpen {
            let progress = unsafe try session.shakeHands(room: room)
            if progress == .needsInput { return }
            keepWritten()
        }
        while true {
            var memory = [UInt8](repeating: 0, count: max(1, session.readCapacity))
            var count = 0
            var progress = Result<TLSSession.Progress, Fault>.success(.done)
            unsafe memory.withUnsafeMutableBytes { target in
                progress = Result { () throws(Fault) in unsafe try session.read(into: target, count: &count, room: room)
                }
            }
            heard += memory[..<count]
            switch try progress.get() {
            case .needsInput, .ended: return
            case .done, .needsRoom: keepWritten()
            }
        }
    }

    private func keepWritten() { unsafe toSend += room[..<session.written] }
}
