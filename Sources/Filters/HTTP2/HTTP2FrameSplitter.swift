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

    private var header = Header()
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
    /// - Parameters:
    ///   - bytes: what has come.
    ///   - start: where to begin.
    ///   - begun: set to the frame's header, if the last byte of that is among these.
    /// - Returns: where the frame ends, or the bytes.
    mutating func take(_ bytes: UnsafeRawBufferPointer, from start: Int, _ begun: inout Header?) -> Int {
        var at = start
        if headerBytes < 9 {
            while headerBytes < 9, at < bytes.count {
                unsafe add(bytes[at])
                at += 1
            }
            guard headerBytes == 9 else { return at }
            left = header.length
            begun = header
        }
        let more = min(left, bytes.count - at)
        left -= more
        if left == 0 {
            headerBytes = 0
            header = Header()
        }
        return at + more
    }

    private mutating func add(_ byte: UInt8) {
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
