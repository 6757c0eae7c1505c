import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("What a request tells the next server about the client's certificate")
struct ForwardedClientCertTests {
    typealias Mode = HTTP1ServerCodec.ClientCertMode
    typealias Detail = HTTP1ServerCodec.ClientCertDetail

    /// How a client comes.
    enum Client: CaseIterable { case plain, tls, certificate }

    private static let peer = PeerCertificate(
        subject: "CN=web,O=Example", uris: ["spiffe://a.test/web", "urn:web"], dnsNames: ["Web.a.test", "b.test"],
        fingerprint: "ab12", pem: "-----BEGIN A-----\nx+/=\n-----END A-----\n", chainPEM: "one\ntwo\n")

    private static func tls(_ peer: PeerCertificate?, localURI: String? = nil) -> TLSFacts {
        TLSFacts(peer: peer, localURI: localURI)
    }

    /// The values of the field that the next server is given.
    private func forwarded(
        _ mode: Mode, _ details: [Detail] = [], tls: TLSFacts?, sent: [String] = [], hops: Int = 0
    ) -> [String] {
        let connection = FakeConnection()
        connection.comesFrom("192.0.2.7", tls: tls)
        let codec = makeServer { settings in
            settings.trustedHops = hops
            settings.forwardedClientCert.mode = mode
            settings.forwardedClientCert.details = details
        }
        let bench = ServerBench(codec, on: connection)
        let lines = sent.map { "X-Forwarded-Client-Cert: \($0)\r\n" }.joined()
        bench.receive("GET / HTTP/1.1\r\nHost: a\r\n\(lines)\r\n")
        #expect(bench.requests.count == 1)
        let values = bench.requests.first?.values("x-forwarded-client-cert") ?? []
        // Records show each backslash as two.
        return values.map { $0.replacing(#"\\"#, with: #"\"#) }
    }

    /// What is said of a certificate.
    private func said(of peer: PeerCertificate, _ details: [Detail], localURI: String? = nil) -> String {
        let values = forwarded(.sanitizeSet, details, tls: Self.tls(peer, localURI: localURI))
        #expect(values.count == 1)
        return values.first ?? ""
    }

    @Test("It is taken out unless set otherwise") func defaults() {
        #expect(HTTP1ServerCodec.Settings().forwardedClientCert.mode == .sanitize)
    }

    @Test(
        "Who may say it depends on the mode, on whether the client has shown a certificate, and on nothing else",
        arguments: Mode.allCases, Client.allCases)
    func modes(_ mode: Mode, _ client: Client) {
        let tls: TLSFacts? =
            switch client {
            case .plain: nil
            case .tls: Self.tls(nil)
            case .certificate: Self.tls(Self.peer)
            }
        let isShown = client == .certificate
        let ours = "Hash=ab12"
        let (without, with): ([String], [String]) =
            switch mode {
            case .sanitize: ([], [])
            case .forwardOnly: ([], isShown ? ["Hash=f", "Hash=g"] : [])
            case .appendForward: isShown ? ([ours], ["Hash=f, Hash=g, " + ours]) : ([], [])
            case .sanitizeSet: isShown ? ([ours], [ours]) : ([], [])
            case .alwaysForwardOnly: ([], ["Hash=f", "Hash=g"])
            }
        for hops in [0, 1] {
            #expect(forwarded(mode, tls: tls, hops: hops) == without)
            #expect(forwarded(mode, tls: tls, sent: ["Hash=f", "Hash=g"], hops: hops) == with)
        }
    }

    @Test("It says what is asked for, in one order") func details() {
        let own = "spiffe://a.test/edge"
        #expect(said(of: Self.peer, [], localURI: own) == "By=spiffe://a.test/edge;Hash=ab12")
        #expect(
            said(of: Self.peer, [.dns, .uri, .subject], localURI: own)
                == "By=spiffe://a.test/edge;Hash=ab12;Subject=\"CN=web,O=Example\";URI=spiffe://a.test/web;URI=urn:web"
                + ";DNS=web.a.test;DNS=b.test")
        #expect(
            said(of: Self.peer, [.chain, .cert])
                == "Hash=ab12;Cert=\"-----BEGIN%20A-----%0Ax%2B%2F%3D%0A-----END%20A-----%0A\";Chain=\"one%0Atwo%0A\"")
        #expect(said(of: PeerCertificate(), [.subject, .uri, .dns]) == "Hash=;Subject=\"\";URI=")
    }

    @Test(
        "A subject stays inside its quotes, whoever reads it",
        arguments: [
            (#"CN=a,O=b;c"#, #"CN=a,O=b;c"#), (#"CN=a\"b"#, #"CN=a\22b"#), (#"CN=a"b"#, #"CN=a\22b"#),
            (#"CN=a\\"#, #"CN=a\5C"#), (#"CN=a\"#, #"CN=a\5C"#), (#"CN=a\\\""#, #"CN=a\5C\22"#),
            (#"CN=a\,b\ "#, #"CN=a\,b\ "#), (#"CN=a\0Ab"#, #"CN=a\0Ab"#), ("CN=a\r\nB: c", #"CN=a\0D\0AB: c"#),
            ("CN=a\\\nb", #"CN=a\0Ab"#), ("CN=ü", #"CN=\C3\BC"#), ("CN=\\ü", #"CN=\C3\BC"#),
            ("CN=\u{0}\u{7F}", #"CN=\00\7F"#),
            (#"CN=x";Hash=ff,By=y;Subject="z"#, #"CN=x\22;Hash=ff,By=y;Subject=\22z"#),
        ])
    func hostileSubjects(_ subject: String, _ expected: String) {
        #expect(said(of: PeerCertificate(subject: subject), [.subject]) == "Hash=;Subject=\"\(expected)\"")
    }

    @Test(
        "A name with what parts values has quotes, and what no name may hold is encoded",
        arguments: [
            ("urn:a", "urn:a"), ("urn:a,b", #""urn:a,b""#), ("urn:a;DNS=b", #""urn:a;DNS=b""#),
            ("urn:a?b=c", #""urn:a?b=c""#), (#"urn:a"b"#, "urn:a%22b"), (#"urn:a",By=c\"#, #""urn:a%22,By=c%5C""#),
            ("urn:a\r\nb c", "urn:a%0D%0Ab%20c"), ("urn:ü", "urn:%C3%BC"), ("urn:%22", "urn:%22"), ("", ""),
        ])
    func hostileNames(_ name: String, _ expected: String) {
        let peer = PeerCertificate(uris: [name], dnsNames: [name])
        let dns = expected.replacing("DNS=b", with: "dns=b").replacing(",By", with: ",by")
        #expect(
            said(of: peer, [.uri, .dns], localURI: name) == "By=\(expected);Hash=;URI=\(expected);DNS=\(dns)")
    }

    @Test(
        "What a client leaves open is not what our words are put behind",
        arguments: [
            (#"Hash=f;Subject="a\"b""#, true), (#"Hash=f;Subject="a","#, true), ("", true),
            (#"Hash=f;Subject="a"#, false),
            (#"""#, false), (#"Hash=f;Subject="a\""#, false), (#"Hash=f;Subject="a\\""#, false),
            (#"Hash=f\"a"#, false), (#"Hash=f\"#, false), (#"Subject="a\\\"b""#, false),
        ])
    func openQuotes(_ sent: String, _ isKept: Bool) {
        let values = forwarded(.appendForward, tls: Self.tls(Self.peer), sent: ["Hash=e", sent])
        let expected = sent.isEmpty ? "Hash=e, Hash=ab12" : isKept ? "Hash=e, \(sent), Hash=ab12" : "Hash=ab12"
        #expect(values == [expected])
    }

    @Test("Each request of a connection says the same") func again() {
        let connection = FakeConnection()
        connection.comesFrom("192.0.2.7", tls: Self.tls(Self.peer))
        let bench = ServerBench(makeServer { $0.forwardedClientCert.mode = .sanitizeSet }, on: connection)
        for _ in 0..<3 { bench.receive("GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-Client-Cert: x\r\n\r\n") }
        #expect(
            bench.requests.map { $0.values("x-forwarded-client-cert") } == [
                ["Hash=ab12"], ["Hash=ab12"], ["Hash=ab12"],
            ])
    }

    @Test("Connection cannot take it out") func connectionCannotRemove() {
        let connection = FakeConnection()
        connection.comesFrom("192.0.2.7", tls: Self.tls(Self.peer))
        let bench = ServerBench(makeServer { $0.forwardedClientCert.mode = .sanitizeSet }, on: connection)
        bench.receive("GET / HTTP/1.1\r\nHost: a\r\nConnection: x-forwarded-client-cert\r\n\r\n")
        #expect(bench.requests.first?.values("x-forwarded-client-cert") == ["Hash=ab12"])
    }

    @Test("The short form is a mode; details without a place are refused") func settings() {
        #expect(HTTP1ServerCodec.ClientCertSettings(shorthand: "append_forward")?.mode == .appendForward)
        #expect(HTTP1ServerCodec.ClientCertSettings(shorthand: "appendForward") == nil)
        for mode in Mode.allCases {
            var settings = HTTP1ServerCodec.ClientCertSettings()
            settings.mode = mode
            settings.details = [.uri]
            var check = SettingsCheck()
            settings.validate(&check)
            let isGood = mode == .appendForward || mode == .sanitizeSet
            #expect(check.findings.map(\.key) == (isGood ? [] : ["details"]), "\(mode)")
        }
    }
}
