internal import CZlib
internal import FilterAPI

/// Decompresses bodies, one after the other, and stops before more comes out than may.
///
/// Used by one worker. What zlib has allocated, 44 KiB, is kept from body to body.
///
/// SAFETY: as ``Deflater``.
@safe
final class Inflater {
    private enum Phase {
        /// Nothing has come.
        case empty
        /// Inside of the format.
        case inside
        /// Behind a whole one; in gzip another one may follow (RFC 1952 section 2.2).
        case behind
    }

    private let zlib: UnsafeMutablePointer<z_stream>
    private var coding: BodyCoding
    private var phase = Phase.empty
    /// Bytes of this body that came in.
    private(set) var bytesIn = 0
    /// Bytes of this body that came out.
    private(set) var bytesOut = 0

    /// What comes out at once: a page.
    private static let step = 16 * 1024
    /// The same for little input: part of a page that others use too.
    private static let smallStep = 4 * 1024
    private static let smallInput = 512
    private static let gzipFormat: Int32 = 15 + 16
    private static let zlibFormat: Int32 = 15
    private static let bareFormat: Int32 = -15

    /// - Throws: where there is no memory.
    init(_ coding: BodyCoding) throws(Fault) {
        self.coding = coding
        unsafe zlib = .allocate(capacity: 1)
        unsafe zlib.initialize(to: z_stream())
        guard unsafe zlib_begin_inflating(zlib, Self.gzipFormat) == Z_OK else {
            unsafe zlib.deallocate()
            throw Fault(.overloaded, "gzip.out_of_memory")
        }
    }

    deinit {
        unsafe inflateEnd(zlib)
        unsafe zlib.deallocate()
    }

    /// Begins another body.
    func begin(_ coding: BodyCoding) {
        self.coding = coding
        phase = .empty
        bytesIn = 0
        bytesOut = 0
    }

    /// Decompresses a piece of the body, and sends what comes out but for the last chunk.
    ///
    /// All of the piece is decompressed at once, so the limits are for each piece as well as for the body: that bounds
    /// what one read from the network can become, in memory and in time.
    ///
    /// - Returns: the last chunk; an empty one where nothing comes out.
    func add(
        _ input: borrowing ByteChunk, last: Bool, _ limits: InflateLimits, _ way: BodyWay, _ stream: inout Stream
    ) throws(InflateProblem) -> ByteChunk {
        bytesIn += input.count
        let most = min(limits.output(of: bytesIn), bytesOut + limits.output(of: input.count))
        let room = input.count <= Self.smallInput ? Self.smallStep : Self.step
        var output = ByteChunk()
        unsafe try input.withUnsafeBytes { bytes throws(InflateProblem) in
            unsafe zlib.pointee.next_in = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            unsafe zlib.pointee.avail_in = UInt32(bytes.count)
            while unsafe zlib.pointee.avail_in > 0 || phase == .inside && output.count == room {
                if !output.isEmpty { way.send(output.take(), &stream) }
                if phase != .inside { try enter() }
                var code = Z_OK
                output = unsafe stream.makeChunk(capacity: room) { unsafe step($0, room, &code) }
                if bytesOut > most { throw .bomb }
                if code == Z_BUF_ERROR { break }
                try follow(code)
            }
            unsafe zlib.pointee.next_in = nil
        }
        if last, phase == .inside { throw .truncated }
        return output
    }

    /// - Returns: how many bytes came out.
    private func step(_ memory: UnsafeMutableRawPointer, _ room: Int, _ code: inout Int32) -> Int {
        unsafe zlib.pointee.next_out = memory.assumingMemoryBound(to: UInt8.self)
        unsafe zlib.pointee.avail_out = UInt32(room)
        code = unsafe inflate(zlib, Z_NO_FLUSH)
        let written = unsafe room - Int(zlib.pointee.avail_out)
        bytesOut += written
        return written
    }

    private func follow(_ code: Int32) throws(InflateProblem) {
        switch code {
        case Z_OK: break
        case Z_STREAM_END: phase = .behind
        case Z_MEM_ERROR: throw .outOfMemory
        default: throw .badData
        }
    }

    /// The next byte of the input is the first one of the format.
    private func enter() throws(InflateProblem) {
        switch coding {
        case .gzip: unsafe inflateReset2(zlib, Self.gzipFormat)
        case .deflate:
            guard phase == .empty, let first = unsafe zlib.pointee.next_in?.pointee else { throw .badData }
            unsafe inflateReset2(zlib, Self.isBare(first) ? Self.bareFormat : Self.zlibFormat)
        }
        phase = .inside
    }

    /// Whether data begins without the head of RFC 1950, whose first byte names method 8 and a window of at most 32 KiB.
    /// Bare data has bits there that every compressor leaves empty.
    private static func isBare(_ first: UInt8) -> Bool { first & 0x0F != 8 || first >> 4 > 7 }
}
