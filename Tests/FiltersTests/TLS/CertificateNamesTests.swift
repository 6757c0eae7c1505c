import FilterAPI
import Testing

@testable import Filters

@Suite("Which certificate is good for which name") struct CertificateNamesTests {
    private let folder = TestFolder()

    /// The certificates for a name as a client asks for it: their places in the settings.
    private func finder(_ names: [String]) throws -> (String) -> [Int]? {
        let credentials = try names.enumerated().map { index, names in
            folder.write("\(index)", names.isEmpty ? TestPair.make("") : TestPair.make(names))
            var settings = TLS.CertificateSettings()
            settings.certificate = "\(folder.path)/\(index).crt"
            settings.key = "\(folder.path)/\(index).key"
            return try Credential(settings)
        }
        let known = CertificateNames(credentials)
        return { name in ServerName.normalized(name.utf8).flatMap { known.find($0) } }
    }

    @Test("a name exactly, a wildcard for exactly one label, and nothing else") func matching() throws {
        let find = try finder([
            "DNS:a.test", "DNS:*.wide.test", "DNS:B.Test,DNS:*.B.Test", "DNS:xn--bcher-kva.example",
            "DNS:*.xn--bcher-kva.example,DNS:x.wide.test", "",
        ])
        for (name, places) in [
            ("a.test", [0]), ("A.TEST", [0]), ("a.test.", [0]), ("aa.test", nil), ("x.a.test", nil), ("test", nil),
            ("y.wide.test", [1]), ("Y.Wide.Test.", [1]), ("wide.test", nil), ("a.b.wide.test", nil),
            (".wide.test", nil), ("*.wide.test", nil), ("ywide.test", nil), ("_y.wide.test", [1]),
            ("xn--bcher-kva.wide.test", [1]),
            // An exact name goes before a wildcard, wherever they stand.
            ("x.wide.test", [4]),
            ("b.test", [2]), ("any.b.test", [2]),
            ("XN--Bcher-KVA.example", [3]), ("www.xn--bcher-kva.example", [4]), ("bücher.example", nil),
            ("", nil), (".", nil), ("a.test..", nil), ("192.0.2.1", nil), ("pair", nil),
        ] as [(String, [Int]?)] {
            #expect(find(name) == places, "\(name)")
        }
    }

    @Test("several for one name are all found, in the order of the settings") func several() throws {
        let find = try finder(["DNS:a.test,DNS:b.test", "DNS:b.test", "DNS:*.w.test", "DNS:a.test,DNS:*.w.test"])
        #expect(find("a.test") == [0, 3])
        #expect(find("b.test") == [0, 1])
        #expect(find("x.w.test") == [2, 3])
    }

    @Test("patterns that no host has are good for nothing") func oddPatterns() throws {
        let find = try finder([
            "DNS:*", "DNS:*a.b.test", "DNS:a.*.test", "DNS:a*.c.test", "DNS:**.d.test", "IP:192.0.2.1",
        ])
        for name in ["x", "test", "xa.b.test", "a.b.test", "a.x.test", "ax.c.test", "x.d.test", "192.0.2.1"] {
            #expect(find(name) == nil, "\(name)")
        }
    }
}
