internal import FilterAPI
internal import Filters

/// How a request is written to the access log: a line with variables, or an object of JSON.
enum AccessLogFormat {
    case text(TextFormat)
    case json([Member])

    /// One member of the object.
    struct Member {
        /// What comes before the value, from the comma or brace to the colon.
        let lead: String
        let value: TextFormat
        let isNumber: Bool
    }

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

    /// Reads what the config says: `text`, `json`, or a line with variables.
    init(_ setting: String) throws(FormatProblem) {
        switch setting {
        case "text": self = .text(try TextFormat.parse(Self.usualText))
        case "json":
            var members: [Member] = []
            for (name, format) in Self.usualMembers {
                let value = try TextFormat.parse(format)
                let lead = (members.isEmpty ? "{" : ",") + "\"\(name)\":"
                members.append(Member(lead: lead, value: value, isNumber: value.isNumber))
            }
            self = .json(members)
        default: self = .text(try TextFormat.parse(setting))
        }
    }

    /// What is wrong with a setting; nil where it is good.
    static func problem(_ setting: String) -> FormatProblem? {
        do throws(FormatProblem) {
            _ = try AccessLogFormat(setting)
            return nil
        } catch {
            return error
        }
    }
}
