internal import FilterAPI

/// What tells one series of durations from another.
public enum StatsLabel: String, Codable, Sendable, CaseIterable {
    /// `http_request_method`: one of the usual methods, or `_OTHER`.
    case method
    /// `http_response_status_code`
    case status
    /// `http_route`: the route's name.
    case route
    /// `url_scheme`
    case scheme
    /// `network_protocol_version`
    case version = "protocol"
    /// `error_type`: why a request failed.
    case error

    /// By OpenTelemetry's conventions.
    var name: String {
        switch self {
        case .method: "http_request_method"
        case .status: "http_response_status_code"
        case .route: "http_route"
        case .scheme: "url_scheme"
        case .version: "network_protocol_version"
        case .error: "error_type"
        }
    }

    /// What it says of a stream; empty where there is nothing to say.
    func value(of stream: borrowing Stream) -> String {
        switch self {
        case .method: stream.withRequest { Self.name(of: $0.method) }
        case .status: stream.facts.status > 0 ? String(stream.facts.status) : ""
        case .route: stream.facts.route?.text ?? ""
        case .scheme: stream.withRequest { "\($0.scheme.text)" }
        case .version: stream.withRequest { Self.version($0.version) }
        case .error: Self.error(of: stream)
        }
    }

    private static func name(of method: Method) -> String {
        switch method {
        case .get: "GET"
        case .head: "HEAD"
        case .post: "POST"
        case .put: "PUT"
        case .delete: "DELETE"
        case .connect: "CONNECT"
        case .options: "OPTIONS"
        case .trace: "TRACE"
        case .patch: "PATCH"
        default: "_OTHER"
        }
    }

    private static func version(_ version: HTTPVersion) -> String {
        switch version {
        case .http10: "1.0"
        case .http11: "1.1"
        case .http2: "2"
        }
    }

    /// The reason of a fault; for an upstream's own failure its status.
    private static func error(of stream: borrowing Stream) -> String {
        let reason = stream.facts.reason
        if reason.utf8CodeUnitCount > 0 { return "\(reason)" }
        return stream.facts.status >= 500 ? String(stream.facts.status) : ""
    }
}
