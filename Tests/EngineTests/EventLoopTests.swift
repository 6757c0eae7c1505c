import Glibc
import Synchronization
import Testing

@testable import Engine

@Suite struct EventLoopTests {
    private let loop: EventLoop

    init() throws {
        loop = try EventLoop()
    }

    @Test("A level is announced in every turn, and only for what is asked")
    func levelTriggeredBothWays() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        let source = Recorder()
        try loop.registerLevelTriggered(source, fd: pair.left, for: .readable)
        loop.turn(maxWait: 0)
        #expect(source.seen == [])
        #expect(send("ab", to: pair.right) == .bytes(2))
        loop.turn(maxWait: 0)
        #expect(receive(from: pair.left, limit: 1) == "a")
        loop.turn(maxWait: 0)
        #expect(source.seen == [.readable, .readable])
        try loop.watch(source, for: [.readable, .writable])
        loop.turn(maxWait: 0)
        #expect(source.seen.last == [.readable, .writable])
        try loop.watch(source, for: .writable)
        loop.turn(maxWait: 0)
        #expect(source.seen.last == .writable)
        #expect(loop.deregister(source) == pair.left)
        loop.turn(maxWait: 0)
        #expect(source.seen.count == 4)
    }

    @Test("A change that the kernel refuses is thrown")
    func levelRefused() throws {
        let pair = try SocketPair()
        let source = Recorder()
        try loop.registerLevelTriggered(source, fd: pair.left, for: .readable)
        Syscalls.close(pair.left)
        pair.left = -1
        #expect(throws: SystemFault.self) { try loop.watch(source, for: .writable) }
        loop.deregister(source)
    }

    @Test("An edge is announced once; the next bytes are a new edge")
    func edgeTriggered() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        let source = Recorder()
        try loop.register(source, fd: pair.left)
        #expect(source.fd == pair.left)
        #expect(send("ab", to: pair.right) == .bytes(2))
        loop.turn(maxWait: 0)
        #expect(source.seen == [[.readable, .writable]])
        loop.turn(maxWait: 0)
        #expect(source.seen.count == 1)
        #expect(receive(from: pair.left) == "ab")
        _ = send("c", to: pair.right)
        loop.turn(maxWait: 0)
        #expect(source.seen.count == 2)
        pair.closeRight()
        loop.turn(maxWait: 0)
        #expect(source.seen.last?.contains([.readable, .peerClosed, .hangup]) == true)
        loop.deregister(source)
    }

    @Test("A level-triggered source is announced in every turn until it is read")
    func levelTriggered() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        let source = Recorder()
        try loop.registerReadOnly(source, fd: pair.left, levelTriggered: true)
        _ = send("a", to: pair.right)
        loop.turn(maxWait: 0)
        loop.turn(maxWait: 0)
        #expect(source.seen == [.readable, .readable])
        loop.deregister(source)
    }

    @Test("An event of a descriptor that was closed and reused in the same batch does not reach the new owner")
    func staleEvent() throws {
        let pairs = [try SocketPair(), try SocketPair()]
        defer { withExtendedLifetime(pairs) {} }
        let first = [Recorder(), Recorder()]
        defer { withExtendedLifetime(first) {} }
        let replacement = Recorder()
        let fresh = try SocketPair()
        defer { withExtendedLifetime(fresh) {} }
        for index in 0...1 {
            try loop.registerReadOnly(first[index], fd: pairs[index].left)
            _ = send("x", to: pairs[index].right)
            // Whichever comes first closes the other one and reuses its slot and its number.
            first[index].onReady = { [loop] _, _ in
                let other = first[1 - index]
                let number = loop.deregister(other)
                // Closes the old socket and reuses its number in one step, as other tests open descriptors meanwhile.
                #expect(dup2(fresh.left, number) == number)
                #expect(throws: Never.self) { try loop.registerReadOnly(replacement, fd: number) }
            }
        }
        loop.turn(maxWait: 0)
        #expect(first[0].seen.count + first[1].seen.count == 1)
        #expect(replacement.seen.isEmpty)
        #expect(loop.counters.staleEvents == 1)
        _ = send("y", to: fresh.right)
        loop.turn(maxWait: 0)
        #expect(replacement.seen == [.readable])
        loop.deregister(replacement)
        for source in first { loop.deregister(source) }
    }

    @Test("A source that deregisters itself lives until the end of the turn, and no longer")
    func releasedAfterTurn() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        weak var watched: Recorder?
        do {
            let source = Recorder()
            watched = source
            source.onReady = { [loop] source, _ in
                #expect(loop.deregister(source) == pair.left)
                #expect(source.fd == -1)
            }
            try loop.register(source, fd: pair.left)
        }
        #expect(watched != nil, "the loop retains what is registered")
        loop.turn(maxWait: 0)
        #expect(watched == nil)
        #expect(loop.sourceCount == 0)
    }

    @Test("A descriptor that epoll refuses leaves nothing behind")
    func refusedDescriptor() throws {
        let file = try Syscalls.open("/proc/self/cgroup", .read)
        defer { Syscalls.close(file) }
        let source = Recorder()
        #expect(throws: SystemFault.self) { try loop.register(source, fd: file) }
        #expect(!source.isRegistered && loop.sourceCount == 0)
    }

    @Test("Hundreds of sources keep their identity while the table grows")
    func manySources() throws {
        let pairs = try (0..<200).map { _ in try SocketPair() }
        defer { withExtendedLifetime(pairs) {} }
        let sources = pairs.map { _ in Recorder() }
        for (source, pair) in zip(sources, pairs) { try loop.registerReadOnly(source, fd: pair.left) }
        for (index, pair) in pairs.enumerated() where index % 3 == 0 { _ = send("x", to: pair.right) }
        loop.turn(maxWait: 0)
        #expect(sources.indices.allSatisfy { sources[$0].seen.count == ($0 % 3 == 0 ? 1 : 0) })
        for source in sources { loop.deregister(source) }
    }

    @Test("A job posted from another thread wakes a sleeping loop, and jobs keep their order")
    func post() throws {
        let poster = loop.poster
        let order = Mutex<[Int]>([])
        let thread = try WorkerThread.start(name: "poster") {
            for number in 0..<100 { poster.post { order.withLock { $0.append(number) } } }
            poster.stop()
        }
        // Returns only because the other thread's posts wake it.
        loop.run()
        thread.join()
        #expect(order.withLock { $0 } == Array(0..<100))
        #expect(loop.counters.jobs == 101)
    }

    @Test("A posted value and the loop's context arrive on the loop")
    func postValue() {
        final class Box { var number = 1 }
        let result = Mutex(0)
        let worker = Box()
        loop.context = worker
        loop.poster.post(sending: Box()) { box in result.withLock { $0 += box.number } }
        loop.poster.post(withLoop: { loop in (loop.context as? Box)?.number = 5 })
        loop.turn(maxWait: 0)
        #expect(result.withLock { $0 } == 1)
        #expect(worker.number == 5)
    }

    @Test("A job that posts a job does not run it in the same turn")
    func postFromJob() {
        let poster = loop.poster
        let count = Mutex(0)
        poster.post {
            count.withLock { $0 += 1 }
            poster.post { count.withLock { $0 += 1 } }
        }
        loop.turn(maxWait: 0)
        #expect(count.withLock { $0 } == 1)
        loop.turn(maxWait: nil)
        #expect(count.withLock { $0 } == 2)
    }

    @Test("atTurnEnd runs once however often it is asked for, also for a source without a descriptor")
    func turnEnd() {
        let source = Recorder()
        let second = Recorder()
        source.onEnd = { [loop] _ in loop.atTurnEnd(second) }
        for _ in 0..<3 { loop.atTurnEnd(source) }
        loop.turn(maxWait: nil)
        #expect(source.ends == 1)
        #expect(second.ends == 1, "added in the end phase, run in the same end phase")
        loop.turn(maxWait: 0)
        #expect(source.ends == 1 && second.ends == 1)
    }

    @Test("Two sources that ask for each other at turn ends do not keep the loop from its events")
    func turnEndCircle() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        let reader = Recorder()
        try loop.registerReadOnly(reader, fd: pair.left)
        let first = Recorder()
        defer { withExtendedLifetime(first) {} }
        let second = Recorder()
        first.onEnd = { [loop] _ in loop.atTurnEnd(second) }
        second.onEnd = { [loop] _ in loop.atTurnEnd(first) }
        loop.atTurnEnd(first)
        loop.turn(maxWait: nil)
        let ends = first.ends
        #expect(ends > 0)
        _ = send("x", to: pair.right)
        loop.turn(maxWait: nil)
        #expect(reader.seen == [.readable])
        #expect(first.ends > ends, "the rest goes on in the next turn, without sleeping")
        second.onEnd = { _ in }
        loop.turn(maxWait: nil)
        loop.deregister(reader)
    }

    @Test("Deregistering a source takes back its wish for the turn's end")
    func turnEndAfterDeregister() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        let source = Recorder()
        try loop.registerReadOnly(source, fd: pair.left)
        _ = send("x", to: pair.right)
        source.onReady = { [loop] source, _ in
            loop.atTurnEnd(source)
            loop.deregister(source)
        }
        loop.turn(maxWait: 0)
        #expect(source.seen.count == 1 && source.ends == 0)
    }

    @Test("again() calls back in the next turn without sleeping, once, together with a new edge")
    func again() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        let source = Recorder()
        try loop.registerReadOnly(source, fd: pair.left)
        _ = send("abc", to: pair.right)
        source.onReady = { [loop] source, _ in
            guard receive(from: source.fd, limit: 1) != nil else { return }
            loop.again(source)
            loop.again(source)
        }
        loop.turn(maxWait: 0)
        #expect(source.seen.count == 1)
        // Would sleep for ever if `again` did not count as work.
        loop.turn(maxWait: nil)
        #expect(source.seen == [.readable, .readable])
        _ = send("d", to: pair.right)
        loop.turn(maxWait: nil)
        #expect(source.seen.count == 3, "the edge and the wish are one call")
        loop.deregister(source)
        loop.turn(maxWait: 0)
        #expect(source.seen.count == 3)
    }

    @Test("A timer wakes the loop and never fires early")
    func timer() {
        let start = Syscalls.timeNow()
        var firedAt: Nanoseconds = 0
        let timer = CallbackTimer { [loop] in
            firedAt = loop.now
            loop.stop()
        }
        defer { withExtendedLifetime(timer) {} }
        loop.schedule(timer, after: 3_000_000)
        loop.run()
        #expect(firedAt >= start + 3_000_000)
        #expect(loop.counters.timers == 1)
    }

    @Test("A cancelled timer does not fire, an endless one does not overflow")
    func cancelledTimer() {
        var fired = 0
        let cancelled = CallbackTimer { fired += 1 }
        defer { withExtendedLifetime(cancelled) {} }
        let endless = CallbackTimer { fired += 1 }
        defer { withExtendedLifetime(endless) {} }
        loop.schedule(cancelled, after: 0)
        loop.schedule(endless, after: .max)
        loop.cancel(cancelled)
        loop.cancel(cancelled)
        loop.turn(maxWait: 1_000_000)
        #expect(fired == 0)
        #expect(endless.isArmed)
    }

    @Test("onTurn sees each turn and the counters add up")
    func counters() throws {
        let pair = try SocketPair()
        defer { withExtendedLifetime(pair) {} }
        let source = Recorder()
        try loop.register(source, fd: pair.left)
        var turns: [LoopTurn] = []
        loop.onTurn = { turns.append($0) }
        loop.turn(maxWait: 0)
        loop.turn(maxWait: 0)
        loop.onTurn = nil
        #expect(turns.map(\.events) == [1, 0])
        #expect(loop.counters.turns == 2 && loop.counters.events == 1)
        loop.deregister(source)
    }

    @Test("A wait that is interrupted is a turn that found nothing")
    func interruptedWait() {
        Syscalls.faults.during([FaultRule(.epollWait, nth: 1, errno: 4)]) { loop.turn(maxWait: nil) }
        #expect(loop.counters.turns == 1)
    }
}
