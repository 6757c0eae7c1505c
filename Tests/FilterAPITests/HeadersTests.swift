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
        let (type, hasType, hasHost) = (headers[.contentType], headers.contains(.contentType), headers.contains(.host))
        #expect(type == "text/html")
        #expect(try #require(HeaderName("Content-TYPE")) == .contentType)
        #expect(hasType)
        #expect(!hasHost)
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
        let value = headers[name]
        let missing = headers[try #require(HeaderName("x-my-own-think"))]
        #expect(value == "a")
        #expect(missing == nil)
    }

    @Test("Duplicates and their order are kept")
    func duplicates() throws {
        var headers = make([("set-cookie", "a=1"), ("via", "x"), ("set-cookie", "b=2")])
        let before = headers.values(.setCookie)
        headers.set(.setCookie, "c=3")
        let (after, count, isFirst) = (headers.values(.setCookie), headers.count, headers.isName(.setCookie, at: 0))
        #expect(before == ["a=1", "b=2"])
        #expect(after == ["c=3"])
        #expect(count == 2)
        #expect(isFirst)
    }

    @Test("Removing takes out every field of the name and nothing else")
    func removing() {
        var headers = make([("via", "1"), ("age", "2"), ("via", "3"), ("etag", "4")])
        let (removed, count, again) = (headers.remove(.via), headers.count, headers.remove(.via))
        let (age, tag) = (headers[.age], headers[.eTag])
        #expect(removed)
        #expect(count == 2)
        #expect(age == "2")
        #expect(tag == "4")
        #expect(!again)
    }

    @Test(
        "A value that would break the message is refused and counted", arguments: ["a\r\nb", "a\nb", "a\0b", "a\u{7F}"])
    func hostileValues(value: String) {
        var headers = make([("via", "1")])
        let (added, set) = (headers.add(.age, value), headers.set(.via, value))
        let (count, via, refused) = (headers.count, headers[.via], headers.refusedEdits)
        #expect(!added)
        #expect(!set)
        #expect(count == 1)
        #expect(via == "1")
        #expect(refused == 2)
    }

    @Test("A name that is no token cannot be made", arguments: ["", "a b", "a:b", "ä", "a\r", "a(b)"])
    func hostileNames(name: String) {
        #expect(HeaderName(name) == nil)
    }

    @Test("Lists are searched by whole tokens, in any case")
    func tokens() {
        let headers = make([("connection", "keep-alive , Upgrade"), ("connection", "x")])
        let (upgrade, other) = (headers.hasToken(.connection, "upgrade"), headers.hasToken(.connection, "x"))
        let part = headers.hasToken(.connection, "keep")
        #expect(upgrade)
        #expect(other)
        #expect(!part)
    }

    @Test("Names that Sluice adds are written in title case, those of traces in lower case")
    func titleCase() {
        let headers = make([("x-request-id", "1"), ("traceparent", "2"), ("tracestate", "3"), ("b3", "4")])
        let names = (0..<4).map { ASCII.string(headers.name(at: $0)) }
        #expect(names == ["X-Request-Id", "traceparent", "tracestate", "b3"])
    }

    @Test("Thousands of fields and long values survive growth")
    func growth() throws {
        var headers = Headers()
        for index in 0..<3000 {
            headers.add(try #require(HeaderName("x-\(index)")), String(repeating: "v", count: index % 97))
        }
        let (count, last) = (headers.count, headers[try #require(HeaderName("x-2999"))])
        #expect(count == 3000)
        #expect(last == String(repeating: "v", count: 2999 % 97))
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
        let texts = [ASCII.string(copy.target), ASCII.string(copy.path), ASCII.string(copy.query)]
        let (host, method) = (copy.headers[.host], copy.method)
        #expect(texts == ["/a?b=c", "/a", "b=c"])
        #expect(host == "one")
        #expect(method == .put)
    }

    @Test(
        "A target that could not stand in a request line is refused", arguments: ["", "/a b", "/a#b", "/\u{1}", "/ä"])
    func hostileTargets(target: String) {
        var head = RequestHead()
        head.setTarget("/good")
        let isSet = head.setTarget(target)
        let left = ASCII.string(head.target)
        #expect(!isSet)
        #expect(left == "/good")
    }
}
