import FilterAPI
import FilterTesting
import Testing

@testable import ext_authz

@Suite("The filter ext_authz") struct ExtAuthzTests {
    private let worker = FakeWorker()

    private func stream(
        _ fields: KeyValuePairs<String, String> = [:], _ method: String = "GET", _ target: String = "/a?b=1",
        _ edit: (inout ExtAuthz.Settings) -> Void = { _ in }
    ) throws -> FakeStream<ExtAuthz> {
        let filter = try worker.make(ExtAuthz.self) {
            $0.cluster = "auth"
            edit(&$0)
        }
        var head = RequestHead.fake(method, target)
        for (name, value) in fields { head.headers.add(try #require(HeaderName(name)), value) }
        let stream = FakeStream(filter, head)
        stream.requestHead(last: true)
        return stream
    }

    private func counts() -> [UInt64] {
        ["ok", "denied", "error", "timeout", "failure_mode_allowed"].map { worker.value(of: "ext_authz.\($0)") }
    }

    @Test("The service is shown method, path, authority and the fields that are meant, and nothing else")
    func question() throws {
        let stream = try stream(["authorization": "Bearer x", "cookie": "a=b", "x-a": "1", "x-a": "2"], "POST") {
            $0.pathPrefix = "/check"
            $0.allowedHeaders = ["authorization", "x-a"]
            $0.timeout = .milliseconds(30)
        }
        let fetch = try #require(stream.fetches.first)
        #expect(fetch.request.method == "POST" && fetch.request.target == "/check/a?b=1")
        #expect(fetch.timeout == .milliseconds(30) && worker.name(of: fetch.cluster) == "auth")
        #expect(
            fetch.request.fields.map { "\($0.name.lowercased()): \($0.value)" } == [
                "host: a.test", "authorization: Bearer x", "x-a: 1", "x-a: 2",
            ])
        #expect(stream.holdsRequest && !stream.below.hasHead)
        stream.close()
    }

    @Test("A yes lets the request go on with what the service says, in place of what the client says")
    func allowed() throws {
        let stream = try stream(["x-user": "forged", "X-Groups": "forged", "x-other": "stays"]) {
            $0.allowedUpstreamHeaders = ["x-user", "x-groups"]
        }
        stream.answerFetch(200, ["X-User": "ada", "x-other": "of the service"], body: "not for the upstream")
        #expect(stream.below.isComplete)
        #expect(stream.below.values("x-user") == ["ada"])
        #expect(stream.below.values("x-groups") == [])
        #expect(stream.below.values("x-other") == ["stays"])
        stream.responseHead(200, last: true)
        #expect(stream.above.status == 200)
        stream.close()
        #expect(counts() == [1, 0, 0, 0, 0])
    }

    @Test("A no becomes the answer, with the fields that are meant", arguments: [302, 401, 403, 404, 429])
    func denied(status: Int) throws {
        let stream = try stream()
        stream.answerFetch(
            Status(status),
            ["location": "https://sso.test/", "www-authenticate": "A", "WWW-Authenticate": "B", "x-inner": "secret"],
            body: "go away")
        let reply = try #require(stream.reply)
        #expect(reply.status == status && reply.body == "go away")
        #expect(
            Set(reply.fields.map { "\($0.name.lowercased()): \($0.value)" })
                == ["location: https://sso.test/", "www-authenticate: A, B"])
        #expect(stream.facts.flags.contains(.unauthorizedExternalService) && !stream.below.hasHead)
        #expect("\(stream.facts.reason)" == "ext_authz.denied")
        stream.close()
        #expect(counts() == [0, 1, 0, 0, 0])
    }

    @Test("Of answers that do not count the setting says what they mean", arguments: [false, true])
    func failed(isOpen: Bool) throws {
        func look(_ answer: (FakeStream<ExtAuthz>) -> Void) throws {
            let stream = try stream(["x-user": "forged"]) {
                $0.failureModeAllow = isOpen
                $0.statusOnError = 503
                $0.allowedUpstreamHeaders = ["x-user"]
                $0.maxBody = .bytes(10)
            }
            answer(stream)
            if isOpen {
                #expect(stream.below.isComplete && stream.below.values("x-user") == [])
            } else {
                #expect(stream.reply?.status == 503 && stream.reply?.body == "")
                #expect("\(stream.facts.reason)" == "ext_authz.error" && !stream.below.hasHead)
                #expect(stream.facts.flags.contains(.unauthorizedExternalService))
            }
            stream.close()
        }
        try look { $0.answerFetch(500) }
        try look { $0.answerFetch(403, body: "more than ten bytes") }
        try look { $0.answerFetch(200, body: "more than ten bytes") }
        try look { $0.failFetch(Fault(.connectFailed, "upstream.connect_refused")) }
        try look { $0.failFetch() }
        #expect(counts() == [0, 0, 5, 1, isOpen ? 5 : 0])
    }

    @Test("What cannot be asked about does not come in, whatever the failure mode")
    func notAskable() throws {
        let stream = try stream([:], "CONNECT", "a.test:443") { $0.failureModeAllow = true }
        #expect(stream.reply?.status == 403 && stream.fetches.isEmpty && !stream.below.hasHead)
        stream.close()
    }

    @Test("A target that is no path stays one that begins with the prefix")
    func asterisk() throws {
        let stream = try stream([:], "OPTIONS", "*") { $0.pathPrefix = "/check" }
        #expect(stream.fetches.first?.request.target == "/check/*")
        stream.close()
    }

    @Test("A client that leaves while the service thinks is counted nowhere")
    func gone() throws {
        let stream = try stream()
        stream.clientGone()
        #expect(!stream.awaitsFetch)
        #expect(counts() == [0, 0, 0, 0, 0])
    }

    @Test(
        "Settings that cannot work are refused",
        arguments: [
            "{}", "{ cluster: a, path_prefix: check }", "{ cluster: a, path_prefix: /check/ }",
            "{ cluster: a, path_prefix: '/check?a' }", "{ cluster: a, timeout: 0s }",
            "{ cluster: a, status_on_error: 200 }", "{ cluster: a, allowed_headers: [ 'a b' ] }",
            "{ cluster: a, allowed_upstream_headers: [ Host ] }", "{ cluster: a, max_body: 2MiB }",
            "{ cluster: a, allowed_client_headers: [ Transfer-Encoding ] }",
        ])
    func settings(text: String) {
        #expect(throws: ConfigurationFault.self) { try worker.make(ExtAuthz.self, config: text) }
    }

    @Test("It keeps the rules of filters, whatever the service says", arguments: [200, 403, 500])
    func conformance(status: Int) {
        for mode in [false, true] {
            let options = ConformanceOptions(
                config: "{ cluster: auth, failure_mode_allow: \(mode), allowed_upstream_headers: [ x-user ] }"
            ) {
                $0.requestFields = [RecordedField(name: "x-user", value: "forged")]
                $0.fetchAnswer = .init(
                    Status(status), fields: [RecordedField(name: "x-user", value: "ada")], body: "because")
            }
            #expect(Conformance.findings(ExtAuthz.self, options) == [])
        }
    }
}
