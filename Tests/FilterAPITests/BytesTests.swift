import Testing

@testable import FilterAPI

@Suite("Chunks, queues and pages")
struct BytesTests {
    private func chunk(_ pool: PagePool, _ text: String) -> ByteChunk { pool.chunk(copying: text.utf8Span.span.bytes) }
    private func text(_ chunk: borrowing ByteChunk) -> String { ASCII.string(chunk.bytes) }

    @Test("Splitting shares the page, and dropping the last slice gives it back")
    func splitting() {
        let pool = PagePool()
        do {
            var whole = chunk(pool, String(repeating: "ab", count: 5000))
            let first = whole.splitFirst(2)
            #expect(text(first) == "ab")
            #expect(whole.count == 9998)
            #expect(pool.pagesInUse == 1)
        }
        #expect(pool.pagesInUse == 0)
    }

    @Test("Taking leaves an empty chunk and moves the bytes")
    func taking() {
        let pool = PagePool()
        var one = chunk(pool, "hello")
        let two = one.take()
        #expect(one.isEmpty)
        #expect(text(two) == "hello")
    }

    @Test("A queue keeps order over growth and partial removal")
    func queue() {
        let pool = PagePool()
        var queue = ChunkQueue()
        for index in 0..<100 { queue.append(chunk(pool, "chunk \(index);")) }
        var all = (0..<100).map { "chunk \($0);" }.joined()
        queue.removeFirst(12)
        all.removeFirst(12)
        #expect(queue.byteCount == all.utf8.count)
        var seen = ""
        while let next = queue.popFirst() { seen += text(next) }
        #expect(seen == all)
        #expect(queue.byteCount == 0)
    }

    @Test("Small writes are packed into one chunk, large ones span pages")
    func output() {
        let pool = PagePool()
        var output = ByteOutput(pool: pool)
        output.append("HTTP/1.1 ")
        output.append("200 OK\r\n" as String)
        #expect(output.queue.count == 1)
        output.append(String(repeating: "x", count: 40_000))
        #expect(output.byteCount == 17 + 40_000)
        var seen = ""
        while let next = output.queue.popFirst() { seen += text(next) }
        #expect(seen == "HTTP/1.1 200 OK\r\n" + String(repeating: "x", count: 40_000))
    }

    @Test("Two outputs on one worker do not mix their bytes")
    func interleaved() {
        let pool = PagePool()
        var one = ByteOutput(pool: pool)
        var two = ByteOutput(pool: pool)
        for _ in 0..<3000 {
            one.append("one ")
            two.append("two ")
        }
        var seen = (one: "", two: "")
        while let next = one.queue.popFirst() { seen.one += text(next) }
        while let next = two.queue.popFirst() { seen.two += text(next) }
        #expect(seen.one == String(repeating: "one ", count: 3000))
        #expect(seen.two == String(repeating: "two ", count: 3000))
    }
}

@Suite("Tokens of held streams")
struct ResumptionTests {
    private final class Target: ResumptionTarget {
        nonisolated(unsafe) var outcomes: [String] = []
        func resume(_ key: ResumptionKey, _ outcome: ResumptionOutcome) {
            switch outcome {
            case .resumed: outcomes.append("resumed")
            case .failed: outcomes.append("failed")
            case .dropped: outcomes.append("dropped")
            case .reply(let status, _): outcomes.append("reply \(status.code)")
            }
        }
    }

    private func token(_ target: Target) -> Resumption {
        Resumption(target: target, key: ResumptionKey(slot: 0, generation: 0, stage: 0, isRequest: true, serial: 1))
    }

    @Test("A token tells exactly once what became of it")
    func once() {
        let target = Target()
        token(target).resume()
        token(target).fail(Fault(.filterFailed, "test"))
        token(target).reply(403)
        do { _ = token(target) }
        #expect(target.outcomes == ["resumed", "failed", "reply 403", "dropped"])
    }
}
