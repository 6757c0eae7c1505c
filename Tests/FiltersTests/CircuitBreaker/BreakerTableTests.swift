import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The table of breakers")
struct BreakerTableTests {
    private func makeTable(limit: Int) -> BreakerTable {
        BreakerTable(waiting: .detached(), open: .detached(), limit: limit)
    }

    @Test("The same key is the same breaker, and the numbers of routes without a name tell them apart")
    func keys() {
        let table = makeTable(limit: 10)
        var numbers = CircuitBreaker.RouteSettings()
        numbers.maxRequests = 5
        let plain = table.breaker(BreakerKey(name: "cluster app")).breaker
        #expect(table.breaker(BreakerKey(name: "cluster app")).breaker === plain)
        #expect(table.breaker(BreakerKey(name: "cluster app", numbers: numbers)).breaker !== plain)
    }

    @Test("Where there are too many, those that nobody uses make room, and those in use stay")
    func makesRoom() {
        let table = makeTable(limit: 3)
        let held = table.breaker(BreakerKey(name: "a")).breaker
        let busy = table.breaker(BreakerKey(name: "b")).breaker.places
        #expect(busy.take(limit: 1))
        _ = table.breaker(BreakerKey(name: "c"))
        #expect(!table.breaker(BreakerKey(name: "d")).isShared)
        #expect(table.breaker(BreakerKey(name: "a")).breaker === held)
        #expect(table.breaker(BreakerKey(name: "b")).breaker.places === busy)
    }

    @Test("Where all of them are in use, further keys share one")
    func sharesOne() {
        let table = makeTable(limit: 2)
        let held = ["a", "b"].map { table.breaker(BreakerKey(name: $0)).breaker }
        let third = table.breaker(BreakerKey(name: "c"))
        let fourth = table.breaker(BreakerKey(name: "d"))
        #expect(third.isShared && fourth.isShared && third.breaker === fourth.breaker)
        #expect(!held.contains { $0 === third.breaker })
    }
}
