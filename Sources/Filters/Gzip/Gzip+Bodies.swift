internal import FilterAPI

/// Bodies go through, piece by piece.
extension Gzip {
    /// How long a compressor may keep the last bytes of a source that pauses, beside the loop's own tick.
    private static let patience = Duration.zero

    /// Changes a piece of a body.
    func change(
        _ chunk: inout ByteChunk, last: Bool, _ work: inout BodyWork, _ way: BodyWay, _ isWakeDue: inout Bool,
        _ stream: inout Stream
    ) throws(Fault) -> Step {
        switch work {
        case .none: return .next
        case .compress(let deflater, let rule):
            if chunk.isEmpty && !last { return .next }
            let pace: Deflater.Pace = last ? .finish : rule == .always ? .flush : .gather
            chunk = deflater.add(chunk, pace, way, &stream)
            if rule == .whenPaused, !last, !isWakeDue {
                isWakeDue = true
                stream.wake(after: Self.patience)
            }
        case .decompress(let inflater):
            chunk = try inflate(chunk, last: last, inflater, way, &stream)
        }
        if last {
            end(&work, now: stream.now)
            return .next
        }
        return chunk.isEmpty ? .taken : .next
    }

    private func inflate(
        _ chunk: borrowing ByteChunk, last: Bool, _ inflater: Inflater, _ way: BodyWay, _ stream: inout Stream
    ) throws(Fault) -> ByteChunk {
        do throws(InflateProblem) {
            return try inflater.add(chunk, last: last, limits, way, &stream)
        } catch {
            counters.count(error)
            throw error.fault(way)
        }
    }

    /// Trailers have come: the body before them is over.
    func endBody(
        _ trailers: inout Headers, _ work: inout BodyWork, _ way: BodyWay, _ stream: inout Stream
    ) throws(Fault) {
        switch work {
        case .none: return
        case .compress(let deflater, _): way.send(deflater.add(ByteChunk(), .finish, way, &stream), &stream)
        case .decompress(let inflater): way.send(try inflate(ByteChunk(), last: true, inflater, way, &stream), &stream)
        }
        fields.removeDigests(&trailers)
        end(&work, now: stream.now)
    }

    /// Lets out what a compressor has gathered.
    func letOut(_ work: BodyWork, _ way: BodyWay, _ stream: inout Stream) {
        guard case .compress(let deflater, let rule) = work, rule == .whenPaused, deflater.gathered > 0 else { return }
        way.send(deflater.add(ByteChunk(), .flush, way, &stream), &stream)
    }
}
