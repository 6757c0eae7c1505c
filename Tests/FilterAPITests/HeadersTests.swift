import Testing

@testable import FilterAPI

@Suite("Header fields")
struct HeadersTests {
    private func make(_ fields: [(String, String)]) -> Headers {
        var headers = Headers()
        for (name, value) in fields {
            guard let name = HeaderName(name) else { continue }
            headers.add(name, value)
        }
        return headers
    }

    @Test("A known name is found whatever the case it was written in")
    func knownNames() throws {
        let headers = make([("CONTENT-Type", "text/html"), ("x-other", "1")])
        #expect(headers[.contentType] == "text/html")
        #expect(try #require(HeaderName("Content-TYPE")) == .contentType)
        #expect(headers.contains(.contentType))
        #expect(!headers.contains(.host))
    }

    @Test("Every interned name is found by its own text")
    func everyInternedName() throws {
        for (token, text) in HeaderName.known.enumerated() where token > 0 {
            let name = try #require(HeaderName("\(text)".uppercased()))
            #expect(Int(name.token) == token, "\(text)")
        }
    }

    @Test("A name that is not interned is found too")
    func otherNames() throws {
        let headers = make([("x-my-own-thing", "a"), ("x-my-own-thinh", "b")])
        let name = try #require(HeaderName("X-My-Own-Thing"))
        #expect(name.token == 0)
        #expect(headers[name] == "a")
        #expect(headers[try #require(HeaderName("x-my-own-think"))] == nil)
    }

    @Test("Duplicates and their order are kept")
    func duplicates() throws {
        var headers = make([("set-cookie", "a=1"), ("via", "x"), ("set-cookie", "b=2")])
        #expect(headers.values(.setCookie) == ["a=1", "b=2"])
        headers.set(.setCookie, "c=3")
        #expect(headers.values(.setCookie) == ["c=3"])
        #expect(headers.count == 2)
        #expect(headers.isName(.setCookie, at: 0))
    }

    @Test("Removing takes out every field of the name and nothing else")
    func removing() {
        var headers = make([("via", "1"), ("age", "2"), ("via", "3"), ("etag", "4")])
        #expect(headers.remove(.via))
        #expect(headers.count == 2)
        #expect(headers[.age] == "2")
        #expect(headers[.eTag] == "4")
        #expect(!headers.remove(.via))
    }

    @Test("A value that would break the message is refused and counted", arguments: ["a\r\nb", "a\nb", "a\0b", "a\u{7F}"])
    func hostileValues(value: String) {
        var headers = make([("via", "1")])
        #expect(!headers.add(.age, value))
        #expect(!headers.set(.via, value))
        #expect(headers.count == 1)
        #expect(headers[.via] == "1")
        #expect(headers.refusedEdits == 2)
    }

    @Test("A name that is no token cannot be made", arguments: ["", "a b", "a:b", "ä", "a\r", "a(b)"])
    func hostileNames(name: String) {
        #expect(HeaderName(name) == nil)
    }

    @Test("Lists are searched by whole tokens, in any case")
    func tokens() {
        let headers = make([("connection", "keep-alive , Upgrade"), ("connection", "x")])
        #expect(headers.hasToken(.connection, "upgrade"))
        #expect(headers.hasToken(.connection, "x"))
        #expect(!headers.hasToken(.connection, "keep"))
    }

    @Test("Names that Sluice adds are written in title case")
    func titleCase() {
        let headers = make([("x-request-id", "1")])
        #expect(ASCII.string(headers.name(at: 0)) == "X-Request-Id")
    }

    @Test("Thousands of fields and long values survive growth")
    func growth() throws {
        var headers = Headers()
        for index in 0..<3000 { headers.add(try #require(HeaderName("x-\(index)")), String(repeating: "v", count: index % 97)) }
        #expect(headers.count == 3000)
        #expect(headers[try #require(HeaderName("x-2999"))] == String(repeating: "v", count: 2999 % 97))
    }

    @Test("A copy is independent of what it was made from")
    func copies() {
        var head = RequestHead()
        head.setMethod("PUT")
        head.setTarget("/a?b=c")
        head.headers.add(.host, "one")
        let copy = head.copy()
        head.setTarget("/other")
        head.headers.set(.host, "two")
        #expect(ASCII.string(copy.target) == "/a?b=c")
        #expect(ASCII.string(copy.path) == "/a")
        #expect(ASCII.string(copy.query) == "b=c")
        #expect(copy.headers[.host] == "one")
        #expect(copy.method == .put)
    }

    @Test("A target that could not stand in a request line is refused", arguments: ["", "/a b", "/a#b", "/\u{1}", "/ä"])
    func hostileTargets(target: String) {
        var head = RequestHead()
        head.setTarget("/good")
        #expect(!head.setTarget(target))
        #expect(ASCII.string(head.target) == "/good")
    }
}
