import FilterAPI
import FilterTesting
import Testing

@testable import api_key

private let reports = "k-reports-0123456789"
private let billing = "k-billing-0123456789"

@Suite("Keys") struct APIKeyTests {
    private let worker = FakeWorker()

    private func stream(
        _ fields: KeyValuePairs<String, String>, target: String = "/",
        _ edit: (inout APIKey.Settings) -> Void = { _ in }
    ) throws -> FakeStream<APIKey> {
        let filter = try worker.make(APIKey.self) {
            $0.keys = ["reports": reports, "billing": billing]
            edit(&$0)
        }
        var head = RequestHead.fake()
        head.setTarget(target)
        for (name, value) in fields { head.headers.add(try #require(HeaderName(name)), value) }
        return FakeStream(filter, head)
    }

    @Test("A key lets in, is counted by its name, and does not go on")
    func good() throws {
        let stream = try stream(["X-Api-Key": reports, "x-api-key-name": "forged"])
        stream.requestHead(last: true)
        stream.clusterAttached(FactName("app"))
        #expect(stream.reply == nil)
        #expect(stream.request.headers.values(try #require(HeaderName("x-api-key"))).first == nil)
        #expect(stream.request.headers.values(try #require(HeaderName("x-api-key-name"))) == ["reports"])
        #expect(worker.value(of: "api_key.accepted{name=\"reports\"}") == 1)
        stream.close()
    }

    @Test("None is 401 with a challenge", arguments: [false, true])
    func missing(bearer: Bool) throws {
        let stream = try stream([:]) { $0.bearer = bearer }
        stream.requestHead(last: true)
        stream.clusterAttached(FactName("app"))
        #expect(stream.reply?.status == 401)
        #expect(
            stream.reply?.fields.contains {
                $0.name.lowercased() == "www-authenticate"
                    && $0.value == (bearer ? "Bearer realm=\"api\"" : "ApiKey realm=\"api\"")
            } == true)
        #expect(worker.value(of: "api_key.refused{reason=\"missing\"}") == 1)
        stream.close()
    }

    @Test(
        "What is no key is 401",
        arguments: [
            "", "k-reports-012345678", "k-reports-01234567890", "K-reports-0123456789", "k-reports-0123456788",
            "k-reports-0123456789 x", "reports",
        ])
    func unknown(text: String) throws {
        let stream = try stream(["x-api-key": text])
        stream.requestHead(last: true)
        stream.clusterAttached(FactName("app"))
        #expect(stream.reply?.status == 401)
        #expect(worker.value(of: "api_key.refused{reason=\"unknown\"}") == 1)
        stream.close()
    }

    @Test("Two fields are no key, be they good or not")
    func twice() throws {
        let stream = try stream(["x-api-key": reports, "X-API-KEY": reports])
        stream.requestHead(last: true)
        stream.clusterAttached(FactName("app"))
        #expect(stream.reply?.status == 401)
        stream.close()
    }

    @Test("A bearer's token is a key only where that is set, and other schemes stay")
    func bearer() throws {
        for (isSet, value, status) in [
            (true, "Bearer \(reports)", nil), (true, "bearer  \(reports)", nil), (false, "Bearer \(reports)", 401),
            (true, "Basic \(reports)", 401), (true, "Bearer x", 401),
        ] as [(Bool, String, Int?)] {
            let stream = try stream(["authorization": value]) { $0.bearer = isSet }
            stream.requestHead(last: true)
            stream.clusterAttached(FactName("app"))
            #expect(stream.reply?.status == status, "\(isSet) \(value)")
            #expect((stream.request.headers[.authorization] == nil) == (isSet && !value.hasPrefix("Basic")))
            stream.close()
        }
    }

    @Test("A parameter of the query is a key only where that is asked for, and is cut out")
    func query() throws {
        for (name, target, status, rest) in [
            ("key", "/a?key=\(reports)", nil, "/a"), ("key", "/a?x=1&key=\(reports)&y=2", nil, "/a?x=1&y=2"),
            ("key", "/a?key=\(reports)&y=2", nil, "/a?y=2"), (nil, "/a?key=\(reports)", 401, "/a?key=\(reports)"),
            ("key", "/a?monkey=\(reports)", 401, "/a?monkey=\(reports)"), ("key", "/a?key=", 401, "/a"),
        ] as [(String?, String, Int?, String)] {
            let stream = try stream([:], target: target) { $0.query = name }
            stream.requestHead(last: true)
            stream.clusterAttached(FactName("app"))
            #expect(stream.reply?.status == status, "\(target)")
            #expect(ASCII.string(stream.request.target) == rest)
            stream.close()
        }
    }

    @Test("A name that may not come in is 403, and a route may say otherwise")
    func names() throws {
        let first = try stream(["x-api-key": reports]) { $0.names = ["billing"] }
        first.requestHead(last: true)
        first.clusterAttached(FactName("app"))
        #expect(first.reply?.status == 403)
        first.close()
        let second = try stream(["x-api-key": reports]) { $0.names = ["billing"] }
        second.routeSettings = APIKey.RouteSettings()
        second.routeSettings?.names = ["reports"]
        second.requestHead(last: true)
        second.clusterAttached(FactName("app"))
        #expect(second.reply == nil)
        second.close()
    }

    @Test("A route may need no key")
    func off() throws {
        let stream = try stream([:])
        stream.routeSettings = APIKey.RouteSettings()
        stream.routeSettings?.enabled = false
        stream.requestHead(last: true)
        stream.clusterAttached(FactName("app"))
        stream.responseHead(200, last: true)
        #expect(stream.reply == nil)
        #expect(stream.above.status == 200)
        stream.close()
    }

    @Test("What a route answers by itself needs a key as well")
    func answered() throws {
        let stream = try stream([:])
        stream.requestHead(last: true)
        stream.responseHead(200)
        #expect(stream.reply?.status == 401)
        stream.close()
    }

    @Test("The key goes on where that is set")
    func forwarded() throws {
        let stream = try stream(["x-api-key": reports]) { $0.forwardKey = true }
        stream.requestHead(last: true)
        #expect(stream.request.headers.values(try #require(HeaderName("x-api-key"))).first == reports)
        stream.close()
    }

    @Test("Settings that let nobody in, or say too much, are refused")
    func settings() {
        for text in [
            "{}", "{ keys: { a: \"\" } }", "{ keys: { \"a b\": 0123456789abcdef } }",
            "{ keys: { a: 0123456789abcdef, b: 0123456789abcdef } }", "{ keys: { a: \"with space 0123456\" } }",
            "{ keys: { a: 0123456789abcdef }, header: authorization }",
            "{ keys: { a: 0123456789abcdef }, names: [ b ] }", "{ keys: { a: 0123456789abcdef }, query: a=b }",
            "{ file: /nowhere/keys }",
        ] {
            let fault = #expect(throws: ConfigurationFault.self) { try worker.make(APIKey.self, config: text) }
            #expect(fault?.message.contains("0123456") == false, "\(text)")
        }
    }

    @Test("A file has a name and a key in each line; what is wrong is told without it")
    func file() throws {
        let found = try KeyFile.parse("# keys\n\na: one\n  b :\ttwo \r\nc: t:h:r\n")
        #expect(found.map(\.name) == ["a", "b", "c"] && found.map(\.key) == ["one", "two", "t:h:r"])
        for text in ["a secret", "a: b c", "a:", ": b", "a b: c", "a: x\nb: x", "a: \u{e9}"] {
            let problem = #expect(throws: KeyFile.Problem.self) { try KeyFile.parse(text) }
            #expect(problem?.message.contains("secret") == false && problem?.message.hasPrefix("line ") == true)
        }
    }

    @Test("It keeps the rules of filters, with a key and without", arguments: [reports, "none", nil])
    func conformance(key: String?) {
        let options = ConformanceOptions(config: "{ keys: { reports: \(reports) } }") {
            // By name; without a key there is none.
            if key != reports { $0.otherStats = ["accepted"] }
            if let key { $0.requestFields = [RecordedField(name: "x-api-key", value: key)] }
        }
        #expect(Conformance.findings(APIKey.self, options) == [])
    }
}
