import FilterAPI
import Testing

@testable import Filters

struct RewriteTests {
    private func rewrite(
        _ target: String, prefix: String? = nil, _ edit: (inout Router.RewriteSettings) -> Void
    ) throws -> (target: String, original: String?, host: String) {
        var settings = Router.RewriteSettings()
        edit(&settings)
        var match = Router.MatchSettings()
        match.prefix = prefix
        var head = request("GET", target, host: "client.example")
        var scratch = ByteText()
        try Rewrite(settings, matched: match)?.apply(to: &head, scratch: &scratch)
        return (ASCII.string(head.target), head.headers[.xEnvoyOriginalPath], ASCII.string(head.authority))
    }

    @Test(
        arguments: [
            ("/v1/x?q=1", "/v1", "/", "/x?q=1"), ("/v1", "/v1", "/", "/"), ("/v1/x", "/v1/", "/", "/x"),
            ("/v1/x", "/v1", "/v2", "/v2/x"), ("/v10", "/v1", "/v2/", "/v2/0"), ("/v1?q", "/v1", "/v2", "/v2?q"),
            ("/v1//x", "/v1", "/", "//x"),
        ])
    func aPrefixIsReplaced(_ target: String, _ prefix: String, _ with: String, _ expected: String) throws {
        let result = try rewrite(target, prefix: prefix) { $0.prefix = with }
        #expect(result.target == expected)
        #expect(result.original == target)
    }

    @Test func theWholePathIsReplacedAndTheQueryStays() throws {
        #expect(try rewrite("/a/b?c=d") { $0.path = "/x" }.target == "/x?c=d")
    }

    @Test func groupsOfAnExpressionAreUsed() throws {
        let result = try rewrite("/a/b/c?d=/a/") { $0.regex = replace("^/a/(.*)", "/z/\\1") }
        #expect(result.target == "/z/b/c?d=/a/")
        #expect(try rewrite("/a") { $0.regex = replace("^/", "") }.target == "/a")
        #expect(try rewrite("/a") { $0.regex = replace(".*", "") }.target == "/")
    }

    @Test func whatDoesNotChangeLeavesNoTrace() throws {
        let result = try rewrite("/a") { $0.regex = replace("x", "y") }
        #expect(result.target == "/a")
        #expect(result.original == nil)
        #expect(try rewrite("/a") { $0.path = "/a" }.original == nil)
    }

    @Test func theHostIsReplaced() throws {
        let result = try rewrite("/a") { $0.host = "other.internal:81" }
        #expect(result.host == "other.internal:81")
        #expect(result.original == nil)
    }

    private func replace(_ pattern: String, _ with: String) -> Router.ReplaceSettings {
        var settings = Router.ReplaceSettings()
        settings.pattern = pattern
        settings.with = with
        return settings
    }
}

struct RedirectTests {
    private func location(
        _ target: String, host: String = "a.example", prefix: String? = nil,
        _ edit: (inout Router.RedirectSettings) -> Void
    ) -> String {
        var settings = Router.RedirectSettings()
        edit(&settings)
        var match = Router.MatchSettings()
        match.prefix = prefix
        var text = ByteText()
        Redirect(settings, matched: match).write(request("GET", target, host: host), into: &text)
        return ASCII.string(text.bytes)
    }

    @Test func partsThatAreNotSetStay() {
        #expect(location("/x?y=z") { $0.scheme = "https" } == "https://a.example/x?y=z")
        #expect(location("/x?y=z") { $0.host = "b.example" } == "http://b.example/x?y=z")
        #expect(location("/x?y=z") { $0.path = "/new" } == "http://a.example/new?y=z")
        #expect(location("/x?y=z") { $0.path = "/new?w=1" } == "http://a.example/new?w=1")
        #expect(location("/x?y=z") { $0.stripQuery = true } == "http://a.example/x")
        #expect(location("/v1/x?y", prefix: "/v1") { $0.prefix = "/v2" } == "http://a.example/v2/x?y")
    }

    @Test func portsFollowTheSchemeAndTheHost() {
        #expect(location("/", host: "a:80") { $0.scheme = "https" } == "https://a/")
        #expect(location("/", host: "a:8080") { $0.scheme = "https" } == "https://a:8080/")
        #expect(location("/", host: "a:8080") { $0.port = 8443 } == "http://a:8443/")
        #expect(
            location("/", host: "a:8080") {
                $0.scheme = "https"
                $0.port = 443
            } == "https://a/")
        #expect(location("/", host: "a:8080") { $0.host = "b" } == "http://b/")
        #expect(location("/", host: "[::1]:8080") { $0.port = 81 } == "http://[::1]:81/")
        #expect(location("/", host: "[::1]") { $0.scheme = "https" } == "https://[::1]/")
    }

    @Test func aClientWithoutAHostIsNotSentToOneThatItsPathNames() {
        #expect(location("//evil.example/x", host: "") { $0.scheme = "https" } == "/.//evil.example/x")
    }

    @Test func whatHasNoPathIsSentToTheRoot() {
        #expect(location("*") { $0.scheme = "https" } == "https://a.example/")
    }
}

struct HashRuleTests {
    private func hash(
        _ fields: [(String, String)] = [], ip: String = "", _ edit: (inout Router.HashSettings) -> Void
    ) -> UInt64? {
        var settings = Router.HashSettings()
        edit(&settings)
        let connection = ConnectionFacts()
        connection.remoteIP = ip
        return HashRule(settings)?.hash(request("GET", "/", fields), connection)
    }

    @Test func theSameValueGivesTheSameNumberWhereverItStands() {
        let bySource = hash(ip: "u1") { $0.source = true }
        #expect(bySource != nil)
        #expect(hash([("x-user", "u1")]) { $0.header = "X-User" } == bySource)
        #expect(hash([("cookie", "a=1; sid=u1;b=2")]) { $0.cookie = "sid" } == bySource)
        #expect(hash([("cookie", "xsid=u1"), ("cookie", "sid=u1")]) { $0.cookie = "sid" } == bySource)
        #expect(hash([("x-user", "u2")]) { $0.header = "x-user" } != bySource)
    }

    @Test func theSourceIsTheClientThatATrustedProxySaw() {
        var head = request("GET", "/", [("x-forwarded-for", "10.0.0.9")])
        let entry = unsafe head.headers.entries[head.headers.index(of: .xForwardedFor)]
        head.clientRange = TextRange(offset: entry.valueOffset, count: entry.valueCount)
        let connection = ConnectionFacts()
        connection.remoteIP = "127.0.0.1"
        var settings = Router.HashSettings()
        settings.source = true
        #expect(HashRule(settings)?.hash(head, connection) == hash(ip: "10.0.0.9") { $0.source = true })
    }

    @Test func theFirstThatTheRequestHasCounts() {
        let both: (inout Router.HashSettings) -> Void = {
            $0.header = "x-user"
            $0.source = true
        }
        #expect(hash([("x-user", "u1")], ip: "10.0.0.1", both) == hash(ip: "u1") { $0.source = true })
        #expect(hash(ip: "10.0.0.1", both) == hash(ip: "10.0.0.1") { $0.source = true })
        #expect(hash { $0.header = "x-user" } == nil)
    }
}
