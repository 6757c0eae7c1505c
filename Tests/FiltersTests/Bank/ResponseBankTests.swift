import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The bank of responses")
struct ResponseBankTests {
    private func answer(_ row: BankRow, _ pieces: [[UInt8]], method: String? = nil) -> ClientBench<HTTP1ClientCodec> {
        let bench = ClientBench(makeClient())
        bench.request(.fake(method ?? row.method))
        for piece in pieces { bench.receive(piece) }
        if row.then != "keep" { bench.end() }
        return bench
    }

    @Test("A response gets its verdict", arguments: BankRow.responses)
    func verdicts(row: BankRow) {
        let bench = answer(row, [row.bytes])
        let complaints = row.verdict.map { complaint($0[0], bench, row) }
        #expect(complaints.contains(nil), "\(complaints): \(bench.transcript)")
    }

    private func complaint(_ step: BankRow.Step, _ bench: ClientBench<HTTP1ClientCodec>, _ row: BankRow) -> String? {
        let lines = bench.transcript.description.split(separator: "\n")
        let status = lines.first { $0.hasPrefix("response ") }.flatMap { Int($0.split(separator: " ")[1]) }
        let isComplete = lines.contains("end")
        if step.kind == "abort" { return isComplete ? "complete" : nil }
        guard isComplete else {
            return step.statuses.contains { $0 == 502 || $0 == 503 } ? nil : "not complete"
        }
        guard let status, step.statuses.contains(status) else { return "status \(status ?? 0)" }
        let isPooled = bench.isReusable && bench.unread == 0 && row.then == "keep"
        for (name, value) in step.conditions {
            let holds =
                switch name {
                case "body": lines.contains(value.isEmpty ? "end" : "body " + value[...])
                case "pooled": isPooled
                case "unpooled": !isPooled
                case "lacks", "notrailer": !lines.contains { $0.lowercased().hasPrefix("  " + value + ":") }
                case "has", "trailer": lines.contains { $0.lowercased() == "  " + value.replacing(":", with: ": ") }
                default: true
                }
            guard holds else { return "\(name)=\(value)" }
        }
        return nil
    }

    @Test("A response gets the same verdict however it is cut, and for HEAD", arguments: BankRow.responses)
    func cutting(row: BankRow) {
        for method in [row.method, "HEAD", "CONNECT"] {
            var splitter = Splitter(row.bytes)
            splitter.cutLimit = row.bytes.count > 2000 ? 16 : 128
            splitter.randomRuns = 8
            let result = splitter.run { pieces in
                let bench = answer(row, pieces, method: method)
                return "\(bench.transcript)\n\(bench.isReusable) \(bench.unread > 0)"
            }
            #expect(result.difference == nil)
        }
    }
}
