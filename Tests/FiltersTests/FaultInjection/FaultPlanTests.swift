import FilterAPI
import Testing

@testable import Filters

@Suite("Drawing faults") struct FaultPlanTests {
    private typealias Draw = FaultPlan.Draw
    private let millisecond: UInt64 = 1_000_000

    private func plan(delay: Percent? = nil, abort: Percent? = nil) throws -> FaultPlan {
        var settings = FaultInjection.Settings()
        if let delay {
            settings.delay = FaultInjection.DelaySettings()
            settings.delay?.fixed = .milliseconds(100)
            settings.delay?.percentage = delay
        }
        if let abort {
            settings.abort = FaultInjection.AbortSettings()
            settings.abort?.grpcStatus = 8
            settings.abort?.percentage = abort
        }
        return try FaultPlan(settings)
    }

    /// A lot that stands at a share of all.
    private func lot(_ percent: Double) -> UInt64 { UInt64(Double(UInt64.max) * percent / 100) }

    @Test(
        "a lot within the share gives a fault, for each of the two by itself",
        arguments: [
            (19.9, 4.9, true, true), (20.1, 4.9, false, true), (19.9, 5.1, true, false), (99, 99, false, false),
        ])
    func shares(delayLot: Double, abortLot: Double, delays: Bool, aborts: Bool) throws {
        let plan = try plan(delay: .percent(20), abort: .percent(5))
        let draw = plan.draw(FaultWish(), lots: (lot(delayLot), lot(abortLot)))
        #expect(draw.delay == (delays ? 100 * millisecond : 0))
        #expect(draw.abort == (aborts ? FaultPlan.Abort(status: 503, grpcStatus: 8) : nil))
    }

    @Test("without settings and wishes nothing happens, with a share of nothing too")
    func nothing() throws {
        #expect(try plan().draw(FaultWish(), lots: (0, 0)).isNothing)
        #expect(try plan(delay: .zero, abort: .zero).draw(FaultWish(), lots: (0, 0)).isNothing)
        #expect(try !plan(delay: .all, abort: .all).draw(FaultWish(), lots: (.max, .max)).isNothing)
    }

    @Test("a wish decides what happens, and its share is at most that of the settings")
    func wishes() throws {
        let wish = FaultWish(delay: 7 * millisecond, delayShare: .percent(50), status: 404, abortShare: .percent(50))
        let wanted = Draw(delay: 7 * millisecond, abort: FaultPlan.Abort(status: 404, grpcStatus: nil))
        for (settings, at, happens) in [(60, 49.0, true), (60, 51.0, false), (40, 39.0, true), (40, 41.0, false)] {
            let plan = try plan(delay: .percent(settings), abort: .percent(settings))
            #expect(plan.draw(wish, lots: (lot(at), lot(at))) == (happens ? wanted : Draw()))
        }
        #expect(try plan().draw(wish, lots: (lot(49), lot(49))) == wanted)
        let long = FaultWish(delay: .max)
        #expect(try plan().draw(long, lots: (0, 0)).delay == 60_000 * millisecond)
    }

    @Test(
        "fields are taken out, and those that say nothing that makes sense are as good as none",
        arguments: [
            ("x-envoy-fault-delay-request", "250", FaultWish(delay: 250_000_000)),
            ("x-envoy-fault-delay-request", "9223372036854775807", FaultWish(delay: .max)),
            ("x-envoy-fault-delay-request", "-1", FaultWish()), ("x-envoy-fault-delay-request", "soon", FaultWish()),
            ("x-envoy-fault-delay-request-percentage", "30", FaultWish(delayShare: .percent(30))),
            ("x-envoy-fault-delay-request-percentage", "300", FaultWish(delayShare: .all)),
            ("X-Envoy-Fault-Abort-Request", "404", FaultWish(status: 404)),
            ("x-envoy-fault-abort-request", "199", FaultWish()), ("x-envoy-fault-abort-request", "600", FaultWish()),
            ("x-envoy-fault-abort-request-percentage", "0", FaultWish(abortShare: .zero)),
        ])
    func fields(name: String, value: String, wish: FaultWish) throws {
        var head = RequestHead()
        head.headers.add(try #require(HeaderName(name)), value)
        #expect(FaultFields().take(from: &head.headers) == wish)
        #expect(head.headers.index(of: try #require(HeaderName(name))) < 0)
    }
}
