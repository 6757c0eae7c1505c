internal import FilterAPI

/// Finds where frames end (RFC 9113 section 4.1), so that a session can be shown one at a time.
///
/// For answers: an upstream may say a head with status 1xx and the final one in one breath, and both are read into the same
/// place.
struct HTTP2FrameSplitter {
    private var headerBytes = 0
    private var length = 0
    private var left = 0

    /// Takes up to the end of the frame that is being read.
    mutating func take(_ input: inout ByteChunk) -> ByteChunk {
        var count = 0
        while headerBytes < 9, count < input.count {
            if headerBytes < 3 {
                length = unsafe length << 8 | Int(input.bytes.unsafeLoad(fromByteOffset: count, as: UInt8.self))
            }
            headerBytes += 1
            count += 1
            if headerBytes == 9 { left = length }
        }
        if headerBytes == 9 {
            let more = min(left, input.count - count)
            left -= more
            count += more
            if left == 0 {
                headerBytes = 0
                length = 0
            }
        }
        return input.splitFirst(count)
    }
}
