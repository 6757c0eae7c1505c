import FilterAPI
import Testing

@testable import Filters

struct TextFormatTests {
    private static let second: UInt64 = 1_000_000_000

    private func facts() -> StreamFacts {
        var facts = StreamFacts()
        facts.start = Instant(nanoseconds: 10 * Self.second)
        facts.requestEnd = Instant(nanoseconds: 10 * Self.second + 5_000_000)
        facts.upstreamReady = Instant(nanoseconds: 10 * Self.second + 6_000_000)
        facts.upstreamRequestEnd = Instant(nanoseconds: 10 * Self.second + 7_000_000)
        facts.upstreamFirstByte = Instant(nanoseconds: 10 * Self.second + 20_000_000)
        facts.responseEnd = Instant(nanoseconds: 10 * Self.second + 31_000_000)
        facts.requestBodyBytes = 12
        facts.responseBodyBytes = 3456
        facts.requestHeadBytes = 78
        facts.status = 503
        facts.flags = [.upstreamOverflow, .upstreamRequestTimeout]
        facts.reason = "upstream.overflow"
        facts.attempts = 2
        facts.route = FactName("api")
        facts.cluster = FactName("app")
        facts.endpoint = FactName("10.0.0.1:8080")
        facts.upstreamProtocol = .http11
        return facts
    }

    private func connection() -> ConnectionFacts {
        let connection = ConnectionFacts()
        connection.remoteAddress = "[2001:db8::1]:4567"
        connection.remoteIP = "2001:db8::1"
        connection.localAddress = "127.0.0.1:80"
        connection.id = 99
        connection.serverName = "a.example"
        return connection
    }

    private func render(
        _ format: String, _ facts: StreamFacts? = nil, isOver: Bool = true, unset: StaticString = "-"
    ) throws -> String {
        let head = request(
            "POST", "/a?b=c", host: "h:1", [("user-agent", "x/1"), ("x-a", "1"), ("X-A", "2"), ("x-request-id", "id")])
        var response = ResponseHead()
        response.status = 200
        response.headers.add(.server, "up")
        var text = ByteText(capacity: 16)
        // One second after the start, which is 2024-02-29 12:34:56.789 UTC.
        let moment = FormatMoment(
            now: Instant(nanoseconds: 11 * Self.second), wallClock: 1_709_210_097_789_123_456, isOver: isOver,
            unset: unset)
        try TextFormat.parse(format).render(
            into: &text, request: head, response: response, facts: facts ?? self.facts(), connection: connection(),
            at: moment)
        return ASCII.string(text.bytes)
    }

    @Test func theDefaultFormatOfAccessLogs() throws {
        let format = """
            [%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% \
            %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% \
            "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"

            """
        #expect(
            try render(format) == """
                [2024-02-29T12:34:56.789Z] "POST /a?b=c HTTP/1.1" 503 UO,UT 12 3456 31 - "-" "x/1" "id" "h:1" \
                "10.0.0.1:8080"

                """)
    }

    @Test(
        arguments: [
            ("plain", "plain"), ("100%%", "100%"), ("", ""), ("%%%PROTOCOL%%%", "%HTTP/1.1%"),
            ("%REQ(x-a)%", "1,2"), ("%REQ(x-b?x-a)%", "1,2"), ("%REQ(x-b?x-c)%", "-"), ("%REQ(USER-AGENT):2%", "x/"),
            ("%REQ(:SCHEME)%", "http"), ("%REQ(X?:PATH)%", "/a?b=c"), ("%RESP(server)%", "up"), ("%RESP(x)%", "-"),
            ("%RESP(:STATUS)%", "200"), ("%RESPONSE_CODE_DETAILS%", "upstream.overflow"), ("%ROUTE_NAME%", "api"),
            ("%UPSTREAM_CLUSTER%", "app"), ("%REQUEST_DURATION%", "5"), ("%RESPONSE_DURATION%", "20"),
            ("%REQUEST_TX_DURATION%", "7"), ("%RESPONSE_TX_DURATION%", "11"),
            ("%UPSTREAM_CONNECTION_POOL_READY_DURATION%", "6"), ("%REQUEST_HEADERS_BYTES%", "78"),
            ("%UPSTREAM_REQUEST_ATTEMPT_COUNT%", "2"), ("%CONNECTION_ID%", "99"), ("%UPSTREAM_PROTOCOL%", "HTTP/1.1"),
            ("%DOWNSTREAM_REMOTE_ADDRESS%", "[2001:db8::1]:4567"),
            ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "2001:db8::1"), ("%DOWNSTREAM_REMOTE_PORT%", "4567"),
            ("%DOWNSTREAM_LOCAL_ADDRESS%", "127.0.0.1:80"), ("%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", "127.0.0.1"),
            ("%DOWNSTREAM_LOCAL_PORT%", "80"), ("%REQUESTED_SERVER_NAME%", "a.example"), ("%STREAM_ID%", "id"),
            ("%START_TIME(%s.%6f)%", "1709210096.789123"),
            ("%START_TIME(%a, %d %b %Y %T %Z)%", "Thu, 29 Feb 2024 12:34:56 UTC"),
            ("%START_TIME(%F %H:%M:%S %j %e %y %%)%", "2024-02-29 12:34:56 060 29 24 %"),
        ])
    func variables(_ format: String, _ expected: String) throws { #expect(try render(format) == expected) }

    @Test func whatIsNotKnownIsADash() throws {
        let none = StreamFacts()
        let format =
            "%DURATION% %RESPONSE_DURATION% %UPSTREAM_HOST% %ROUTE_NAME% %RESPONSE_FLAGS% %RESPONSE_CODE% %UPSTREAM_PROTOCOL%"
        #expect(try render(format, none) == "- - - - - 0 -")
        #expect(try render("[%UPSTREAM_HOST%]", none, unset: "") == "[]")
    }

    @Test func beforeTheEndTheStatusIsThatOfTheResponse() throws {
        #expect(try render("%RESPONSE_CODE%", StreamFacts(), isOver: false) == "200")
    }

    @Test func theMachineAndTheEnvironmentAreKnownAtLoad() throws {
        #expect(try TextFormat.parse("%HOSTNAME%").isConstant)
        #expect(try !render("%HOSTNAME%").isEmpty)
        #expect(try render("%ENVIRONMENT(SLUICE_NO_SUCH_NAME)%") == "-")
    }

    @Test(
        arguments: [
            ("%REQ%", 0, "needs the name"), ("a%", 1, "begins a variable"), ("a %PROTOCOL b", 2, "not closed"),
            ("ab%PROTOCOLL%", 2, "unknown variable `%PROTOCOLL%`"), ("%REQ(a b)%", 0, "cannot be the name"),
            ("%REQ(:STATUS)%", 0, "cannot be the name"), ("%REQ(a%", 0, "has no `)`"), ("%REQ(a):x%", 8, "length"),
            ("%REQ(a):0%", 8, "length"), ("%DURATION(x)%", 0, "no argument"), ("%REQ(a?b?c)%", 0, "needs the name"),
            ("%START_TIME(%Q)%", 0, "no `%Q`"), ("% %", 0, "begins a variable"),
        ])
    func whatIsNoFormatIsSaid(_ format: String, _ offset: Int, _ words: String) {
        do throws(FormatProblem) {
            _ = try TextFormat.parse(format)
            Issue.record("\(format) was accepted")
        } catch {
            #expect(error.offset == offset)
            #expect(error.message.contains(words), "\(error.message)")
        }
    }

    @Test func theNearestVariableIsNamed() {
        #expect(throws: FormatProblem.self) {
            do throws(FormatProblem) { _ = try TextFormat.parse("%UPSTREAM_HSOT%") } catch {
                #expect(error.hint == "did you mean `%UPSTREAM_HOST%`?")
                throw error
            }
        }
    }

    @Test func onlyANumberByItselfIsANumber() throws {
        #expect(try TextFormat.parse("%DURATION%").isNumber)
        #expect(try !TextFormat.parse("%DURATION%ms").isNumber)
        #expect(try !TextFormat.parse("%PROTOCOL%").isNumber)
    }

    @Test(
        arguments: [
            (0, "1970-01-01 Thu 001"), (951_782_400, "2000-02-29 Tue 060"), (4_107_542_400, "2100-03-01 Mon 060"),
            (1_735_603_200, "2024-12-31 Tue 366"), (1_704_067_199, "2023-12-31 Sun 365"),
        ])
    func theCalendar(_ seconds: UInt64, _ expected: String) throws {
        var text = ByteText()
        try TimePattern("%F %a %j", offset: 0).render(seconds * Self.second, into: &text)
        #expect(ASCII.string(text.bytes) == expected)
    }
}
