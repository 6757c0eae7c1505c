import FilterAPI
import FilterTesting
import FuzzTargets
import Testing

@testable import Filters

/// The bank of hostile requests against the codecs alone: quick, and with every way of cutting. The wire tests play the
/// same rows against the whole proxy.
@Suite("The bank of requests")
struct RequestBankTests {
    /// The status that a fault becomes.
    private static func status(_ kind: Fault.Kind) -> Int {
        switch kind {
        case .badRequest: 400
        case .requestTimeout: 408
        case .bodyTooLarge: 413
        case .targetTooLong: 414
        case .expectationFailed: 417
        case .misdirected: 421
        case .headTooLarge: 431
        case .notImplemented: 501
        case .versionNotSupported: 505
        default: 0
        }
    }

    /// What came of a row: requests that were passed on to their end, and how it ended.
    private struct Outcome {
        var requests: [RecordedRequest]
        var hasUnfinished: Bool
        var fault: Fault?
        var isClosed: Bool
        var wantsUpgrade: Bool

        init(_ bytes: [UInt8]) {
            let bench = ServerBench(makeServer())
            bench.receive(bytes)
            requests = bench.requests.filter(\.isComplete)
            hasUnfinished = bench.requests.count > requests.count
            fault = bench.fault
            wantsUpgrade = bench.transcript.description.contains(" upgrade\n")
            isClosed = bench.isOver || bench.connection.wantsClose
        }
    }

    @Test("A request gets its verdict", arguments: BankRow.requests)
    func verdicts(row: BankRow) {
        let outcome = Outcome(row.bytes)
        let complaints = row.verdict.map { complaint($0, outcome) }
        #expect(complaints.contains(nil), "\(complaints)")
    }

    private func complaint(_ steps: [BankRow.Step], _ outcome: Outcome) -> String? {
        let forwards = steps.filter { $0.kind == "forward" }
        // Whether a route takes CONNECT, TRACE or an upgrade is not the codec's to say.
        guard let last = steps.last, last.kind != "local", !outcome.wantsUpgrade else { return nil }
        guard forwards.count == outcome.requests.count else {
            return "passed on \(outcome.requests.count), \(outcome.fault.map { "\($0.reason)" } ?? "no fault")"
        }
        for (step, request) in zip(forwards, outcome.requests) {
            for (name, value) in step.conditions {
                guard holds(name, value, request) else { return "\(name)=\(value) does not hold for \(request)" }
            }
        }
        let status = outcome.fault.map { Self.status($0.kind) }
        switch last.kind {
        case "forward":
            let closes = last.conditions.contains { $0.name == "close" }
            return outcome.fault == nil && outcome.isClosed == closes
                ? nil : "fault \(status ?? 0), close \(outcome.isClosed)"
        case "refuse", "drop":
            guard let status, last.statuses.contains(status) else { return "status \(status ?? 0)" }
            return outcome.hasUnfinished ? "a part was passed on" : nil
        case "cut": return status.map(last.statuses.contains) ?? false ? nil : "status \(status ?? 0)"
        default: return nil
        }
    }

    private func holds(_ name: String, _ value: String, _ request: RecordedRequest) -> Bool {
        let parts = value.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch name {
        case "method": return request.method == value
        case "target": return request.target == value
        case "host": return request.authority == value
        case "body": return printable(request.body) == value
        case "has":
            // What the codec adds itself is switched off here.
            if parts[0].hasPrefix("x-forwarded") { return true }
            let values = request.fields.filter { $0.name.lowercased() == parts[0].lowercased() }.map(\.value)
            return values.contains(parts[1])
        case "lacks": return request.values(value).isEmpty
        case "count": return request.values(parts[0]).count == Int(parts[1])
        case "trailer": return request.trailers.contains { $0.name.lowercased() == parts[0] && $0.value == parts[1] }
        case "notrailer": return !request.trailers.contains { $0.name.lowercased() == value }
        default: return true
        }
    }

    @Test("A request gets the same verdict however it is cut, also behind a good one", arguments: BankRow.requests)
    func cutting(row: BankRow) {
        let good = Array("GET /good HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        for bytes in [row.bytes, good + row.bytes, row.bytes + good] {
            var splitter = Splitter(bytes)
            splitter.cutLimit = bytes.count > 2000 ? 16 : bytes.count == row.bytes.count ? 256 : 32
            splitter.randomRuns = 8
            let codec = makeServer()
            let result = splitter.run { pieces in
                let bench = ServerBench(codec)
                for piece in pieces { bench.receive(piece) }
                bench.end()
                return bench.transcript.description
            }
            #expect(result.difference == nil)
        }
    }

    @Test("No beginning of a message that is passed on looks complete", arguments: BankRow.requests)
    func beginnings(row: BankRow) {
        guard
            row.verdict.allSatisfy({
                $0.count == 1 && $0[0].kind == "forward" && $0[0].conditions.allSatisfy { $0.name != "close" }
            }), row.bytes.count < 2000
        else { return }
        let codec = makeServer()
        for count in 0..<row.bytes.count {
            let bench = ServerBench(codec)
            bench.receive(Array(row.bytes[..<count]))
            bench.end()
            let complete = bench.requests.filter(\.isComplete).count
            #expect(complete == 0, "\(count)")
        }
    }

    @Test("What is written upstream is read there as what was passed on", arguments: BankRow.requests)
    func writtenAgain(row: BankRow) {
        let bench = ServerBench(makeServer())
        var written: [UInt8] = []
        bench.answer = { bench, stream in
            written += relayed(bench, through: makeClient())
            bench.respond(200, to: stream)
            bench.close(stream)
        }
        bench.receive(row.bytes)
        let passed = bench.requests.filter(\.isComplete)
        let upstream = ServerBench(makeServer { $0.maxRequestsPerConnection = 0 })
        upstream.receive(written)
        upstream.end()
        #expect(upstream.requests.count == passed.count)
        #expect(upstream.fault == nil, "\(printable(written))")
        for (there, here) in zip(upstream.requests, passed) {
            #expect(there.isComplete)
            #expect(there.method == here.method && there.target == here.target && there.body == here.body)
            #expect(there.trailers == here.trailers)
        }
    }
}
