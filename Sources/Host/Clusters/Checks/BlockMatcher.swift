/// Looks for blocks of bytes in what arrives, one after the other, with anything before and between them.
struct BlockMatcher {
    private let blocks: [[UInt8]]
    /// Which block is looked for now.
    private var next = 0
    /// What has arrived and may still be the beginning of it.
    private var tail: [UInt8] = []

    /// - Parameter blocks: none of them empty.
    init(_ blocks: [[UInt8]]) { self.blocks = blocks }

    /// Whether all blocks have come.
    var isDone: Bool { next == blocks.count }

    /// Takes what comes next.
    mutating func take(_ bytes: borrowing RawSpan) {
        guard !isDone else { return }
        var seen = tail
        seen.reserveCapacity(seen.count + bytes.byteCount)
        for index in 0..<bytes.byteCount {
            // SAFETY: the index is below the count.
            seen.append(unsafe bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
        }
        var start = 0
        while !isDone, let end = Self.end(of: blocks[next], in: seen, from: start) {
            start = end
            next += 1
        }
        let kept = isDone ? 0 : min(blocks[next].count - 1, seen.count - start)
        tail = Array(seen.suffix(kept))
    }

    /// Where the first occurrence of a block ends.
    private static func end(of block: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        var place = start
        while place + block.count <= bytes.count {
            if bytes[place..<place + block.count].elementsEqual(block) { return place + block.count }
            place += 1
        }
        return nil
    }
}
