internal import FilterAPI
internal import FilterTesting
internal import Filters

/// Writing one request to an access log: the usual line of text, and the usual object of JSON.
enum LogBenches {
    static let usualText =
        "[%START_TIME%] \"%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%\" %RESPONSE_CODE% "
        + "%RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESPONSE_DURATION% "
        + "\"%REQ(X-FORWARDED-FOR)%\" \"%REQ(USER-AGENT)%\" \"%REQ(X-REQUEST-ID)%\" \"%REQ(:AUTHORITY)%\" "
        + "\"%UPSTREAM_HOST%\"\n"
    static let usualMembers = [
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
        ("request_id", "%REQ(X-REQUEST-ID)%"),
    ]

    static func run(_ measure: Measure) {
        let head = RequestHead.fake(
            "GET", "/wiki/Special:Search?search=proxy&go=Go", host: "en.wikipedia.example",
            fields: [
                "Host": "en.wikipedia.example",
                "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "Accept": "text/html", "X-Request-Id": "11111111-2222-4333-8444-555555555555",
                "X-Forwarded-For": "192.0.2.17",
            ])
        var response = ResponseHead()
        response.status = 200
        response.headers.add(.server, "up")
        var facts = StreamFacts()
        facts.start = Instant(nanoseconds: 10_000_000_000)
        facts.upstreamFirstByte = Instant(nanoseconds: 10_020_000_000)
        facts.responseEnd = Instant(nanoseconds: 10_031_000_000)
        facts.responseBodyBytes = 3456
        facts.status = 200
        facts.attempts = 1
        facts.cluster = FactName("app")
        facts.endpoint = FactName("10.0.0.1:8080")
        let connection = FakeConnection().facts
        var text = ByteText(capacity: 65536)
        let format: TextFormat
        var members: [(String, TextFormat)] = []
        do throws(FormatProblem) {
            format = try TextFormat.parse(usualText)
            for (name, value) in usualMembers {
                members.append(("\(members.isEmpty ? "{" : ",")\"\(name)\":", try TextFormat.parse(value)))
            }
        } catch { return }
        measure.run("write the usual text line") { count in
            for index in 0..<count {
                let moment = FormatMoment(
                    now: facts.responseEnd, wallClock: 1_709_210_097_789_123_456 + UInt64(index) * 10_000, isOver: true)
                text.removeAll()
                format.render(
                    into: &text, request: head, response: response, facts: facts, connection: connection, at: moment)
                keep(text.count)
            }
        }
        var value = ByteText()
        measure.run("write the usual JSON object") { count in
            for index in 0..<count {
                text.removeAll()
                for (lead, format) in members {
                    let moment = FormatMoment(
                        now: facts.responseEnd,
                        wallClock: format.needsWallClock ? 1_709_210_097_789_123_456 + UInt64(index) * 10_000 : 0,
                        isOver: true, unset: "")
                    text.append(lead)
                    value.removeAll()
                    format.render(
                        into: &value, request: head, response: response, facts: facts, connection: connection,
                        at: moment)
                    if value.isEmpty {
                        text.append("null")
                    } else if format.isNumber {
                        text.append(contentsOf: value)
                    } else {
                        text.append("\"")
                        text.append(escapedForJSON: value)
                        text.append("\"")
                    }
                }
                text.append("}\n")
                keep(text.count)
            }
        }
    }
}
