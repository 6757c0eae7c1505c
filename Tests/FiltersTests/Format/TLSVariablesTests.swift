import FilterAPI
import Testing

@testable import Filters

/// Variables about the client's TLS, in logs and in fields.
struct TLSVariablesTests {
    private static let peer = PeerCertificate(
        subject: "CN=web,O=Example", issuer: "CN=ca", serialNumber: "0f", uris: ["spiffe://a/web", "urn:a,b"],
        dnsNames: ["a.test", "B.test"], ipAddresses: ["192.0.2.1", "2001:db8::1"], emailAddresses: ["a@b.test"],
        fingerprint: "ab12", notBefore: 1_709_210_096, notAfter: 253_402_300_799, pem: "-----A b+/=\n")

    private static let known = TLSFacts(
        version: .tls12, cipher: "ECDHE-RSA-AES128-GCM-SHA256", applicationProtocol: "http/1.1", isResumed: true,
        peer: peer, localURI: "spiffe://a/proxy", group: "x25519")

    /// Each variable with what it is on a connection with a certificate.
    static let variables = [
        ("DOWNSTREAM_TLS_VERSION", "TLSv1.2"), ("DOWNSTREAM_TLS_CIPHER", "ECDHE-RSA-AES128-GCM-SHA256"),
        ("DOWNSTREAM_TLS_RESUMED", "true"), ("DOWNSTREAM_TLS_GROUP", "x25519"),
        ("DOWNSTREAM_LOCAL_URI_SAN", "spiffe://a/proxy"), ("DOWNSTREAM_ALPN", "http/1.1"),
        ("DOWNSTREAM_PEER_SUBJECT", "CN=web,O=Example"), ("DOWNSTREAM_PEER_ISSUER", "CN=ca"),
        ("DOWNSTREAM_PEER_SERIAL", "0f"), ("DOWNSTREAM_PEER_URI_SAN", "spiffe://a/web,urn:a%2Cb"),
        ("DOWNSTREAM_PEER_DNS_SAN", "a.test,b.test"), ("DOWNSTREAM_PEER_IP_SAN", "192.0.2.1,2001:db8::1"),
        ("DOWNSTREAM_PEER_EMAIL_SAN", "a@b.test"), ("DOWNSTREAM_PEER_FINGERPRINT_256", "ab12"),
        ("DOWNSTREAM_PEER_CERT", "-----A%20b%2B%2F%3D%0A"),
        ("DOWNSTREAM_PEER_CERT_V_START", "2024-02-29T12:34:56.000Z"),
        ("DOWNSTREAM_PEER_CERT_V_END", "9999-12-31T23:59:59.000Z"),
        ("DOWNSTREAM_PEER_CERT_V_START(%b %e %H:%M:%S %Y %Z)", "Feb 29 12:34:56 2024 UTC"),
        ("DOWNSTREAM_PEER_CERT_V_END(%s)", "253402300799"),
    ]

    private func render(
        _ format: String, _ tls: TLSFacts?, serverName: String? = nil, upstream: ConnectionFacts? = nil,
        unset: StaticString = "-"
    ) throws -> String {
        let connection = ConnectionFacts()
        connection.tls = tls
        connection.serverName = serverName
        var facts = StreamFacts()
        facts.upstream = upstream
        var text = ByteText()
        try TextFormat.parse(format).render(
            into: &text, request: request("GET", "/"), facts: facts, connection: connection,
            at: FormatMoment(now: Instant(nanoseconds: 1)), unset: unset)
        return ASCII.string(text.bytes)
    }

    @Test(arguments: variables) func aVariableSaysWhatIsKnown(_ name: String, _ expected: String) throws {
        #expect(try render("[%\(name)%]", Self.known) == "[\(expected)]")
        #expect(try !TextFormat.parse("%\(name)%").needsWallClock)
    }

    @Test(arguments: variables) func whatIsNotKnownIsADash(_ name: String, _ expected: String) throws {
        #expect(try render("[%\(name)%]", nil) == "[-]")
        #expect(try render("[%\(name)%]", nil, unset: "") == "[]")
        guard name.contains("PEER") else { return }
        #expect(try render("[%\(name)%]", TLSFacts()) == "[-]")
    }

    @Test func withoutACertificateTheRestIsKnown() throws {
        let format = "%DOWNSTREAM_TLS_VERSION% %DOWNSTREAM_TLS_CIPHER% %DOWNSTREAM_TLS_RESUMED% %DOWNSTREAM_ALPN%"
        #expect(try render(format, TLSFacts()) == "TLSv1.3 - false -")
        #expect(try render("%DOWNSTREAM_PEER_DNS_SAN%", TLSFacts(peer: PeerCertificate())) == "-")
    }

    @Test func everyVariableOfTLSIsTried() {
        let tried = Set(Self.variables.map { String($0.0.prefix { $0 != "(" }) })
        let all = FormatVariable.names.filter {
            $0.hasPrefix("DOWNSTREAM_PEER") || $0.hasPrefix("DOWNSTREAM_TLS") || $0 == "DOWNSTREAM_ALPN"
                || $0 == "DOWNSTREAM_LOCAL_URI_SAN"
        }
        #expect(tried == Set(all))
        let upstream = FormatVariable.names.filter { $0.hasPrefix("UPSTREAM_PEER") || $0.hasPrefix("UPSTREAM_TLS") }
        #expect(tried.isSuperset(of: upstream.map { "DOWN" + $0.dropFirst(2) }))
    }

    @Test(arguments: variables) func theUpstreamsAreOfItsConnection(_ name: String, _ expected: String) throws {
        let other = "UP" + name.dropFirst(4)
        guard FormatVariable.names.contains(String(other.prefix { $0 != "(" })) else { return }
        let upstream = ConnectionFacts()
        #expect(try render("[%\(other)%]", Self.known) == "[-]")
        #expect(try render("[%\(other)%]", Self.known, upstream: upstream) == "[-]")
        upstream.tls = Self.known
        #expect(try render("[%\(other)%]", nil, upstream: upstream) == "[\(expected)]")
    }

    @Test(
        arguments: [
            (Int64.min, "0001-01-01T00:00:00"), (-1, "1969-12-31T23:59:59"), (-86_400, "1969-12-31T00:00:00"),
            (-631_152_000, "1950-01-01T00:00:00"), (-62_135_596_800, "0001-01-01T00:00:00"), (0, "1970-01-01T00:00:00"),
            (32_503_680_000, "3000-01-01T00:00:00"), (Int64.max, "9999-12-31T23:59:59"),
        ])
    func aCertificateMayBeOfAnyAge(_ seconds: Int64, _ expected: String) throws {
        let tls = TLSFacts(peer: PeerCertificate(notBefore: seconds, notAfter: seconds))
        #expect(try render("%DOWNSTREAM_PEER_CERT_V_START(%FT%T)%", tls) == expected)
        #expect(try render("%DOWNSTREAM_PEER_CERT_V_END(%Y)%", tls) == expected.prefix(4))
    }

    @Test func daysOfTheWeekBefore1970() throws {
        for (seconds, day) in [(Int64(-1), "Wed"), (-86_401, "Tue"), (-7 * 86_400, "Thu"), (0, "Thu")] {
            let tls = TLSFacts(peer: PeerCertificate(notBefore: seconds))
            #expect(try render("%DOWNSTREAM_PEER_CERT_V_START(%a)%", tls) == day)
        }
    }

    // MARK: What others have chosen

    private static let hostile = "x\"\r\nX-Admin: 1\u{0}\u{1B}[2Jü\\"

    private static let hostileTLS = TLSFacts(
        cipher: hostile, applicationProtocol: hostile,
        peer: PeerCertificate(
            subject: hostile, issuer: hostile, serialNumber: hostile, uris: [hostile], dnsNames: [hostile],
            ipAddresses: [hostile], emailAddresses: [hostile], fingerprint: hostile, pem: hostile),
        localURI: hostile, group: hostile)

    @Test(arguments: variables.map(\.0) + ["REQUESTED_SERVER_NAME"])
    func whatIsChosenByOthersStaysOneWordOfPrintableText(_ name: String) throws {
        let text = try render("%\(name)%", Self.hostileTLS, serverName: Self.hostile)
        #expect(!text.isEmpty)
        #expect(text.utf8.allSatisfy { $0 >= 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\"") }, "\(text)")
    }

    @Test func aNameInAFieldCannotBreakOutOfItNorLeaveAForgedOne() throws {
        var settings = HeaderEditSettings()
        settings.set = ["x-subject": "%DOWNSTREAM_PEER_SUBJECT%", "x-sni": "%REQUESTED_SERVER_NAME%"]
        let edits = try #require(HeaderEdits(settings))
        let (subject, name) = (try #require(HeaderName("x-subject")), try #require(HeaderName("x-sni")))
        for (tls, expected) in [
            (Self.hostileTLS, "x\\22\\0D\\0AX-Admin: 1\\00\\1B[2J\\C3\\BC\\5C"), (TLSFacts(), nil), (nil, nil),
        ] {
            var head = request("GET", "/", [("x-subject", "CN=forged"), ("x-sni", "forged")])
            let connection = ConnectionFacts()
            connection.tls = tls
            connection.serverName = tls?.peer == nil ? nil : "a\r\nb"
            var scratch = ByteText()
            edits.apply(
                to: &head, facts: StreamFacts(), connection: connection, now: Instant(nanoseconds: 1),
                scratch: &scratch)
            #expect(head.headers[subject] == expected)
            #expect(head.headers[name] == (tls?.peer == nil ? nil : "a%0D%0Ab"))
            #expect(head.headers.refusedEdits == 0)
        }
    }
}
