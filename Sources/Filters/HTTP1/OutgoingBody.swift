internal import FilterAPI

/// How a body is written, and how much of it is still owed.
struct OutgoingBody {
    enum Framing: UInt8 { case none, length, chunked, untilClose, tunnel }

    var framing = Framing.none
    private var owed = 0

    init() {}

    /// A body of that many bytes.
    static func length(_ count: Int) -> OutgoingBody {
        var body = OutgoingBody()
        body.framing = .length
        body.owed = count
        return body
    }

    static func framed(_ framing: Framing) -> OutgoingBody {
        var body = OutgoingBody()
        body.framing = framing
        return body
    }

    /// Writes a piece.
    ///
    /// - Throws: where a filter has made the body longer or shorter than its `Content-Length` says.
    mutating func write(_ chunk: inout ByteChunk, last: Bool, _ output: inout ByteOutput) throws(Fault) {
        switch framing {
        case .none: break
        case .length:
            guard chunk.count <= owed else { throw Self.mismatch }
            owed -= chunk.count
            output.append(chunk.take())
            if last && owed > 0 { throw Self.mismatch }
        case .chunked: writeChunk(&chunk, last: last, &output)
        case .untilClose, .tunnel: output.append(chunk.take())
        }
    }

    private static var mismatch: Fault { Fault(.filterFailed, "http1.body_length_mismatch") }

    private func writeChunk(_ chunk: inout ByteChunk, last: Bool, _ output: inout ByteOutput) {
        if chunk.count > 0 {
            let count = chunk.count
            unsafe output.write(upTo: 20) { memory in
                var writer = unsafe HeadWriter(memory)
                writer.add(hexadecimal: count)
                writer.add("\r\n")
                return writer.count
            }
            output.append(chunk.take())
            output.append(last ? "\r\n0\r\n\r\n" : "\r\n")
        } else if last {
            output.append("0\r\n\r\n")
        }
    }

    /// Writes the trailers and ends the body; only a chunked one can carry them.
    mutating func writeTrailers(_ trailers: borrowing Headers, _ output: inout ByteOutput) throws(Fault) {
        guard framing == .chunked else {
            if framing == .length && owed > 0 { throw Self.mismatch }
            return
        }
        output.append("0\r\n")
        for index in 0..<trailers.count {
            let entry = unsafe trailers.entries[index]
            if KnownField.isForbiddenTrailer(entry.token) { continue }
            output.append(trailers.name(at: index))
            output.append(": ")
            output.append(trailers.value(at: index))
            output.append("\r\n")
        }
        output.append("\r\n")
    }
}
