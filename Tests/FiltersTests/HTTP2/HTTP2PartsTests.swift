import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("What HTTP/2 is counted with")
struct HTTP2PartsTests {
    private static func at(_ seconds: Double) -> Instant { Instant(nanoseconds: 1_000_000_000 + UInt64(seconds * 1e9)) }

    /// How many times something is given, of so many.
    private static func given(_ count: Int, _ take: () -> Bool) -> Int { (0..<count).count { _ in take() } }

    @Test("A bucket gives what it holds at once, then what comes back")
    func bucket() {
        var bucket = HTTP2Budget.Bucket(most: 3, perSecond: 2)
        func taken(_ count: Int, at seconds: Double) -> Int { Self.given(count) { bucket.take(Self.at(seconds)) } }
        #expect(taken(5, at: 0) == 3)
        #expect(taken(2, at: 0.4) == 0)
        #expect(taken(2, at: 0.5) == 1)
        #expect(taken(2, at: 0.9) == 0)
        #expect(taken(2, at: 1) == 1)
        // No more comes back than it holds.
        #expect(taken(5, at: 100) == 3)
    }

    @Test("Frames without use have a budget, resets a smaller one")
    func budgets() {
        var budget = HTTP2Budget()
        #expect(Self.given(2000) { budget.takeIdle(Self.at(0)) } == 1000)
        #expect(Self.given(200) { budget.takeReset(Self.at(0)) } == 100)
        #expect(Self.given(2) { budget.takeIdle(Self.at(0.01)) } == 1)
        #expect(Self.given(4) { budget.takeReset(Self.at(1)) } == 3)
    }

    @Test("Credit for what was sent costs nothing; without that it does")
    func credit() {
        var budget = HTTP2Budget()
        for _ in 0..<500 { budget.sentData() }
        #expect(Self.given(5000) { budget.takeCredit(Self.at(0)) } == 3000)
    }

    @Test("Numbers that a client has left out or ended are told from those that are to come")
    func numbers() {
        var numbers = HTTP2Numbers()
        for id: Int32 in [1, 3, 9] { numbers.begin(id) }
        numbers.cut(3)
        #expect(
            [1, 3, 5, 7, 9, 11].map { numbers.state(of: $0) } == [.ended, .cut, .leftOut, .leftOut, .ended, .idle])
        #expect(numbers.state(of: 2) == .idle)
        // Too many to be kept: whatever has ended may be one of them.
        for id in stride(from: Int32(11), to: 3011, by: 2) {
            numbers.begin(id)
            numbers.cut(id)
        }
        #expect(numbers.state(of: 1) == .cut && numbers.state(of: 5) == .leftOut && numbers.state(of: 3011) == .idle)
    }

    @Test("Frames are found however they are cut, each with its header once")
    func splitter() {
        let frames: [(UInt8, [UInt8])] = [
            (1, [1, 2, 3]), (0, []), (8, [0, 0, 1, 2]), (8, [1]), (6, [UInt8](repeating: 7, count: 300)),
        ]
        let bytes = Frames.preface + frames.flatMap { Frames.frame($0.0, 5, 9, $0.1) }
        Splitter.forEachSplit(of: bytes) { pieces in
            var splitter = HTTP2FrameSplitter(preface: Frames.preface.count)
            var headers: [HTTP2FrameSplitter.Header] = []
            var shown: [UInt8] = []
            for piece in pieces {
                unsafe piece.withUnsafeBytes { piece in
                    var at = 0
                    while at < piece.count {
                        let step = unsafe splitter.take(piece, from: at)
                        if let begun = step.begun {
                            headers.append(begun)
                            if step.isPieced { for index in 0..<begun.size { shown.append(begun.bytes[index]) } }
                        }
                        unsafe shown += piece[step.start..<step.end]
                        at = step.end
                    }
                }
            }
            #expect(shown == bytes && splitter.isBetweenFrames)
            #expect(headers.map { Int($0.type) } == frames.map { Int($0.0) })
            #expect(
                headers.map(\.length) == frames.map(\.1.count) && headers.allSatisfy { $0.stream == 9 && $0.flags == 5 }
            )
            #expect(headers[2].increment == 0x0102 && headers[3].increment == 0)
        }
    }
}
