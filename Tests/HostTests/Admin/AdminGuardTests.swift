import FilterAPI
import Testing

@testable import Host

@Suite("Who may ask the admin interface") struct AdminGuardTests {
    private let watchman = AdminGuard(hosts: ["Admin.example.org"], token: "0123456789abcdef")

    private func status(
        _ fields: [(String, String)] = [], host: String = "localhost", isChange: Bool = false, unix: Bool = false,
        by watchman: AdminGuard? = nil
    ) -> Int {
        var head = RequestHead()
        head.setAuthority(host)
        for (name, value) in fields { if let name = HeaderName(name) { head.headers.add(name, value) } }
        let facts = ConnectionFacts()
        facts.localAddress = unix ? "unix:/run/admin.sock" : "127.0.0.1:9901"
        return (watchman ?? self.watchman).refusal(of: head, on: facts, isChange: isChange)?.status ?? 200
    }

    @Test("Addresses, localhost and the names of the config are good") func goodNames() {
        for host in [
            "localhost", "LOCALHOST:1", "a.localhost", "127.0.0.1", "0.0.0.0:80", "255.255.255.255", "[::1]",
            "[fe80::1]:9901", "admin.example.org", "ADMIN.EXAMPLE.ORG:9901",
        ] { #expect(status(host: host) == 200, "\(host)") }
    }

    @Test("Other names are not, whatever they look like") func badNames() {
        for host in [
            "", "evil.example", "localhost.evil.example", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4.evil.example",
            "xlocalhost", "admin.example.org.evil.example", "0x7f.1", "2130706433",
        ] { #expect(status(host: host) == 403, "\(host)") }
        #expect(status(host: "evil.example", unix: true) == 200, "a Unix socket has no name to be called by")
    }

    @Test("Changes need the whole token") func tokens() {
        for (field, wanted) in [
            ("Bearer 0123456789abcdef", 200), ("bearer 0123456789abcdef", 200), ("BEARER 0123456789abcdef", 200),
            ("Bearer 0123456789abcdeg", 401), ("Bearer 0123456789abcde", 401), ("Bearer 0123456789abcdef0", 401),
            ("Bearer ", 401), ("Bearer", 401), ("0123456789abcdef", 401), ("Basic 0123456789abcdef", 401),
            ("Bearer  0123456789abcdef", 401),
        ] { #expect(status([("authorization", field)], isChange: true) == wanted, "\(field)") }
        #expect(status(isChange: true) == 401)
        #expect(status(isChange: true, unix: true) == 200)
    }

    @Test("Without a token only a Unix socket allows changes") func noToken() {
        let closed = AdminGuard(hosts: [], token: nil)
        #expect(status([("authorization", "Bearer ")], isChange: true, by: closed) == 403)
        #expect(status(isChange: true, unix: true, by: closed) == 200)
        #expect(status(by: closed) == 200)
    }

    @Test("Pages of other sites get nothing, not even over a Unix socket") func otherSites() {
        for (name, value, wanted) in [
            ("origin", "http://localhost", 200), ("origin", "https://localhost", 200),
            ("origin", "http://localhost:80", 403), ("origin", "null", 403), ("origin", "http://evil.example", 403),
            ("sec-fetch-site", "same-origin", 200), ("sec-fetch-site", "none", 200),
            ("sec-fetch-site", "cross-site", 403),
        ] {
            #expect(status([(name, value)]) == wanted, "\(name): \(value)")
            #expect(status([(name, value)], unix: true) == wanted, "\(name): \(value)")
        }
    }

    @Test("What refuses a name cannot be made to say something else") func printable() {
        var head = RequestHead()
        head.setAuthority("<script>\u{7}" + String(repeating: "x", count: 500))
        let facts = ConnectionFacts()
        guard case .text(let body) = watchman.refusal(of: head, on: facts, isChange: false)?.body else {
            Issue.record("it is not refused")
            return
        }
        #expect(body.utf8.count < 250 && body.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F || $0 == 0x0A })
    }
}
