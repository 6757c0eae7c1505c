internal import CZlib
internal import FilterAPI

/// Compresses bodies, one after the other, in the format of gzip (RFC 1952).
///
/// Used by one worker. What zlib has allocated, 268 KiB unless told otherwise, is kept from body to body.
///
/// SAFETY: `zlib` is made with the object and freed with it, and stays in its place, as zlib wants; memory for input and
/// output is lent to zlib for the length of a call.
@safe
final class Deflater {
    /// What becomes of bytes that zlib would rather keep, to compress them together with what follows.
    enum Pace {
        /// They are kept.
        case gather
        /// They come out: whoever receives them has all that there was.
        case flush
        /// They come out, and the body ends.
        case finish
    }

    private let zlib: UnsafeMutablePointer<z_stream>
    private var level: Int32
    /// Bytes of this body that came in.
    private(set) var bytesIn = 0
    /// Bytes of this body that came out.
    private(set) var bytesOut = 0
    /// Bytes that came in since all was let out.
    private(set) var gathered = 0

    /// What comes out at once: a page.
    private static let step = 16 * 1024
    /// The same for little input, with room for what cannot be compressed: part of a page that others use too.
    private static let smallStep = 4 * 1024
    private static let smallInput = 3 * 1024

    /// - Returns: nil where there is no memory.
    init?(level: Int, windowBits: Int, memoryLevel: Int) {
        self.level = Int32(level)
        unsafe zlib = .allocate(capacity: 1)
        unsafe zlib.initialize(to: z_stream())
        guard unsafe zlib_begin_gzip(zlib, self.level, Int32(windowBits), Int32(memoryLevel)) == Z_OK else {
            unsafe zlib.deallocate()
            return nil
        }
    }

    deinit {
        unsafe deflateEnd(zlib)
        unsafe zlib.deallocate()
    }

    /// Begins another body.
    func begin(level: Int) {
        unsafe deflateReset(zlib)
        bytesIn = 0
        bytesOut = 0
        gathered = 0
        guard self.level != Int32(level) else { return }
        self.level = Int32(level)
        // Nothing has come in since the reset, so this has nothing to let out.
        unsafe deflateParams(zlib, self.level, Z_DEFAULT_STRATEGY)
    }

    /// Compresses a piece of the body, and sends what comes out but for the last chunk.
    ///
    /// - Returns: the last chunk; an empty one where nothing comes out.
    func add(_ input: borrowing ByteChunk, _ pace: Pace, _ way: BodyWay, _ stream: inout Stream) -> ByteChunk {
        bytesIn += input.count
        gathered += input.count
        let room = gathered <= Self.smallInput ? Self.smallStep : Self.step
        var output = ByteChunk()
        unsafe input.withUnsafeBytes { bytes in
            unsafe zlib.pointee.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe zlib.pointee.avail_in = UInt32(bytes.count)
            repeat {
                if !output.isEmpty { way.send(output.take(), &stream) }
                output = unsafe stream.makeChunk(capacity: room) { unsafe step($0, room, pace) }
            } while output.count == room
            unsafe zlib.pointee.next_in = nil
        }
        if pace != .gather { gathered = 0 }
        return output
    }

    /// - Returns: how many bytes came out.
    private func step(_ memory: UnsafeMutableRawPointer, _ room: Int, _ pace: Pace) -> Int {
        unsafe zlib.pointee.next_out = memory.assumingMemoryBound(to: UInt8.self)
        unsafe zlib.pointee.avail_out = UInt32(room)
        let code =
            switch pace {
            case .gather: unsafe deflate(zlib, Z_NO_FLUSH)
            case .flush: unsafe deflate(zlib, Z_SYNC_FLUSH)
            case .finish: unsafe deflate(zlib, Z_FINISH)
            }
        precondition(code == Z_OK || code == Z_STREAM_END || code == Z_BUF_ERROR, "zlib was called out of order")
        let written = unsafe room - Int(zlib.pointee.avail_out)
        bytesOut += written
        return written
    }
}
