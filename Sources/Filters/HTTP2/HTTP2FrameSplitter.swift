/// Finds where frames begin and end (RFC 9113 section 4.1): a session looks at a frame before libnghttp2 reads it, which
/// does not tell of those that it passes over.
struct HTTP2FrameSplitter {
    /// The header of a frame.
    struct Header {
        var length = 0
        var type: UInt8 = 0
        var flags: UInt8 = 0
        var stream: UInt32 = 0
    }

    /// What was read, from one place to another.
    struct Step {
        /// The header, if its last byte was among it.
        var begun: Header?
        /// Whether that began in bytes that came before; then all of it is in ``bytes``.
        var isPieced = false
        /// Where the part of the frame that libnghttp2 may be shown begins, and where it ends.
        var start: Int
        var end: Int
    }

    private var header = Header()
    /// The header that is being read.
    private(set) var bytes: InlineArray<9, UInt8> = InlineArray(repeating: 0)
    private var headerBytes = 0
    /// What is still to come of the preface, or of a frame whose header has come.
    private var left: Int

    /// - Parameter preface: how many bytes come before the first frame.
    init(preface: Int) {
        left = preface
        headerBytes = preface > 0 ? 9 : 0
    }

    /// Whether a frame has come whole, and nothing of the next.
    var isBetweenFrames: Bool { headerBytes == 0 }

    /// Goes on to the end of the frame that is being read, or of the bytes.
    ///
    /// A header is kept until it is whole: each piece of one would count as a CONTINUATION where libnghttp2 waits for one.
    ///
    /// - Parameters:
    ///   - input: what has come.
    ///   - start: where to begin.
    mutating func take(_ input: UnsafeRawBufferPointer, from start: Int) -> Step {
        var step = Step(start: start, end: start)
        if headerBytes < 9 {
            step.isPieced = headerBytes > 0
            while headerBytes < 9, step.end < input.count {
                unsafe add(input[step.end])
                step.end += 1
            }
            guard headerBytes == 9 else {
                step.start = step.end
                return step
            }
            if step.isPieced { step.start = step.end }
            left = header.length
            step.begun = header
        }
        let more = min(left, input.count - step.end)
        step.end += more
        left -= more
        if left == 0 {
            headerBytes = 0
            header = Header()
        }
        return step
    }

    private mutating func add(_ byte: UInt8) {
        bytes[headerBytes] = byte
        switch headerBytes {
        case 0...2: header.length = header.length << 8 | Int(byte)
        case 3: header.type = byte
        case 4: header.flags = byte
        case 5: header.stream = UInt32(byte & 0x7F)
        default: header.stream = header.stream << 8 | UInt32(byte)
        }
        headerBytes += 1
    }
}
