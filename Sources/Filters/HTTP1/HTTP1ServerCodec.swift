public import FilterAPI

// What the methods of a codec are for is said at its protocol.
// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
/// HTTP/1 towards clients (RFC 9112): one request at a time on a connection, answers in order.
///
/// Reading is in `+Decode`, what a head must be in `+Validate`, writing in `+Encode`.
public final class HTTP1ServerCodec: ServerCodec {
    public static let manifest = Manifest(
        id: "http", summary: "Speaks HTTP/1 with clients.", posture: .clientAndUpstream,
        reasons: HTTP1Reasons.server)

    /// Where a connection is.
    enum Phase: UInt8 {
        /// Between requests.
        case idle
        /// Some of a head has come.
        case head
        /// The body is being read.
        case body
        /// The request is complete, the response is not.
        case answering
        /// The client asked for a tunnel, and waits.
        case offered
        /// Bytes go both ways.
        case tunnel
        /// No more requests are read.
        case finished
    }

    /// Per connection.
    public struct ConnectionState {
        var parser = HeadParser(.request)
        var phase = Phase.idle
        var body = BodyDecoder.none
        var stream = StreamHandle.none
        var requests = 0
        /// When the connection began.
        var accepted = Instant.none
        /// When the first byte of the present request came.
        var requestStart = Instant.none
        /// CR and LF that came in front of the next request.
        var lineEnds: UInt8 = 0
        /// Of the present request.
        var isHeadRequest = false
        var isConnect = false
        var isHTTP10 = false
        var keepsAlive = true
        /// Of the present response.
        var outgoing = OutgoingBody()
        var responseStarted = false
        /// A tunnel was asked for and not given: the request is over.
        var tunnelDeclined = false
        var tunnelEnded = false
        var isDraining = false
        var timerIsArmed = false
        /// What `x-forwarded-client-cert` says of the client; nil before it was needed.
        var clientCertificate: String?
    }

    /// How long a connection without a request so far is kept while it drains.
    static let firstRequestGrace = Duration.seconds(1)

    let settings: Settings
    let limits: HeadLimits
    var paths: PathNormalizer
    var forwarded: ForwardedFields
    let clientCertificate: ForwardedClientCert
    /// What is added to `via`; empty for nothing.
    let via: (http10: String, http11: String)

    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        self.settings = settings
        limits = settings.limits
        via = settings.via.isEmpty ? ("", "") : ("1.0 " + settings.via, "1.1 " + settings.via)
        paths = PathNormalizer(
            escapedSlashes: settings.escapedSlashes, mergeSlashes: settings.mergeSlashes,
            normalize: settings.normalizePath)
        forwarded = ForwardedFields(
            policy: settings.forwardedFor, trustedHops: settings.trustedHops, wantsRequestID: settings.requestID)
        clientCertificate = ForwardedClientCert(settings.forwardedClientCert)
    }

    public func accept(_ link: inout CodecLink) throws(Fault) -> ConnectionState {
        var state = ConnectionState()
        state.accepted = link.now
        waitForRequest(state, &link)
        return state
    }

    public func streamClosed(_ stream: StreamHandle, _ state: inout ConnectionState, _ link: inout CodecLink) {
        guard state.stream == stream else { return }
        let isComplete = state.phase == .answering || state.phase == .offered && state.tunnelDeclined
        state.stream = .none
        guard isComplete, state.keepsAlive, !state.isDraining, !link.wantsClose else {
            state.phase = .finished
            link.disarm()
            return link.closeAfterOutput()
        }
        state.phase = .idle
        state.parser.reset()
        state.responseStarted = false
        waitForRequest(state, &link)
    }

    public func reset(
        _ stream: StreamHandle, _ fault: Fault, _ state: inout ConnectionState, _ link: inout CodecLink
    ) {
        // On HTTP/1 only the end of the connection tells that a message is not complete.
        state.keepsAlive = false
        state.phase = .finished
        switch state.outgoing.framing {
        case .untilClose, .tunnel: link.resetAfterOutput()
        case .none, .length, .chunked: link.closeAfterOutput()
        }
    }

    public func timerFired(_ state: inout ConnectionState, _ link: inout CodecLink) throws(Fault) -> ServerEvent {
        switch state.phase {
        case .idle: return .close
        case .head: throw Fault(.requestTimeout, "http1.head_timeout")
        case .body: throw Fault(.requestTimeout, "http1.body_timeout")
        case .answering, .offered, .tunnel, .finished: return .needMore
        }
    }

    public func drain(_ state: inout ConnectionState, _ link: inout CodecLink) {
        state.isDraining = true
        if state.phase == .idle, state.requests == 0 {
            // Who has only just come may have a request on the way, and would take its loss for an error.
            let limit = settings.idleTimeout
            link.arm(after: limit > .zero ? min(limit, Self.firstRequestGrace) : Self.firstRequestGrace)
        } else if state.phase == .idle {
            state.phase = .finished
            link.closeAfterOutput()
        }
        if !state.responseStarted { state.keepsAlive = false }
    }
}
