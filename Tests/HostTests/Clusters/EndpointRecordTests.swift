import Engine
import FilterAPI
import Testing

@testable import Host

@Suite("The record of an endpoint")
struct EndpointRecordTests {
    @Test(
        "tells of each kind of failures in a row",
        arguments: [
            ([Outcome.serverError], false, [OutlierKind.consecutive5xx]),
            ([.gatewayError], false, [.consecutiveGatewayFailure, .consecutive5xx]),
            ([.localFailure], false, [.consecutiveGatewayFailure, .consecutive5xx]),
            ([.localFailure], true, [.consecutiveLocalOriginFailure]),
            ([.gatewayError, .localFailure], true, []),
            ([.gatewayError, .serverError], false, [.consecutive5xx]),
            ([.serverError, .success], false, []),
        ])
    func kinds(pattern: [Outcome], isSplit: Bool, kinds: [OutlierKind]) throws {
        let bench = try RecordBench { settings in settings.splitExternalLocalOriginErrors = isSplit }
        for index in 0..<5 { bench.recorders[index % 2].note(pattern[index % pattern.count]) }
        #expect(bench.reports == kinds)
    }

    @Test("tells once, however many failures follow, and again when it has been told to forget")
    func once() throws {
        let bench = try RecordBench { settings in settings.consecutiveGatewayFailure = 0 }
        for _ in 0..<20 { bench.recorders[0].note(.gatewayError) }
        #expect(bench.reports == [.consecutive5xx])
        bench.record.forgetStreak(of: .consecutive5xx)
        for _ in 0..<4 { bench.recorders[0].note(.serverError) }
        #expect(bench.reports == [.consecutive5xx])
        bench.recorders[1].note(.serverError)
        #expect(bench.reports == [.consecutive5xx, .consecutive5xx])
    }

    @Test("counts anew with other thresholds, so that none is passed over")
    func change() throws {
        let bench = try RecordBench { _ in }
        for _ in 0..<4 { bench.recorders[0].note(.serverError) }
        var settings = OutlierSettings()
        settings.consecutive5xx = 3
        bench.record.change(settings)
        for _ in 0..<2 { bench.recorders[0].note(.serverError) }
        #expect(bench.reports == [])
        bench.recorders[0].note(.serverError)
        #expect(bench.reports == [.consecutive5xx])
    }

    @Test("loses nothing that two threads write at once")
    func threads() throws {
        let bench = try RecordBench { settings in
            settings.consecutiveGatewayFailure = 0
            settings.consecutive5xx = 150_000
        }
        let threads = try bench.recorders.indices.map { index in
            let handover = Handover(bench.recorders[index])
            return try WorkerThread.start(name: "recorder-\(index)") {
                let recorder = unsafe handover.value
                for _ in 0..<100_000 { recorder.note(.serverError) }
            }
        }
        for thread in threads { thread.join() }
        #expect(bench.record.counts == OutcomeCounts(serverErrors: 200_000))
        #expect(bench.reports == [.consecutive5xx])
        let second = try bench.recorders.indices.map { index in
            let handover = Handover(bench.recorders[index])
            return try WorkerThread.start(name: "recorder-\(index)") {
                let recorder = unsafe handover.value
                for turn in 0..<100_000 { recorder.note(turn % 4 == 0 ? .localFailure : .success) }
            }
        }
        for thread in second { thread.join() }
        #expect(
            bench.record.counts
                == OutcomeCounts(successes: 150_000, serverErrors: 200_000, localFailures: 50_000))
        #expect(bench.reports == [.consecutive5xx])
    }
}

/// A record, a way to it for each of two workers, and what it has told.
private final class RecordBench: OutlierInbox.Receiver {
    let record: EndpointRecord
    let recorders: [OutcomeRecorder]
    private let loop: EventLoop
    private var told: [OutlierKind] = []

    init(_ edit: (inout OutlierSettings) -> Void) throws {
        loop = try EventLoop()
        let address = try SocketAddress.parse("127.0.0.1:80")
        let inbox = OutlierInbox(loop.poster)
        let record = EndpointRecord(address, workers: 2, inbox: inbox)
        var settings = OutlierSettings()
        edit(&settings)
        record.change(settings)
        self.record = record
        recorders = [0, 1].map { OutcomeRecorder(record, worker: $0) }
        unsafe inbox.receiver = self
    }

    func reached(_ kind: OutlierKind, by address: SocketAddress) { told.append(kind) }

    /// What has come to the control thread so far.
    var reports: [OutlierKind] {
        loop.turn(maxWait: 0)
        return told
    }
}
