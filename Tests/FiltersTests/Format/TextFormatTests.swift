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
        facts.endpoint = FactName("10.0.0.1:8080", configured: "app.test:8080")
        facts.responseHeadBytes = 90
        facts.responseTrailerBytes = 12
        facts.upstreamRequestHeadBytes = 101
        facts.upstreamResponseHeadBytes = 102
        facts.upstreamEnd = Instant(nanoseconds: 10 * Self.second + 30_500_000)
        facts.responseStart = Instant(nanoseconds: 10 * Self.second + 20_123_456)
        facts.upstream = upstream()
        facts.upstreamProtocol = .http11
        return facts
    }

    private func upstream() -> ConnectionFacts {
        let upstream = ConnectionFacts()
        upstream.id = 7
        upstream.localAddress = "[::1]:5000"
        upstream.serverName = "app.test"
        upstream.start = Instant(nanoseconds: 9 * Self.second)
        upstream.connectedAt = Instant(nanoseconds: 9 * Self.second + 1_000_000)
        upstream.handshakeEnd = Instant(nanoseconds: 9 * Self.second + 4_000_000)
        return upstream
    }

    private func connection() -> ConnectionFacts {
        let connection = ConnectionFacts()
        connection.remoteAddress = "[2001:db8::1]:4567"
        connection.remoteIP = "2001:db8::1"
        connection.localAddress = "127.0.0.1:80"
        connection.id = 99
        connection.serverName = "a.example"
        connection.chainName = "web"
        connection.start = Instant(nanoseconds: 8 * Self.second)
        connection.handshakeEnd = Instant(nanoseconds: 8 * Self.second + 3_900_000)
        return connection
    }

    private func render(
        _ format: String, _ facts: StreamFacts? = nil, occasion: FormatMoment.Occasion = .stream,
        unset: StaticString = "-"
    ) throws -> String {
        let head = request(
            "POST", "/a?b=c", host: "h:1", [("user-agent", "x/1"), ("x-a", "1"), ("X-A", "2"), ("x-request-id", "id")])
        var response = ResponseHead()
        response.status = 200
        response.headers.add(.server, "up")
        var text = ByteText(capacity: 16)
        // One second after the start, which is 2024-02-29 12:34:56.789 UTC.
        let moment = FormatMoment(
            now: Instant(nanoseconds: 11 * Self.second), wallClock: 1_709_210_097_789_123_456,
            occasion: occasion, tried: [FactName("10.0.0.7:8080", configured: "old.test:8080")])
        try TextFormat.parse(format).render(
            into: &text, request: head, response: response, facts: facts ?? self.facts(), connection: connection(),
            at: moment, unset: unset)
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

    @Test(
        arguments: [
            ("%EMIT_TIME%", "2024-02-29T12:34:57.789Z"), ("%EMIT_TIME(%s)%", "1709210097"),
            ("%REQUEST_HEADER(x-a)%", "1,2"), ("%RESPONSE_HEADER(server)%", "up"), ("%PATH%", "/a?b=c"),
            ("%PATH(NQ)%", "/a"), ("%PATH(WQ:PATH)%", "/a?b=c"), ("%PATH(WQ:ORIG)%", "-"),
            ("%PATH(NQ:ORIG_OR_PATH)%", "/a"),
            ("%QUERY_PARAMS%", "b=c"), ("%QUERY_PARAMS(ORIG)%", "-"), ("%QUERY_PARAM(b)%", "c"),
            ("%QUERY_PARAM(c)%", "-"),
            ("%TRAILER(x)%", "-"), ("%RESPONSE_TRAILER(x?y)%", "-"), ("%GRPC_STATUS%", "-"),
            ("%GRPC_STATUS_NUMBER%", "-"),
            ("%RESPONSE_FLAGS_LONG%", "UpstreamOverflow,UpstreamRequestTimeout"), ("%RESPONSE_HEADERS_BYTES%", "90"),
            ("%RESPONSE_TRAILERS_BYTES%", "12"), ("%DOWNSTREAM_HEADER_BYTES_RECEIVED%", "78"),
            ("%DOWNSTREAM_HEADER_BYTES_SENT%", "90"), ("%UPSTREAM_HEADER_BYTES_SENT%", "101"),
            ("%UPSTREAM_HEADER_BYTES_RECEIVED%", "102"), ("%UPSTREAM_HOST_NAME%", "app.test:8080"),
            ("%UPSTREAM_HOST_NAME_WITHOUT_PORT%", "app.test"), ("%UPSTREAM_CLUSTER_RAW%", "app"),
            ("%UPSTREAM_LOCAL_ADDRESS%", "[::1]:5000"), ("%UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", "::1"),
            ("%UPSTREAM_LOCAL_PORT%", "5000"), ("%UPSTREAM_REMOTE_ADDRESS%", "10.0.0.1:8080"),
            ("%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", "10.0.0.1"), ("%UPSTREAM_REMOTE_PORT%", "8080"),
            ("%UPSTREAM_HOSTS_ATTEMPTED%", "10.0.0.7:8080,10.0.0.1:8080"),
            ("%UPSTREAM_HOSTS_ATTEMPTED_WITHOUT_PORT%", "10.0.0.7,10.0.0.1"),
            ("%UPSTREAM_HOST_NAMES_ATTEMPTED%", "old.test:8080,app.test:8080"),
            ("%UPSTREAM_HOST_NAMES_ATTEMPTED_WITHOUT_PORT%", "old.test,app.test"), ("%UPSTREAM_CONNECTION_ID%", "7"),
            ("%UPSTREAM_SERVER_NAME%", "app.test"), ("%UPSTREAM_TRANSPORT_FAILURE_REASON%", "-"),
            ("%DOWNSTREAM_DIRECT_LOCAL_ADDRESS%", "127.0.0.1:80"),
            ("%DOWNSTREAM_DIRECT_LOCAL_ADDRESS_WITHOUT_PORT%", "127.0.0.1"), ("%DOWNSTREAM_DIRECT_LOCAL_PORT%", "80"),
            ("%DOWNSTREAM_DIRECT_REMOTE_PORT%", "4567"), ("%FILTER_CHAIN_NAME%", "web"),
            ("%ACCESS_LOG_TYPE%", "DownstreamEnd"), ("%CONNECTION_TERMINATION_DETAILS%", "-"),
            ("%DOWNSTREAM_HANDSHAKE_DURATION%", "3"), ("%COMMON_DURATION(DS_RX_BEG:DS_RX_END)%", "5"),
            ("%COMMON_DURATION(DS_TX_BEG:DS_TX_END:us)%", "10876"),
            ("%COMMON_DURATION(US_CX_BEG:US_CX_END:ns)%", "1000000"),
            ("%COMMON_DURATION(US_CX_END:US_HS_END:ms)%", "3"), ("%COMMON_DURATION(DS_CX_BEG:DS_HS_END)%", "3"),
            ("%COMMON_DURATION(US_TX_BEG:US_TX_END)%", "1"), ("%COMMON_DURATION(US_RX_BEG:US_RX_END:us)%", "10500"),
            ("%COMMON_DURATION(DS_TX_END:DS_TX_BEG)%", "-"), ("%COMMON_DURATION(DS_RX_BEG:DS_CX_END)%", "-"),
        ])
    func variablesOfEnvoy(_ format: String, _ expected: String) throws { #expect(try render(format) == expected) }

    @Test func valuesThatDependOnWhatEnded() throws {
        #expect(try render("%ACCESS_LOG_TYPE%", occasion: .connection) == "TcpConnectionEnd")
        #expect(try render("%ACCESS_LOG_TYPE%", occasion: .field) == "NotSet")
        #expect(try render("%COMMON_DURATION(DS_RX_BEG:DS_CX_END)%", occasion: .connection) == "1000")
        #expect(try render("%CONNECTION_TERMINATION_DETAILS%", occasion: .connection) == "upstream.overflow")
        var cut = facts()
        cut.responseEnd = .none
        #expect(try render("%CONNECTION_TERMINATION_DETAILS%", cut) == "upstream.overflow")
        cut.flags = .upstreamConnectionFailure
        #expect(try render("%UPSTREAM_TRANSPORT_FAILURE_REASON%", cut) == "upstream.overflow")
    }

    @Test func uniqueNumbersAreUnique() throws {
        let pattern = /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/
        let made = try (0..<100).map { _ in try render("%UNIQUE_ID%") }
        #expect(Set(made).count == 100)
        for text in made { #expect(text.wholeMatch(of: pattern) != nil, "\(text)") }
    }

    @Test func timesOfTheMachineHaveItsZone() throws {
        let local = try render("%START_TIME_LOCAL(%s %z)% %EMIT_TIME_LOCAL(%s)%")
        #expect(local.hasPrefix("1709210096 ") && local.hasSuffix(" 1709210097"))
        let pattern = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.789[+-]\d{4}/
        #expect(try render("%START_TIME_LOCAL%").wholeMatch(of: pattern) != nil)
    }

    @Test func aZoneIsAheadOrBehind() {
        for (offset, name, expected) in [
            (Int64(3600), "CET", "2024-03-01 00:30:00 +0100 CET 1709249400"),
            (-34_200, "MART", "2024-02-29 14:00:00 -0930 MART 1709249400"),
        ] {
            var text = ByteText()
            let time = CivilTime(seconds: 1_709_249_400, zone: TimeZone(offset: offset, name: name))
            for letter in "FTzZs".utf8 {
                if !text.isEmpty { text.append(" ") }
                time.append(letter, to: &text)
            }
            #expect(ASCII.string(text.bytes) == expected)
        }
    }

    @Test(
        arguments: [
            (nil, "0", "OK", "OK", 0), (nil, "5", "NotFound", "NOT_FOUND", 5), (nil, "99", "99", "99", 99),
            ("14", "0", "Unavailable", "UNAVAILABLE", 14), (nil, nil, "Unavailable", "UNAVAILABLE", 14),
        ] as [(String?, String?, String, String, Int)])
    func theOutcomeOfACall(
        _ trailer: String?, _ field: String?, _ camel: String, _ snake: String, _ number: Int
    ) throws {
        let head = request("POST", "/s/m", [("content-type", "application/grpc")])
        var response = ResponseHead()
        if let field { response.headers.add(.grpcStatus, field) }
        var trailers = Headers()
        if let trailer { trailers.add(.grpcStatus, trailer) }
        let facts = facts()
        let format = try TextFormat.parse(
            "%GRPC_STATUS% %GRPC_STATUS(SNAKE_STRING)% %GRPC_STATUS(NUMBER)% %GRPC_STATUS_NUMBER% %TRAILER(x?GRPC-STATUS)%"
        )
        var text = ByteText()
        unsafe withUnsafePointer(to: head) { head in
            unsafe withUnsafePointer(to: response) { response in
                unsafe withUnsafePointer(to: trailers) { trailers in
                    unsafe withUnsafePointer(to: facts) { facts in
                        let subject = unsafe FormatSubject(
                            request: head, response: response, trailers: trailers, facts: facts,
                            connection: connection(), at: FormatMoment(now: .none, occasion: .stream))
                        format.render(into: &text, subject)
                    }
                }
            }
        }
        #expect(ASCII.string(text.bytes) == "\(camel) \(snake) \(number) \(number) \(trailer ?? "-")")
    }

    @Test func theFirstPathIsTheOneThatWasAskedFor() throws {
        let head = request("GET", "/b?c=1&c=2&d&e=%0A", [("x-envoy-original-path", "/a?x=1")])
        func render(_ format: String) throws -> String {
            var text = ByteText()
            try TextFormat.parse(format).render(
                into: &text, request: head, facts: StreamFacts(), connection: connection(),
                at: FormatMoment(now: .none), unset: "-")
            return ASCII.string(text.bytes)
        }
        #expect(try render("%PATH% %PATH(NQ)% %PATH(NQ:PATH)% %PATH(WQ:ORIG)%") == "/a?x=1 /a /b /a?x=1")
        #expect(try render("%QUERY_PARAMS% %QUERY_PARAMS(PATH)%") == "x=1 c=1&c=2&d&e=%0A")
        #expect(try render("%QUERY_PARAM(c)% %QUERY_PARAM(d)% %QUERY_PARAM(e)% %QUERY_PARAM(x)%") == "1 - %0A -")
    }

    @Test func whatIsNotKnownIsADash() throws {
        let none = StreamFacts()
        let format =
            "%DURATION% %RESPONSE_DURATION% %UPSTREAM_HOST% %ROUTE_NAME% %RESPONSE_FLAGS% %RESPONSE_CODE% %UPSTREAM_PROTOCOL%"
        #expect(try render(format, none) == "- - - - - 0 -")
        #expect(try render("[%UPSTREAM_HOST%]", none, unset: "") == "[]")
    }

    @Test func beforeTheEndTheStatusIsThatOfTheResponse() throws {
        #expect(try render("%RESPONSE_CODE%", StreamFacts(), occasion: .field) == "200")
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
            (" %METADATA(a:b)%", 1, "a variable of Envoy that Sluice does not have"), ("%QUERY_PARAM%", 0, "needs a"),
            ("%PATH(X)%", 0, "does not know `X`"), ("%PATH(WQ:Y)%", 0, "does not know `WQ:Y`"),
            ("%QUERY_PARAMS(NQ)%", 0, "does not know `NQ`"), ("%GRPC_STATUS(X)%", 0, "does not know `X`"),
            ("%COMMON_DURATION%", 0, "needs two points"), ("%COMMON_DURATION(DS_RX_BEG:X)%", 0, "no point `X`"),
            ("%COMMON_DURATION(DS_RX_BEG:DS_RX_END:s)%", 0, "no unit `s`"),
            ("%TRAILER(:STATUS)%", 0, "cannot be the name"),
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

    @Test(arguments: ForeignVariable.names) func whatOnlyEnvoyHasIsSaid(_ name: String) {
        #expect(!FormatVariable.names.contains(name))
        #expect(throws: FormatProblem.self) {
            do throws(FormatProblem) { _ = try TextFormat.parse("%\(name)(a)%") } catch {
                #expect(error.message.contains("a variable of Envoy") && error.hint != nil)
                throw error
            }
        }
    }

    @Test func onlyANumberByItselfIsANumber() throws {
        for name in ["DURATION", "COMMON_DURATION(DS_RX_BEG:DS_RX_END)", "GRPC_STATUS(NUMBER)", "UPSTREAM_REMOTE_PORT"]
        {
            #expect(try TextFormat.parse("%\(name)%").type == .number)
            #expect(try TextFormat.parse("%\(name)%ms").type == .text)
        }
        #expect(try TextFormat.parse("%PROTOCOL%").type == .text)
        #expect(try TextFormat.parse("%DOWNSTREAM_TLS_RESUMED%").type == .boolean)
    }

    @Test func noNameIsThereTwice() {
        let names = FormatVariable.names + ForeignVariable.names
        #expect(Set(names).count == names.count)
    }

    @Test(
        arguments: [
            (0, "1970-01-01 Thu 001"), (951_782_400, "2000-02-29 Tue 060"), (4_107_542_400, "2100-03-01 Mon 060"),
            (1_735_603_200, "2024-12-31 Tue 366"), (1_704_067_199, "2023-12-31 Sun 365"),
        ])
    func theCalendar(_ seconds: UInt64, _ expected: String) throws {
        var text = ByteText()
        try TimePattern("%F %a %j").render(seconds * Self.second, into: &text)
        #expect(ASCII.string(text.bytes) == expected)
    }
}
