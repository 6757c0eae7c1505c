import Testing

@testable import Engine

private let millisecond: Nanoseconds = 1_000_000

/// A timer that writes its name into a shared list.
private final class Named: LoopTimer {
    let name: Int
    let log: Log

    init(_ name: Int, _ log: Log) {
        self.name = name
        self.log = log
    }

    override func fired() {
        log.names.append(name)
        log.onFire(self)
    }
}

private final class Log {
    var names: [Int] = []
    var onFire: (Named) -> Void = { _ in }
}

@Suite struct TimerWheelTests {
    private let log = Log()
    private let wheel = TimerWheel(now: 5 * millisecond)

    @Test("Timers fire in the order of their moments, and in the order of arming within one tick")
    func order() {
        let timers = (0..<4).map { Named($0, log) }
        defer { withExtendedLifetime(timers) {} }
        wheel.arm(timers[0], at: 30 * millisecond)
        wheel.arm(timers[1], at: 10 * millisecond)
        wheel.arm(timers[2], at: 20 * millisecond)
        wheel.arm(timers[3], at: 10 * millisecond)
        #expect(wheel.advance(to: 100 * millisecond) == 4)
        #expect(log.names == [1, 3, 2, 0])
        #expect(wheel.count == 0 && wheel.nextDeadline == nil)
    }

    @Test("A timer never fires before its moment, on any level of the wheel")
    func neverEarly() {
        for exponent in stride(from: 0, through: 54, by: 3) {
            let wheel = TimerWheel(now: 12_345_678_901)
            let timer = Named(exponent, log)
            defer { withExtendedLifetime(timer) {} }
            let deadline: Nanoseconds = 12_345_678_901 + (1 << UInt64(exponent))
            wheel.arm(timer, at: deadline)
            #expect(wheel.advance(to: deadline - 1) == 0, "2^\(exponent) ns")
            // The next whole tick is the moment at which it has to fire.
            #expect(wheel.advance(to: deadline + millisecond) == 1, "2^\(exponent) ns")
        }
    }

    @Test("Sleeping until nextDeadline again and again reaches a far timer in few steps and not early")
    func cascade() {
        let timer = Named(7, log)
        defer { withExtendedLifetime(timer) {} }
        let deadline = 90_061_003 * millisecond
        wheel.arm(timer, at: deadline)
        var wakeups = 0
        var last: Nanoseconds = 0
        while let next = wheel.nextDeadline {
            #expect(next <= deadline && next >= last)
            last = next
            wheel.advance(to: next)
            wakeups += 1
        }
        #expect(log.names == [7])
        #expect(last == deadline)
        #expect(wakeups <= TimerWheel.levels)
    }

    @Test("A thousand random timers fire in order, each at its own tick")
    func manyTimers() {
        var random = SystemRandomNumberGenerator()
        let deadlines = (0..<1000).map { _ in UInt64.random(in: 6...5_000_000, using: &random) }
        let timers = deadlines.indices.map { Named($0, log) }
        defer { withExtendedLifetime(timers) {} }
        for (timer, deadline) in zip(timers, deadlines) { wheel.arm(timer, at: deadline * millisecond) }
        var now: UInt64 = 5
        while now < 5_000_000 {
            let before = log.names.count
            let next = min(now + UInt64.random(in: 1...50_000, using: &random), 5_000_000)
            wheel.advance(to: next * millisecond)
            for name in log.names[before...] { #expect(deadlines[name] > now && deadlines[name] <= next) }
            now = next
        }
        #expect(log.names.map { deadlines[$0] } == deadlines.sorted())
    }

    @Test("Arming an armed timer moves it, earlier or later")
    func rearm() {
        let later = Named(1, log)
        defer { withExtendedLifetime(later) {} }
        let earlier = Named(2, log)
        defer { withExtendedLifetime(earlier) {} }
        wheel.arm(later, at: 10 * millisecond)
        wheel.arm(later, at: 5000 * millisecond)
        wheel.arm(earlier, at: 9000 * millisecond)
        wheel.arm(earlier, at: 20 * millisecond)
        #expect(wheel.count == 2)
        wheel.advance(to: 100 * millisecond)
        #expect(log.names == [2])
        #expect(later.isArmed && !earlier.isArmed)
        wheel.advance(to: 5000 * millisecond)
        #expect(log.names == [2, 1])
    }

    @Test("A timer that fires can cancel another one that is due in the same tick")
    func cancelInsideFired() {
        let timers = (0..<3).map { Named($0, log) }
        defer { withExtendedLifetime(timers) {} }
        for timer in timers { wheel.arm(timer, at: 10 * millisecond) }
        log.onFire = { [wheel] fired in
            #expect(!fired.isArmed)
            if fired.name == 0 { wheel.cancel(timers[1]) }
        }
        wheel.advance(to: 10 * millisecond)
        #expect(log.names == [0, 2])
        log.onFire = { _ in }
    }

    @Test("A timer that arms itself for now fires once per advance, not for ever")
    func selfRearm() {
        let timer = Named(0, log)
        defer { withExtendedLifetime(timer) {} }
        wheel.arm(timer, at: 6 * millisecond)
        log.onFire = { [wheel] in wheel.arm($0, at: 0) }
        for round in 1...3 {
            #expect(wheel.advance(to: 10 * millisecond) == 1)
            #expect(log.names.count == round)
            #expect(wheel.nextDeadline == 10 * millisecond)
        }
        log.onFire = { _ in }
    }

    @Test("A moment three hundred years away or at the end of time can be armed and cancelled")
    func farFuture() {
        let year = 31_557_600 * 1000 * millisecond
        let timers = [Named(0, log), Named(1, log)]
        defer { withExtendedLifetime(timers) {} }
        wheel.arm(timers[0], at: 300 * year)
        wheel.arm(timers[1], at: .max)
        wheel.advance(to: 200 * year)
        #expect(log.names.isEmpty)
        wheel.advance(to: 301 * year)
        #expect(log.names == [0])
        wheel.cancel(timers[1])
        wheel.cancel(timers[1])
        #expect(wheel.count == 0)
    }

    @Test("A timer that goes away while armed is cancelled, and a wheel that goes away disarms its timers")
    func lifetimes() {
        do {
            let gone = Named(0, log)
            wheel.arm(gone, at: 10 * millisecond)
            #expect(wheel.count == 1)
        }
        #expect(wheel.count == 0)
        #expect(wheel.advance(to: 20 * millisecond) == 0)

        let survivor = Named(1, log)
        do {
            let short = TimerWheel(now: 0)
            short.arm(survivor, at: millisecond)
            #expect(survivor.isArmed)
        }
        #expect(!survivor.isArmed)
    }
}
