internal import FilterAPI
package import Filters

/// How a request is written to the access log: a line with variables, or an object of JSON.
package enum AccessLogFormat: Sendable {
    case text(TextFormat)
    case json(JSONFormat)

    /// The line that Envoy writes unless it is told otherwise, with the time until the upstream's first byte in the
    /// place where Envoy repeats it from a response field.
    private static let usualText =
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% "
        + "%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESPONSE_DURATION% "
        + "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" "
        + "\"%UPSTREAM_HOST%\""

    /// The members of the object, in this order.
    private static let usualMembers = [
        ("start_time", "%START_TIME%"), ("method", "%REQ(:METHOD)%"),
        ("path", "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%"), ("protocol", "%PROTOCOL%"),
        ("authority", "%REQ(:AUTHORITY)%"), ("response_code", "%RESPONSE_CODE%"),
        ("response_flags", "%RESPONSE_FLAGS%"), ("response_code_details", "%RESPONSE_CODE_DETAILS%"),
        ("reached_limit", "%REACHED_LIMIT%"),
        ("bytes_received", "%BYTES_RECEIVED%"), ("bytes_sent", "%BYTES_SENT%"), ("duration", "%DURATION%"),
        ("response_duration", "%RESPONSE_DURATION%"), ("attempts", "%UPSTREAM_REQUEST_ATTEMPT_COUNT%"),
        ("route_name", "%ROUTE_NAME%"), ("upstream_cluster", "%UPSTREAM_CLUSTER%"),
        ("upstream_host", "%UPSTREAM_HOST%"), ("downstream_remote_address", "%DOWNSTREAM_REMOTE_ADDRESS%"),
        ("x_forwarded_for", "%REQ(X-FORWARDED-FOR)%"), ("user_agent", "%REQ(USER-AGENT)%"),
        ("request_id", "%REQ(X-REQUEST-ID)%"), ("trace_id", "%TRACE_ID%"), ("span_id", "%SPAN_ID%"),
    ]

    /// Reads a text: `text`, `json`, or a line with variables.
    package init(_ setting: String) throws(FormatProblem) {
        switch setting {
        case "text": self = .text(try TextFormat.parse(Self.usualText))
        case "json":
            var format = JSONFormat()
            for (name, value) in Self.usualMembers { format.append(name: name, try TextFormat.parse(value)) }
            self = .json(format)
        default:
            // Lines have an end of their own; Envoy's formats bring one, and so do blocks of YAML.
            self = .text(try TextFormat.parse(setting.hasSuffix("\n") ? String(setting.dropLast()) : setting))
        }
    }

    /// Whether all lines are the same.
    var isConstant: Bool {
        switch self {
        case .text(let format): format.isConstant
        case .json(let format): format.isConstant
        }
    }

    /// Whether rendering needs the time of day.
    var needsWallClock: Bool {
        switch self {
        case .text(let format): format.needsWallClock
        case .json(let format): format.needsWallClock
        }
    }

    /// Whether rendering asks for the endpoints of earlier tries.
    var needsTries: Bool {
        switch self {
        case .text(let format): format.needsTries
        case .json(let format): format.needsTries
        }
    }

    /// Appends a line.
    package func render(into lines: inout ByteText, _ subject: borrowing FormatSubject) {
        switch self {
        case .text(let format): format.render(into: &lines, subject)
        case .json(let format): format.render(into: &lines, subject)
        }
        lines.append(UInt8(ascii: "\n"))
    }
}
