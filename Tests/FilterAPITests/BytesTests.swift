import Synchronization
import Testing

@testable import FilterAPI

@Suite("Chunks, queues and pages")
struct BytesTests {
    private func chunk(_ pool: PagePool, _ text: String) -> ByteChunk {
        unsafe pool.chunk(copying: text.utf8Span.span.bytes)
    }
    private func text(_ chunk: borrowing ByteChunk) -> String { ASCII.string(chunk.bytes) }

    @Test("Splitting shares the page, and dropping the last slice gives it back")
    func splitting() {
        let pool = PagePool()
        do {
            var whole = chunk(pool, String(repeating: "ab", count: 5000))
            let first = whole.splitFirst(2)
            let (seen, left, pages) = (text(first), whole.count, pool.pagesInUse)
            #expect(seen == "ab")
            #expect(left == 9998)
            #expect(pages == 1)
        }
        #expect(pool.pagesInUse == 0)
    }

    @Test("A chunk whose bytes have all been dropped keeps no page, however long it is kept itself")
    func dropping() {
        let pool = PagePool()
        var one = chunk(pool, String(repeating: "ab", count: 5000))
        one.removeFirst(9999)
        let before = pool.pagesInUse
        one.removeFirst(1)
        let (after, isEmpty) = (pool.pagesInUse, one.isEmpty)
        #expect(before == 1)
        #expect(after == 0)
        #expect(isEmpty)
    }

    @Test("Taking leaves an empty chunk and moves the bytes")
    func taking() {
        let pool = PagePool()
        var one = chunk(pool, "hello")
        let two = one.take()
        let (isEmpty, moved) = (one.isEmpty, text(two))
        #expect(isEmpty)
        #expect(moved == "hello")
    }

    @Test("A queue keeps order over growth and partial removal")
    func queue() {
        let pool = PagePool()
        var queue = ChunkQueue()
        for index in 0..<100 { queue.append(chunk(pool, "chunk \(index);")) }
        var all = (0..<100).map { "chunk \($0);" }.joined()
        queue.removeFirst(12)
        all.removeFirst(12)
        let bytesLeft = queue.byteCount
        #expect(bytesLeft == all.utf8.count)
        var seen = ""
        while let next = queue.popFirst() { seen += text(next) }
        let bytesAtEnd = queue.byteCount
        #expect(seen == all)
        #expect(bytesAtEnd == 0)
    }

    @Test("Small writes are packed into one chunk, large ones span pages")
    func output() {
        let pool = PagePool()
        var output = ByteOutput(pool: pool)
        output.append("HTTP/1.1 ")
        output.append("200 OK\r\n" as String)
        let chunks = output.queue.count
        #expect(chunks == 1)
        output.append(String(repeating: "x", count: 40_000))
        let bytes = output.byteCount
        #expect(bytes == 17 + 40_000)
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
        private let record = Mutex<[String]>([])
        var outcomes: [String] { record.withLock { $0 } }
        func resume(_ key: ResumptionKey, _ outcome: ResumptionOutcome) {
            let word =
                switch outcome {
                case .resumed: "resumed"
                case .failed: "failed"
                case .dropped: "dropped"
                case .more: "more"
                case .reply(let status, _, _), .donated(let status, _, _): "reply \(status.code)"
                }
            record.withLock { $0.append(word) }
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
