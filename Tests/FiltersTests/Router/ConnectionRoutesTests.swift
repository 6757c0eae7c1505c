import FilterAPI
import Testing

@testable import Filters

/// Routes that ask for the name of TLS, and for the client's certificate.
struct ConnectionRoutesTests {
    private typealias Value = Router.ValueSettings
    private typealias Certificate = Router.ClientCertificateSettings

    private static let hash = String(repeating: "0a", count: 32)

    private static func facts(_ peer: PeerCertificate?, serverName: String? = nil) -> ConnectionFacts {
        let facts = ConnectionFacts()
        facts.tls = TLSFacts(peer: peer)
        facts.serverName = serverName
        return facts
    }

    private let web = facts(
        PeerCertificate(
            subject: "CN=web,O=Example", uris: ["urn:x", "spiffe://a/web"], dnsNames: ["Web.Example.com", "b.test"],
            fingerprint: hash))

    private func table(_ edit: (inout Router.MatchSettings) -> Void) throws -> RouteTable {
        var match = Router.MatchSettings()
        edit(&match)
        #expect(!match.isEverything)
        return try RouteTable([match, Router.MatchSettings()])
    }

    private func value(_ edit: (inout Value) -> Void) -> Value {
        var value = Value()
        edit(&value)
        return value
    }

    private func certificate(_ edit: (inout Certificate) -> Void) throws -> RouteTable {
        var settings = Certificate()
        edit(&settings)
        return try table { $0.clientCertificate = settings }
    }

    @Test func theServerNameIsTested() throws {
        let named = Self.facts(nil, serverName: "api.example.com")
        let other = Self.facts(nil, serverName: "web.example.org")
        let tests: [(Value, named: Int, other: Int, none: Int)] = [
            (value { $0.exact = "API.example.com" }, 0, 1, 1), (value { $0.prefix = "Api." }, 0, 1, 1),
            (value { $0.suffix = ".ORG" }, 1, 0, 1), (value { $0.regex = "[a-z]+\\.example\\..*" }, 0, 0, 1),
            (value { $0.contains = "Example" }, 0, 0, 1), (value { $0.present = true }, 0, 0, 1),
            (value { $0.present = false }, 1, 1, 0),
            (
                value {
                    $0.exact = "api.example.com"
                    $0.invert = true
                }, 1, 0, 0
            ),
        ]
        for (test, one, two, none) in tests {
            let table = try table { $0.serverName = test }
            #expect(table.find(on: named) == one, "\(test)")
            #expect(table.find(on: other) == two, "\(test)")
            #expect(table.find(on: ConnectionFacts()) == none, "\(test)")
        }
    }

    @Test func thePresenceOfACertificateIsTested() throws {
        let shown = try certificate { $0.present = true }
        let missing = try certificate { $0.present = false }
        for facts in [Self.facts(nil), ConnectionFacts()] {
            #expect(shown.find(on: facts) == 1)
            #expect(missing.find(on: facts) == 0)
        }
        #expect(shown.find(on: web) == 0)
        #expect(missing.find(on: web) == 1)
    }

    @Test func whatACertificateSaysIsTestedAndOneOfItsNamesIsEnough() throws {
        let tests: [(Certificate, Int)] = [
            (with { $0.subject = value { $0.contains = "O=Example" } }, 0),
            (with { $0.subject = value { $0.exact = "CN=Web,O=Example" } }, 1),
            (with { $0.uri = value { $0.prefix = "spiffe://a/" } }, 0),
            (with { $0.uri = value { $0.exact = "urn:y" } }, 1),
            (with { $0.uri = value { $0.exact = "SPIFFE://a/web" } }, 1),
            (with { $0.dns = value { $0.suffix = ".EXAMPLE.com" } }, 0),
            (with { $0.dns = value { $0.exact = "b.test" } }, 0), (with { $0.dns = value { $0.exact = "test" } }, 1),
            (with { $0.dns = value { $0.regex = "web\\..*" } }, 0),
            (with { $0.fingerprint = value { $0.exact = Self.hash } }, 0),
            (
                with { $0.fingerprint = value { $0.exact = Array(repeating: "0A", count: 32).joined(separator: ":") } },
                0
            ),
            (with { $0.fingerprint = value { $0.exact = String(repeating: "0b", count: 32) } }, 1),
            (
                with {
                    $0.uri = value { $0.exact = "urn:x" }
                    $0.dns = value { $0.exact = "c.test" }
                }, 1
            ),
        ]
        for (test, expected) in tests {
            let table = try table { $0.clientCertificate = test }
            #expect(table.find(on: web) == expected, "\(test)")
        }
    }

    @Test func withoutACertificateNoTestOfItSucceedsNotEvenAnInvertedOne() throws {
        let inverted = value {
            $0.exact = "x"
            $0.invert = true
        }
        for edit: (inout Certificate) -> Void in [
            { $0.subject = inverted }, { $0.uri = inverted }, { $0.dns = inverted }, { $0.fingerprint = inverted },
        ] {
            let table = try certificate(edit)
            #expect(table.find(on: web) == 0)
            #expect(table.find(on: Self.facts(PeerCertificate())) == 0)
            #expect(table.find(on: Self.facts(nil)) == 1)
            #expect(table.find(on: ConnectionFacts()) == 1)
        }
        let none = try certificate {
            $0.uri = value {
                $0.prefix = "spiffe://a/"
                $0.invert = true
            }
        }
        #expect(none.find(on: web) == 1)
    }

    private func with(_ edit: (inout Certificate) -> Void) -> Certificate {
        var settings = Certificate()
        edit(&settings)
        return settings
    }

    @Test func whatCannotBeMeantIsRefusedAtItsKey() {
        let any = value { $0.exact = "a" }
        let cases: [(Certificate, [String])] = [
            (Certificate(), [""]), (with { $0.present = true }, []), (with { $0.uri = any }, []),
            (
                with {
                    $0.present = true
                    $0.uri = any
                }, []
            ),
            (
                with {
                    $0.present = false
                    $0.uri = any
                }, ["uri"]
            ),
            (with { $0.fingerprint = any }, ["fingerprint"]),
            (with { $0.fingerprint = value { $0.exact = Self.hash.uppercased() } }, []),
            (with { $0.fingerprint = value { $0.prefix = "0a" } }, []),
        ]
        for (settings, keys) in cases {
            var check = SettingsCheck()
            settings.validate(&check)
            #expect(check.findings.map(\.key) == keys, "\(settings)")
        }
        #expect(Certificate(shorthand: "true")?.present == true)
        #expect(Certificate(shorthand: "false")?.present == false)
        #expect(Certificate(shorthand: "yes") == nil)
    }
}
