internal import FilterAPI

extension FormatVariable {
    /// The value of a variable that is a number; nil where there is no value.
    func number(of subject: borrowing FormatSubject) -> Int? {
        let connection = subject.connection
        switch self {
        case .bytesReceived: return subject.facts.requestBodyBytes
        case .bytesSent: return subject.facts.responseBodyBytes
        case .connectionID: return Int(truncatingIfNeeded: connection.id)
        case .upstreamConnectionID: return subject.facts.upstream.map { Int(truncatingIfNeeded: $0.id) }
        case .requestHeadersBytes, .downstreamHeaderBytesReceived: return subject.facts.requestHeadBytes
        case .responseHeadersBytes, .downstreamHeaderBytesSent: return subject.facts.responseHeadBytes
        case .responseTrailersBytes: return subject.facts.responseTrailerBytes
        case .upstreamHeaderBytesSent: return subject.facts.upstreamRequestHeadBytes
        case .upstreamHeaderBytesReceived: return subject.facts.upstreamResponseHeadBytes
        case .responseCode: return status(of: subject)
        case .upstreamRequestAttemptCount: return subject.facts.attempts
        case .grpcStatusNumber: return GRPCStatusStyle.code(of: subject)
        case .downstreamHandshakeDuration: return Self.milliseconds(connection.start, connection.handshakeEnd)
        default: return duration(of: subject)
        }
    }

    private func duration(of subject: borrowing FormatSubject) -> Int? {
        let start = subject.facts.start
        switch self {
        case .duration:
            let end = subject.facts.responseEnd
            return Self.milliseconds(start, end > .none ? end : subject.moment.now)
        case .requestDuration: return Self.milliseconds(start, subject.facts.requestEnd)
        case .requestTransmitDuration: return Self.milliseconds(start, subject.facts.upstreamRequestEnd)
        case .responseDuration: return Self.milliseconds(start, subject.facts.upstreamFirstByte)
        case .responseTransmitDuration:
            return Self.milliseconds(subject.facts.upstreamFirstByte, subject.facts.responseEnd)
        case .upstreamConnectionPoolReadyDuration: return Self.milliseconds(start, subject.facts.upstreamReady)
        default: return nil
        }
    }

    /// Of a stream that goes on it is the one that the response has now.
    private func status(of subject: borrowing FormatSubject) -> Int {
        guard subject.moment.occasion == .field else { return subject.facts.status }
        return subject.withResponse { $0.status.code } ?? subject.facts.status
    }

    private static func milliseconds(_ start: Instant, _ end: Instant) -> Int? {
        guard start > .none, end > .none else { return nil }
        return end > start ? Int(clamping: (end.nanoseconds - start.nanoseconds) / 1_000_000) : 0
    }
}
