internal import FilterAPI

/// The one place where a fault becomes an answer.
enum Rescue {
    /// What a client is told, and what the log is told.
    struct Verdict {
        var status: Status
        var flags: ResponseFlags
        /// For the client; says what happened in words, and nothing about the inside.
        var text: StaticString
    }

    /// Turns a fault into a status, a flag and a text.
    ///
    /// - Parameter duringRequest: the client had not finished its request, which decides whose idleness it was.
    static func verdict(_ fault: Fault, duringRequest: Bool) -> Verdict {
        switch fault.kind {
        case .badRequest: Verdict(status: 400, flags: .downstreamProtocolError, text: "bad request\n")
        case .requestTimeout: Verdict(status: 408, flags: .streamIdleTimeout, text: "the request took too long\n")
        case .bodyTooLarge: Verdict(status: 413, flags: [], text: "the request's body is too large\n")
        case .targetTooLong: Verdict(status: 414, flags: .downstreamProtocolError, text: "the target is too long\n")
        case .expectationFailed: Verdict(status: 417, flags: .downstreamProtocolError, text: "unknown expectation\n")
        case .misdirected: Verdict(status: 421, flags: [], text: "not a request for this listener\n")
        case .headTooLarge: Verdict(status: 431, flags: .downstreamProtocolError, text: "the head is too large\n")
        case .notImplemented: Verdict(status: 501, flags: .downstreamProtocolError, text: "not implemented\n")
        case .versionNotSupported:
            Verdict(status: 505, flags: .downstreamProtocolError, text: "HTTP version not supported\n")
        case .noRoute: Verdict(status: 404, flags: .noRouteFound, text: "no route matches this request\n")
        case .noCluster: Verdict(status: 503, flags: .noClusterFound, text: "the route's cluster does not exist\n")
        case .noEndpoint: Verdict(status: 503, flags: .noHealthyUpstream, text: "no endpoint is available\n")
        case .nameNotResolved:
            Verdict(status: 503, flags: .dnsResolutionFailed, text: "the upstream's name is not resolved\n")
        case .connectFailed:
            Verdict(status: 503, flags: .upstreamConnectionFailure, text: "the upstream refused the connection\n")
        case .connectTimeout:
            Verdict(status: 503, flags: .upstreamConnectionFailure, text: "connecting to the upstream took too long\n")
        case .handshakeFailed:
            Verdict(
                status: 503, flags: .upstreamConnectionFailure,
                text: "the connection to the upstream could not be secured\n")
        case .overflow: Verdict(status: 503, flags: .upstreamOverflow, text: "too many requests for this upstream\n")
        case .upstreamClosed:
            Verdict(
                status: 503, flags: .upstreamConnectionTermination, text: "the upstream closed before it answered\n")
        case .upstreamReset: Verdict(status: 503, flags: .upstreamRemoteReset, text: "the upstream reset the request\n")
        case .upstreamProtocol:
            Verdict(status: 502, flags: .upstreamProtocolError, text: "the upstream's answer is not valid HTTP\n")
        case .upstreamTimeout:
            Verdict(status: 504, flags: .upstreamRequestTimeout, text: "the upstream did not answer in time\n")
        case .idleTimeout:
            Verdict(status: duringRequest ? 408 : 504, flags: .streamIdleTimeout, text: "nothing moved for too long\n")
        case .clientGone: Verdict(status: 400, flags: .downstreamConnectionTermination, text: "the client went away\n")
        case .filterFailed: Verdict(status: 500, flags: .localReset, text: "a filter failed\n")
        case .filterStalled: Verdict(status: 500, flags: .localReset, text: "a filter held the request\n")
        case .overloaded: Verdict(status: 503, flags: .overloadManagerTerminated, text: "overloaded\n")
        case .draining: Verdict(status: 503, flags: .localReset, text: "shutting down\n")
        }
    }
}
