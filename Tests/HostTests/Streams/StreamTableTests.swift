import Engine
import FilterAPI
import Testing

@testable import Host

@Suite("Streams by slot and generation") struct StreamTableTests {
    @Test("The handle of a stream that has ended finds nothing, also when its slot is used again")
    func generations() throws {
        let bench = try HostBench(
            "listeners: { front: { bind: 127.0.0.1:0, chain: [ http, origin ] } }", [Origin.self])
        let worker = bench.worker
        let first = unsafe worker.streams.take(worker: worker).takeUnretainedValue()
        first.flags = .active
        let handle = first.handle
        #expect(worker.streams.find(handle) === first)
        first.release()
        #expect(worker.streams.find(handle) == nil)
        let second = unsafe worker.streams.take(worker: worker).takeUnretainedValue()
        second.flags = .active
        #expect(second === first, "slots are used again")
        #expect(worker.streams.find(handle) == nil)
        #expect(worker.streams.find(second.handle) === second)
        #expect(worker.streams.find(.none) == nil)
        second.release()
    }
}
