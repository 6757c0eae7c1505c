import CZlib

/// The peer of these tests: zlib without the filter around it.
///
/// SAFETY: the arrays are lent for the length of a call, with their sizes.
enum Zlib {
    enum Format: Int32 {
        case gzip = 31
        case zlib = 15
        case bare = -15
    }

    static func compress(_ bytes: [UInt8], _ format: Format = .gzip, level: Int32 = 6) -> [UInt8] {
        var stream = unsafe z_stream()
        var output = [UInt8](repeating: 0, count: bytes.count + bytes.count / 8 + 256)
        unsafe deflateInit2_(
            &stream, level, Z_DEFLATED, format.rawValue, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        let code = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { room in
                unsafe stream.next_in = input.baseAddress
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = room.baseAddress
                unsafe stream.avail_out = UInt32(room.count)
                return unsafe deflate(&stream, Z_FINISH)
            }
        }
        precondition(code == Z_STREAM_END)
        let count = unsafe Int(stream.total_out)
        unsafe deflateEnd(&stream)
        return Array(output[..<count])
    }

    /// - Returns: what is in it so far, and whether that is all; nil where the data is bad.
    static func decompress(_ bytes: [UInt8], room: Int = 4 << 20) -> (bytes: [UInt8], isComplete: Bool)? {
        var stream = unsafe z_stream()
        var output = [UInt8](repeating: 0, count: room)
        unsafe zlib_begin_inflating(&stream, Format.gzip.rawValue)
        let code = unsafe bytes.withUnsafeBufferPointer { input in
            unsafe output.withUnsafeMutableBufferPointer { room in
                unsafe stream.next_in = input.baseAddress
                unsafe stream.avail_in = UInt32(input.count)
                unsafe stream.next_out = room.baseAddress
                unsafe stream.avail_out = UInt32(room.count)
                return unsafe inflate(&stream, Z_SYNC_FLUSH)
            }
        }
        let (count, left) = unsafe (Int(stream.total_out), stream.avail_in)
        unsafe inflateEnd(&stream)
        guard code == Z_OK || code == Z_BUF_ERROR || code == Z_STREAM_END, left == 0 else { return nil }
        return (Array(output[..<count]), code == Z_STREAM_END)
    }
}

/// Text that compresses like the text of a page.
func sampleText(_ count: Int) -> [UInt8] {
    var text: [UInt8] = []
    var number = 0
    while text.count < count {
        text += Array(
            "{\"id\": \(number), \"name\": \"item \(number * 7919 % 1000)\", \"tags\": [\"a\", \"b\"]}\n".utf8)
        number += 1
    }
    return Array(text[..<count])
}

/// Bytes that do not compress.
func noise(_ count: Int) -> [UInt8] {
    var state: UInt64 = 88_172_645_463_325_252
    return (0..<count).map { _ in
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return UInt8(truncatingIfNeeded: state >> 32)
    }
}
