/// Finds where frames begin and end (RFC 9113 section 4.1): a session looks at a frame before libnghttp2 reads it, which
/// does not tell of those that it passes over.
struct HTTP2FrameSplitter {
    /// The header of a frame.
    struct Header {
        var length = 0
        var type: UInt8 = 0
        var flags: UInt8 = 0
        var stream: UInt32 = 0
        /// What a WINDOW_UPDATE says.
        var increment: UInt32 = 0
        /// The header's bytes that have come, and those of an increment.
        fileprivate(set) var count = 0
        fileprivate(set) var bytes: InlineArray<13, UInt8> = InlineArray(repeating: 0)
        fileprivate(set) var size = 9

        fileprivate var isWhole: Bool { count == size }

        fileprivate mutating func add(_ byte: UInt8) {
            bytes[count] = byte
            switch count {
            case 0...2: length = length << 8 | Int(byte)
            case 3: type = byte
            case 4: flags = byte
            case 5: stream = UInt32(byte & 0x7F)
            case 6...8: stream = stream << 8 | UInt32(byte)
            case 9: increment = UInt32(byte & 0x7F)
            default: increment = increment << 8 | UInt32(byte)
            }
            count += 1
            if count == 9, type == 8, length == 4 { size = 13 }
        }
    }

    /// What was read, from one place to another.
    struct Step {
        /// The header, if its last byte was among it.
        var begun: Header?
        /// Whether that began in bytes that came before; then it is to be shown first.
        var isPieced = false
        /// Where the part of the frame that libnghttp2 may be shown begins, and where it ends.
        var start: Int
        var end: Int
    }

    private var header = Header()
    /// What is still to come of the preface, or of a frame whose header has come.
    private var left: Int

    /// - Parameter preface: how many bytes come before the first frame.
    init(preface: Int) {
        left = preface
        if preface > 0 { header.count = header.size }
    }

    /// Whether a frame has come whole, and nothing of the next.
    var isBetweenFrames: Bool { header.count == 0 }

    /// Goes on to the end of the frame that is being read, or of the bytes.
    ///
    /// A header is kept until it is whole: each piece of one would count as a CONTINUATION where libnghttp2 waits for one.
    ///
    /// - Parameters:
    ///   - input: what has come.
    ///   - start: where to begin.
    mutating func take(_ input: UnsafeRawBufferPointer, from start: Int) -> Step {
        var step = Step(start: start, end: start)
        if !header.isWhole {
            step.isPieced = header.count > 0
            while !header.isWhole, step.end < input.count {
                unsafe header.add(input[step.end])
                step.end += 1
            }
            guard header.isWhole else {
                step.start = step.end
                return step
            }
            if step.isPieced { step.start = step.end }
            left = header.length - (header.size - 9)
            step.begun = header
        }
        let more = min(left, input.count - step.end)
        step.end += more
        left -= more
        if left == 0 { header = Header() }
        return step
    }
}
