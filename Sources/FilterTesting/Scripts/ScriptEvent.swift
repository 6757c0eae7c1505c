public import FilterAPI

/// One thing that the neighbours of a filter do, or that a test expects of it; see ``Script``.
public enum ScriptEvent: Sendable {
    /// The request's head comes from above; it is the stream's request.
    case requestHead(last: Bool = false)
    /// A piece of the request's body comes from above.
    case requestBytes([UInt8], last: Bool = false)
    /// The request's trailers come from above.
    case requestTrailers([RecordedField])
    /// A head with status 1xx comes from below.
    case interimHead(Int, [RecordedField] = [])
    /// The response's head comes from below.
    case responseHead(Int = 200, [RecordedField] = [], last: Bool = false)
    /// A piece of the response's body comes from below.
    case responseBytes([UInt8], last: Bool = false)
    /// The response's trailers come from below.
    case responseTrailers([RecordedField])
    /// A terminal below has attached a cluster.
    case clusterAttached(String, route: String? = nil)
    /// An endpoint was picked.
    case endpointPicked(String)
    /// Something below fails.
    case faultBelow(Fault)
    /// A neighbour is slow: so much time goes by before the next event.
    case wait(Duration)
    /// The filter above sends the request anew.
    case replayFromAbove
    /// The client goes away; what follows in the script does not happen.
    case clientGone

    /// So much of the request's body, exactly, has gone on below since the stream began.
    case expectBelow(String)
    /// So much of the response's body, exactly, has gone on above since the stream began.
    case expectAbove(String)
    /// So many events, exactly, have gone on below and above.
    case expectPassed(below: Int, above: Int)
    /// A response with this status has gone on above, or is the filter's own answer; 0 for none yet.
    case expectStatus(Int)
    /// The stream has failed for this reason; empty for not.
    case expectFault(String)

    /// A piece of the request's body comes from above.
    public static func requestBody(_ text: String, last: Bool = false) -> ScriptEvent {
        .requestBytes(Array(text.utf8), last: last)
    }

    /// A piece of the response's body comes from below.
    public static func responseBody(_ text: String, last: Bool = false) -> ScriptEvent {
        .responseBytes(Array(text.utf8), last: last)
    }

    /// The response's head comes from below, with fields.
    public static func response(
        _ status: Int = 200, _ fields: KeyValuePairs<String, String>, last: Bool = false
    ) -> ScriptEvent {
        .responseHead(status, fields.map { RecordedField(name: $0.key, value: $0.value) }, last: last)
    }

    /// An endpoint or a connection fails in the way that filters see most: nothing of the request has reached it.
    public static var connectFailed: ScriptEvent {
        .faultBelow(Fault(.connectFailed, "upstream.connect_refused", replay: .always))
    }

    /// The upstream closes before it has answered.
    public static var upstreamClosed: ScriptEvent {
        .faultBelow(Fault(.upstreamClosed, "upstream.closed", replay: .ifIdempotent))
    }

    /// The upstream takes too long.
    public static var upstreamTimeout: ScriptEvent {
        .faultBelow(Fault(.upstreamTimeout, "upstream.response_timeout", replay: .ifIdempotent))
    }
}

extension ScriptEvent: CustomStringConvertible {
    /// The event, as short as possible.
    public var description: String {
        func end(_ last: Bool) -> String { last ? " (last)" : "" }
        return switch self {
        case .requestHead(let last): "request head" + end(last)
        case .requestBytes(let bytes, let last): "request bytes \(bytes.count)" + end(last)
        case .requestTrailers: "request trailers"
        case .interimHead(let status, _): "interim \(status)"
        case .responseHead(let status, _, let last): "response \(status)" + end(last)
        case .responseBytes(let bytes, let last): "response bytes \(bytes.count)" + end(last)
        case .responseTrailers: "response trailers"
        case .clusterAttached(let cluster, _): "cluster \(cluster)"
        case .endpointPicked(let endpoint): "endpoint \(endpoint)"
        case .faultBelow(let fault): "fault \(fault.reason)"
        case .wait(let duration): "wait \(duration)"
        case .replayFromAbove: "replay"
        case .clientGone: "client gone"
        case .expectBelow(let text): "expect below \(text)"
        case .expectAbove(let text): "expect above \(text)"
        case .expectPassed(let below, let above): "expect \(below) below, \(above) above"
        case .expectStatus(let status): "expect status \(status)"
        case .expectFault(let reason): "expect fault \(reason)"
        }
    }
}
