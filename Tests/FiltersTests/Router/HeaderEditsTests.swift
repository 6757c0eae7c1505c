import FilterAPI
import Testing

@testable import Filters

struct HeaderEditsTests {
    private func settings(_ edit: (inout HeaderEditSettings) -> Void) -> HeaderEditSettings {
        var settings = HeaderEditSettings()
        edit(&settings)
        return settings
    }

    private func edited(
        _ fields: [(String, String)], _ edit: (inout HeaderEditSettings) -> Void
    ) throws -> [String] {
        var head = request("GET", "/p", host: "h", fields)
        let connection = ConnectionFacts()
        connection.remoteIP = "10.0.0.1"
        var scratch = ByteText()
        let edits = try #require(HeaderEdits(settings(edit)))
        edits.apply(
            to: &head, facts: StreamFacts(), connection: connection, now: Instant(nanoseconds: 1), scratch: &scratch)
        let own = ASCII.string(head.authority)
        return (0..<head.headers.count).map { index in
            "\(ASCII.string(head.headers.name(at: index)).lowercased())=\(ASCII.string(head.headers.value(at: index)))"
        } + (own == "h" ? [] : ["authority=\(own)"])
    }

    @Test func fieldsAreRemovedThenSetThenAdded() throws {
        let result = try edited([("x-a", "1"), ("x-a", "2"), ("x-b", "3"), ("x-c", "4")]) {
            $0.remove = ["X-A"]
            $0.set = ["x-b": "new"]
            $0.add = ["x-a": ["5", "6"]]
        }
        #expect(result == ["host=h", "x-b=new", "x-c=4", "x-a=5", "x-a=6"])
    }

    @Test func valuesHoldVariables() throws {
        let result = try edited([("x-in", "v")]) {
            $0.set = ["x-out": "%REQ(x-in)%/%REQ(:PATH)%@%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"]
        }
        #expect(result == ["host=h", "x-in=v", "x-out=v//p@10.0.0.1"])
    }

    @Test func whatAClientSentDoesNotStayWhereTheValueIsEmpty() throws {
        let result = try edited([("x-user", "forged")]) {
            $0.set = ["x-user": "%REQ(x-checked-user)%"]
            $0.add = ["x-more": ["%REQ(x-none)%"]]
        }
        #expect(result == ["host=h"])
    }

    @Test func theHostIsSetAsAWhole() throws {
        #expect(try edited([]) { $0.set = ["host": "other:81"] } == ["host=other:81", "authority=other:81"])
        #expect(try edited([("x", "a b")]) { $0.set = ["host": "%REQ(x)%"] } == ["host=h", "x=a b"])
    }

    @Test func aResponseSeesItsRequestAndItself() throws {
        var response = ResponseHead()
        response.status = 404
        response.headers.add(.server, "up")
        var scratch = ByteText()
        let edits = try #require(
            HeaderEdits(settings { $0.set = ["x-of": "%REQ(:PATH)% %RESPONSE_CODE% %RESP(server)%", "server": "me"] }))
        edits.apply(
            to: &response, request: request("GET", "/p"), facts: StreamFacts(), connection: ConnectionFacts(),
            now: Instant(nanoseconds: 1), scratch: &scratch)
        let name = try #require(HeaderName("x-of"))
        #expect(response.headers[name] == "/p 404 me")
        #expect(response.headers[.server] == "me")
    }

    @Test(
        arguments: [
            (["x y": "1"], "set.x y"), (["content-length": "1"], "set.content-length"), (["x": "%NOPE%"], "set.x"),
            (["x": "a\nb"], "set.x"), (["Connection": "close"], "set.Connection"),
        ])
    func whatCannotBeSetIsRefusedAtItsKey(_ set: [String: String], _ key: String) {
        var check = SettingsCheck()
        settings { $0.set = set }.validate(&check)
        #expect(check.findings.map(\.key) == [key])
    }
}
