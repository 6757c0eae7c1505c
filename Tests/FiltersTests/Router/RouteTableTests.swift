import FilterAPI
import Testing

@testable import Filters

struct RouteTableTests {
    private typealias Match = Router.MatchSettings

    private func match(
        host: [String] = [], path: String? = nil, prefix: String? = nil, regex: String? = nil, methods: [String] = [],
        headers: [String: Router.ValueSettings] = [:], query: [String: Router.ValueSettings] = [:]
    ) -> Match {
        var match = Match()
        match.host = host
        match.path = path
        match.prefix = prefix
        match.regex = regex
        match.methods = methods
        match.headers = headers
        match.query = query
        return match
    }

    private func value(_ edit: (inout Router.ValueSettings) -> Void) -> Router.ValueSettings {
        var value = Router.ValueSettings()
        edit(&value)
        return value
    }

    @Test func aPathIsExactAPrefixIsTextAndTheFirstRouteWins() throws {
        let table = try RouteTable([
            match(path: "/v1"), match(prefix: "/v1/"), match(prefix: "/v1"), match(prefix: "/v"), match(),
        ])
        #expect(table.find("/v1") == 0)
        #expect(table.find("/v1?a=/v1/x") == 0)
        #expect(table.find("/v1/x") == 1)
        #expect(table.find("/v10") == 2)
        #expect(table.find("/v2") == 3)
        #expect(table.find("/") == 4)
    }

    @Test func aLongerPrefixDoesNotWinOverAnEarlierOne() throws {
        let table = try RouteTable([match(prefix: "/a"), match(prefix: "/abc"), match(path: "/abcd")])
        #expect(table.find("/abcd") == 0)
        #expect(table.find("/b") == -1)
    }

    @Test func hostsMatchByNameBySuffixAndAll() throws {
        let table = try RouteTable([
            match(host: ["api.example.com"]), match(host: ["*.example.com", "[::1]"]), match(host: ["*.com"]),
            match(host: ["*"], path: "/all"),
        ])
        #expect(table.find("/", host: "api.example.com") == 0)
        #expect(table.find("/", host: "API.Example.COM:8080") == 0)
        #expect(table.find("/", host: "api.example.com.") == 0)
        #expect(table.find("/", host: "x.y.example.com") == 1)
        #expect(table.find("/", host: "[::1]:80") == 1)
        #expect(table.find("/", host: "example.com") == 2)
        #expect(table.find("/", host: ".example.com") == 2)
        #expect(table.find("/", host: "xexample.org") == -1)
        #expect(table.find("/all", host: "com") == 3)
        #expect(table.find("/all", host: "") == 3)
    }

    @Test func theOrderOfTheFileCountsAcrossHostPatterns() throws {
        let table = try RouteTable([match(prefix: "/x"), match(host: ["a.b"]), match(host: ["*.b"], prefix: "/")])
        #expect(table.find("/x", host: "a.b") == 0)
        #expect(table.find("/y", host: "a.b") == 1)
        #expect(table.find("/y", host: "c.b") == 2)
    }

    @Test func aRouteThatAsksForMoreLeavesTheRequestToTheNext() throws {
        let table = try RouteTable([
            match(path: "/x", methods: ["POST", "PURGE"]),
            match(path: "/x", headers: ["X-Version": value { $0.exact = "2" }]),
            match(prefix: "/", query: ["debug": value { $0.exact = "1" }]), match(prefix: "/x"),
        ])
        #expect(table.find("POST", "/x") == 0)
        #expect(table.find("PURGE", "/x") == 0)
        #expect(table.find("PUT", "/x") == 3)
        #expect(table.find("TRACK", "/x") == 3)
        #expect(table.find("GET", "/x", [("x-version", "2")]) == 1)
        #expect(table.find("GET", "/x", [("x-version", "22")]) == 3)
        #expect(table.find("/x?a=b&debug=1") == 2)
        #expect(table.find("/y?debug=12") == -1)
    }

    @Test(
        arguments: [
            ("exact", "abc", ["abc"], ["ab", "abcd", "ABC", ""]),
            ("prefix", "ab", ["ab", "abc"], ["a", "xab", ""]),
            ("suffix", "bc", ["bc", "abc"], ["c", "bcx", ""]),
            ("contains", "b", ["b", "abc"], ["ac", ""]),
            ("regex", "a.*c", ["ac", "abc", "a\u{e9}c"], ["xac", "acx", ""]),
        ])
    func valuesAreTested(_ test: String, _ operand: String, _ good: [String], _ bad: [String]) throws {
        let setting = value {
            switch test {
            case "exact": $0.exact = operand
            case "prefix": $0.prefix = operand
            case "suffix": $0.suffix = operand
            case "contains": $0.contains = operand
            default: $0.regex = operand
            }
        }
        var inverted = setting
        inverted.invert = true
        let table = try RouteTable([match(headers: ["x-a": setting])])
        let opposite = try RouteTable([match(headers: ["x-a": inverted])])
        for text in good {
            #expect(table.find("GET", "/", [("x-a", text)]) == 0, "\(text)")
            #expect(opposite.find("GET", "/", [("x-a", text)]) == -1, "\(text)")
        }
        for text in bad {
            #expect(table.find("GET", "/", [("x-a", text)]) == -1, "\(text)")
            #expect(opposite.find("GET", "/", [("x-a", text)]) == 0, "\(text)")
        }
        #expect(table.find("/") == -1)
        #expect(opposite.find("/") == 0)
    }

    @Test func presenceAndAbsenceAreTested() throws {
        let present = try RouteTable([match(headers: ["x-a": value { $0.present = true }])])
        #expect(present.find("GET", "/", [("x-a", "")]) == 0)
        #expect(present.find("/") == -1)
        let absent = try RouteTable([match(headers: ["x-a": value { $0.present = false }])])
        #expect(absent.find("GET", "/", [("x-a", "1")]) == -1)
        #expect(absent.find("/") == 0)
    }

    @Test func severalFieldsWithOneNameAreOneValue() throws {
        let table = try RouteTable([match(headers: ["x-a": value { $0.exact = "1,2" }])])
        #expect(table.find("GET", "/", [("x-a", "1"), ("X-A", "2")]) == 0)
        #expect(table.find("GET", "/", [("x-a", "1")]) == -1)
    }

    @Test(
        arguments: [
            ("q=a%20b", true), ("q=a+b", true), ("%71=a b", true), ("x=1&q=a%20b&q=2", true), ("q=2&q=a+b", false),
            ("xq=a+b", false), ("q", false), ("q=a%2", false), ("", false), ("a+b", false),
        ])
    func parametersAreDecodedAndTheFirstCounts(_ query: String, _ isMatch: Bool) throws {
        let table = try RouteTable([match(query: ["q": value { $0.exact = "a b" }])])
        let target = "/?" + query.split(separator: " ").joined(separator: "%20")
        #expect(table.find(target) == (isMatch ? 0 : -1))
    }

    @Test func expressionsMatchTheWholePathInTheOrderOfTheFile() throws {
        let table = try RouteTable([
            match(regex: "/items/[0-9]+"), match(prefix: "/items"), match(regex: "/.*"), match(),
        ])
        #expect(table.find("/items/12?x=y") == 0)
        #expect(table.find("/items/12/x") == 1)
        #expect(table.find("/x/items/12") == 2)
        #expect(table.find("OPTIONS", "*") == 3)
    }

    @Test func whatHasNoPathMatchesRoutesThatDoNotAskForOne() throws {
        let table = try RouteTable([match(prefix: "/"), match(methods: ["CONNECT"])])
        #expect(table.find("CONNECT", "db:5432", host: "db:5432") == 1)
        #expect(table.find("OPTIONS", "*") == -1)
    }

    @Test func anExpressionThatCannotBeUsedIsNamed() {
        #expect(throws: RouteTable.Problem.self) { try RouteTable([match(), match(regex: "(")]) }
    }

    @Test func tenThousandRoutesAreAboutAsFastAsTen() throws {
        func time(_ count: Int) throws -> Duration {
            let routes = (0..<count).map { index in
                match(host: ["svc-\(index % 100).example.com"], prefix: "/api/v1/item-\(index)/")
            }
            let table = try RouteTable(routes)
            let heads = [0, count / 3, count - 1]
            let connection = ConnectionFacts()
            var best = Duration.seconds(1000)
            for _ in 0..<20 {
                let clock = ContinuousClock()
                let start = clock.now
                for index in heads {
                    let head = request("GET", "/api/v1/item-\(index)/x", host: "svc-\(index % 100).example.com")
                    for _ in 0..<200 where table.match(head, on: connection) != index { Issue.record("a wrong route") }
                }
                best = min(best, clock.now - start)
            }
            return best
        }
        let few = try time(10)
        let many = try time(10_000)
        #expect(many < few * 3, "\(few) for 10, \(many) for 10000")
    }
}
