import FilterAPI
import Testing

@testable import Host

@Suite("What filters have sent")
struct SentChunksTests {
    /// Lets go on what was sent; each chunk of the outer filter makes the inner one send its own two.
    private func flush(_ sent: inout SentChunks, _ words: inout [String], isInner: Bool = false) {
        var flush = sent.beginFlush()
        while let chunk = sent.next(&flush) {
            let word = ASCII.string(chunk.bytes)
            if isInner {
                words.append(word)
            } else {
                sent.append(ByteChunk("("))
                sent.append(ByteChunk(")"))
                words.append(word)
                self.flush(&sent, &words, isInner: true)
            }
        }
    }

    @Test("what one sends because of another's goes on before the rest of that, and from its own place")
    func nested() {
        var sent = SentChunks()
        var words: [String] = []
        for _ in 0..<2 {
            sent.append(ByteChunk("a"))
            sent.append(ByteChunk("b"))
            sent.append(ByteChunk("c"))
            flush(&sent, &words)
        }
        #expect(words.joined() == "a()b()c()a()b()c()")
    }

    @Test("what is dropped in between is not seen again")
    func dropped() {
        var sent = SentChunks()
        sent.append(ByteChunk("a"))
        sent.append(ByteChunk("b"))
        var flush = sent.beginFlush()
        _ = sent.next(&flush)
        sent.removeAll()
        let isOver = sent.next(&flush) == nil
        #expect(isOver)
        sent.append(ByteChunk("c"))
        var words: [String] = []
        self.flush(&sent, &words)
        #expect(words.joined() == "c()")
    }
}
