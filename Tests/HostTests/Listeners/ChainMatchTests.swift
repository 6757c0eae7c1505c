import Engine
import Filters
import Testing

@testable import Host

@Suite("Which client gets which chain") struct ChainMatchTests {
    private func settings(_ change: (inout ChainMatchSettings) -> Void) -> ChainMatchSettings {
        var settings = ChainMatchSettings()
        change(&settings)
        return settings
    }

    private func match(_ change: (inout ChainMatchSettings) -> Void) -> ChainMatch { ChainMatch(settings(change)) }

    @Test(
        "names are matched exactly, or all below one",
        arguments: [
            ("api.example.com", "api.example.com", true), ("API.example.com.", "api.example.com", true),
            ("api.example.com", "b.example.com", false), ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", true), ("*.example.com", "example.com", false),
            ("*.example.com", "aexample.com", false), ("example.com", "a.example.com", false),
        ])
    func names(pattern: String, name: String, expected: Bool) throws {
        #expect(try #require(ServerNamePattern(pattern)).matches(name) == expected)
        #expect(match { $0.serverNames = ["other.test", pattern] }.holds(ClientHello(serverName: name)) == expected)
    }

    @Test("what is no host name is no pattern", arguments: ["*", "", "a.*", "*a.b", "*.", "10.0.0.1", "a b", "a:443"])
    func noPatterns(text: String) { #expect(ServerNamePattern(text) == nil) }

    @Test("who names no server, or speaks no TLS, is not matched by names") func noName() {
        let named = match { $0.serverNames = ["a.test"] }
        #expect(!named.holds(ClientHello()) && !named.holds(nil))
        let offers = match { $0.applicationProtocols = ["h2"] }
        #expect(!offers.holds(ClientHello()) && !offers.holds(nil))
        #expect(offers.holds(ClientHello(applicationProtocols: ["http/1.1", "h2"])))
    }

    @Test("TLS or not") func tls() {
        let yes = match { $0.tls = true }
        let no = match { $0.tls = false }
        #expect(yes.holds(ClientHello()) && !yes.holds(nil))
        #expect(!no.holds(ClientHello()) && no.holds(nil))
        #expect(match { _ in }.holds(nil) && match { _ in }.matchesAll)
    }

    @Test(
        "ranges of addresses",
        arguments: [
            ("10.0.0.0/8", "10.255.1.2:1", true), ("10.0.0.0/8", "11.0.0.0:1", false), ("0.0.0.0/0", "9.9.9.9:1", true),
            ("0.0.0.0/0", "[::1]:1", false), ("127.0.0.1", "127.0.0.1:1", true), ("127.0.0.1", "127.0.0.2:1", false),
            ("2001:db8::/32", "[2001:db8:ffff::1]:1", true), ("2001:db8::/32", "[2001:db9::]:1", false),
            ("::1", "[::1]:1", true), ("::/0", "127.0.0.1:1", false), ("::/0", "[fe80::1]:1", true),
            ("10.0.0.0/8", "[::ffff:10.1.1.1]:1", true), ("2001:db8::/65", "[2001:db8::8000:0:0:1]:1", false),
            ("0.0.0.0/0", "unix:/x", false), ("192.0.2.4/30", "192.0.2.7:1", true),
            ("192.0.2.4/30", "192.0.2.8:1", false),
        ])
    func ranges(range: String, address: String, expected: Bool) throws {
        let address = try SocketAddress.parse(address)
        #expect(try AddressRange(range).contains(address) == expected)
        let other = try SocketAddress.parse("198.51.100.1:9")
        #expect(match { $0.sources = [range] }.holds(peer: address, local: other) == expected)
        #expect(match { $0.destinations = [range] }.holds(peer: other, local: address) == expected)
    }

    @Test(
        "what is no range is refused",
        arguments: [
            "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.1/8", "::1/64", "::/129",
            "host",
            "10.0.0", "::ffff:10.0.0.0/104", "fe80::1%1", "[::1]", "10.0.0.0/8/8",
        ])
    func noRanges(text: String) { #expect(throws: AddressError.self) { try AddressRange(text) } }

    @Test("all keys must hold, and of a list one element") func together() throws {
        let both = match {
            $0.sources = ["10.0.0.0/8", "192.0.2.1"]
            $0.destinationPorts = [443, 8443]
        }
        func holds(_ peer: String, _ local: String) throws -> Bool {
            try both.holds(peer: SocketAddress.parse(peer), local: SocketAddress.parse(local))
        }
        #expect(try holds("10.0.0.1:5", "127.0.0.1:443") && holds("192.0.2.1:5", "127.0.0.1:8443"))
        #expect(try !holds("10.0.0.1:5", "127.0.0.1:80") && !holds("11.0.0.1:5", "127.0.0.1:443"))
        #expect(try !holds("10.0.0.1:5", "unix:/x"))
    }

    @Test("a match covers another one where that is plain") func covers() {
        let below = match { $0.serverNames = ["*.a.test"] }
        let one = match { $0.serverNames = ["b.a.test"] }
        let anyTLS = match { $0.tls = true }
        let near = match {
            $0.sources = ["10.1.0.0/16"]
            $0.tls = false
        }
        let far = match { $0.sources = ["10.0.0.0/8"] }
        #expect(below.covers(one) && below.covers(below) && anyTLS.covers(below) && far.covers(near))
        #expect(!one.covers(below) && !below.covers(anyTLS) && !near.covers(far) && !far.covers(one))
        #expect(below.covers(match { $0.serverNames = ["*.b.a.test"] }))
        #expect(!below.covers(match { $0.serverNames = ["a.test"] }))
    }
}
