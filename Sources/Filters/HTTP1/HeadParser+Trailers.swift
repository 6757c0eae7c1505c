internal import FilterAPI

extension HeadParser {
    /// Reads the lines behind the last chunk.
    ///
    /// The usual case, none at all, does not need the trailers' memory, which is made when it is first asked for.
    ///
    /// - Returns: whether the message is over.
    mutating func trailers(
        _ input: inout ByteChunk, of stream: StreamHandle, isRequest: Bool, _ limits: HeadLimits,
        _ link: inout CodecLink
    ) throws(Fault) -> Trailers {
        if !isReadingTrailers {
            self = HeadParser(trailersOf: isRequest ? .request : .response)
            if input.count >= 2, ASCII.equal(input.bytes.extracting(first: 2), "\r\n") {
                input.removeFirst(2)
                return .none
            }
        }
        let memory = unsafe link.trailers(stream, isRequest)
        guard unsafe try parse(&input, into: &memory.pointee, limits) else { return .needMore }
        return unsafe memory.pointee.isEmpty ? .none : .some
    }

    /// What came behind the last chunk.
    enum Trailers { case needMore, none, some }
}
