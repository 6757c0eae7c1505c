import CBrotli
import FilterAPI

/// Compresses one body in the format of Brotli (RFC 7932).
///
/// An encoder of libbrotli serves one stream of bytes and cannot be begun anew; one is made for each body.
///
/// SAFETY: `state` is made with the object and freed with it; memory for input is lent for the length of a call, and what
/// comes out is copied before the next one.
@safe
final class Encoder {
    private let state: OpaquePointer
    /// Bytes that came in since all was let out.
    private(set) var gathered = 0
    private(set) var bytesIn = 0
    private(set) var bytesOut = 0

    /// What comes out at once: a page.
    private static let step = 16 * 1024

    /// - Parameter size: how long the body is; 0 where nobody knows.
    /// - Returns: nil where there is no memory.
    init?(level: Int, windowBits: Int, size: Int) {
        guard let state = unsafe BrotliEncoderCreateInstance(nil, nil, nil) else { return nil }
        unsafe self.state = state
        unsafe BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, UInt32(level))
        unsafe BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, UInt32(windowBits))
        if size > 0 { unsafe BrotliEncoderSetParameter(state, BROTLI_PARAM_SIZE_HINT, UInt32(clamping: size)) }
    }

    deinit { unsafe BrotliEncoderDestroyInstance(state) }

    /// What becomes of bytes that the encoder would rather keep.
    enum Pace {
        case gather, flush, finish
    }

    /// Compresses a piece of the body, and sends what comes out but for the last chunk.
    ///
    /// - Returns: the last chunk, empty where nothing comes out; nil where the encoder has run out of memory.
    func add(_ input: borrowing ByteChunk, _ pace: Pace, _ stream: inout FilterAPI.Stream) -> ByteChunk? {
        bytesIn += input.count
        gathered = pace == .gather ? gathered + input.count : 0
        let operation =
            switch pace {
            case .gather: BROTLI_OPERATION_PROCESS
            case .flush: BROTLI_OPERATION_FLUSH
            case .finish: BROTLI_OPERATION_FINISH
            }
        var output = ByteChunk()
        let isGood = unsafe input.withUnsafeBytes { bytes in
            var left = bytes.count
            var next = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
            repeat {
                var none = 0
                guard unsafe BrotliEncoderCompressStream(state, operation, &left, &next, &none, nil, nil) != 0 else {
                    return false
                }
                takeOutput(&output, &stream)
            } while unsafe left > 0 || BrotliEncoderHasMoreOutput(state) != 0
            return true
        }
        guard isGood else { return nil }
        return consume output
    }

    private func takeOutput(_ output: inout ByteChunk, _ stream: inout FilterAPI.Stream) {
        while unsafe BrotliEncoderHasMoreOutput(state) != 0 {
            var count = Self.step
            guard let bytes = unsafe BrotliEncoderTakeOutput(state, &count), count > 0 else { return }
            if !output.isEmpty { stream.sendAbove(output.take()) }
            bytesOut += count
            output = stream.makeChunk(copying: unsafe RawSpan(_unsafeStart: bytes, byteCount: count))
        }
    }
}
