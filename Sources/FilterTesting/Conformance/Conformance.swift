public import FilterAPI

/// What every filter must do, whatever it is for: the rules of the contract, as tests.
///
/// ```swift
/// @Test("keeps the rules of filters")
/// func conformance() {
///     #expect(Conformance.findings(MyFilter.self, .init(config: "{ key: secret }")) == [])
/// }
/// ```
///
/// The filter is made from its settings on a fake worker. Then it is shown every order of events that a host can
/// produce; each stream is also cut off after each event, replayed from above, and cut into pieces in other ways. See
/// ``ConformanceCheck`` for what is looked at.
public enum Conformance {
    /// Tries an HTTP filter or an HTTP terminal.
    ///
    /// - Returns: what is wrong, each thing once; empty where all is well.
    public static func findings<F: HTTPEvents>(
        _ type: F.Type, _ options: ConformanceOptions = ConformanceOptions()
    ) -> [Finding] {
        let report = ConformanceReport(skips: options.skips)
        checkManifest(type.manifest, report)
        checkInterest(type, report)
        if let bench = TrialBench(type, options, report) { HTTPTrial(bench).run() }
        return report.findings
    }

    /// Tries a byte filter or a byte terminal.
    ///
    /// - Returns: what is wrong, each thing once; empty where all is well.
    public static func findings<F: ByteEvents>(
        _ type: F.Type, _ options: ConformanceOptions = ConformanceOptions()
    ) -> [Finding] {
        let report = ConformanceReport(skips: options.skips)
        checkManifest(type.manifest, report)
        checkInterest(type, report)
        for side in options.sides {
            if let bench = TrialBench(type, options, report, side: side) { ByteTrial(bench).run() }
        }
        return report.findings
    }

    /// Tries a codec towards clients: whatever it is sent, it says the same however the bytes are cut.
    ///
    /// - Returns: what is wrong, each thing once; empty where all is well.
    public static func findings<C: ServerCodec>(
        codec type: C.Type, _ options: ConformanceOptions = ConformanceOptions()
    ) -> [Finding] {
        let report = ConformanceReport(skips: options.skips)
        checkManifest(type.manifest, report)
        guard let bench = TrialBench(type, options, report) else { return report.findings }
        for input in options.input.isEmpty ? CodecInput.requests : options.input {
            report.compare(input) { pieces in
                let connection = ServerBench(bench.filter)
                for piece in pieces { connection.receive(piece) }
                connection.end()
                return stable(connection.transcript.description + "\n" + connection.takeOutput(), options)
            }
        }
        bench.checkStatistics()
        return report.findings
    }

    /// Tries a codec towards upstreams likewise; a `GET` without a body has been sent.
    ///
    /// - Returns: what is wrong, each thing once; empty where all is well.
    public static func findings<C: ClientCodec>(
        codec type: C.Type, _ options: ConformanceOptions = ConformanceOptions()
    ) -> [Finding] {
        let report = ConformanceReport(skips: options.skips)
        checkManifest(type.manifest, report)
        guard let bench = TrialBench(type, options, report, side: .upstream) else { return report.findings }
        for input in options.input.isEmpty ? CodecInput.responses : options.input {
            report.compare(input) { pieces in
                let connection = ClientBench(bench.filter)
                connection.request(.fake())
                for piece in pieces { connection.receive(piece) }
                connection.end()
                return stable(connection.transcript.description, options)
            }
        }
        bench.checkStatistics()
        return report.findings
    }

    /// A transcript without what is another each time.
    private static func stable(_ text: String, _ options: ConformanceOptions) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false).filter { line in
            let name = line.drop { $0 == " " }.prefix { $0 != ":" }
            return !options.variableFields.contains(name.lowercased())
        }.joined(separator: "\n")
    }
}

/// Messages of HTTP/1, good and bad.
enum CodecInput {
    static let requests = [
        "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a.test\r\nContent-Length: 5\r\n\r\nhelloGET /2 HTTP/1.1\r\nHost: a.test\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: a.test\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-T: 1\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n", "POST / HTTP/1.1\r\nHost: a.test\r\nContent-Length: 9\r\n\r\nhel",
    ].map { Array($0.utf8) }

    static let responses = [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhel", "nonsense\r\n\r\n",
    ].map { Array($0.utf8) }
}
