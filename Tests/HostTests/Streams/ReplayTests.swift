import Testing

@testable import Host

@Suite("Replay in a chain") struct ReplayTests {
    private func bench(_ again: String, isReachable: Bool = true) throws -> HostBench {
        // Abstract sockets are the machine's: each bench has its own.
        let name = "unix:@sluice-replay-\(UInt64.random(in: 0...(.max)))"
        return try HostBench(
            """
            listeners:
              front:
                bind: 127.0.0.1:0
                chain: [ http, again: { \(again) }, probe, router: { to: up } ]
              up: { bind: "\(name)", chain: [ http, origin ] }
            clusters:
              up: { endpoints: [ "\(isReachable ? name : "unix:@sluice-nobody")" ] }
            """, [Again.self, Probe.self, Origin.self])
    }

    private let get = "GET /flaky HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    @Test("An answer that is not wanted is dropped, and the client sees the second one only")
    func head() throws {
        let bench = try bench("")
        let answer = try bench.exchange("front", get)
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nyes:"))
        #expect(answer.components(of: "HTTP/1.1 ") == 1)
        // The stage below was closed and opened again; the last time for good.
        #expect(bench.count("probe.opened") == 2)
        #expect(bench.count("probe.replayed") == 1)
        #expect(bench.count("probe.complete") == 1)
    }

    @Test("A body is sent once more, whole")
    func body() throws {
        let bench = try bench("")
        let answer = try bench.exchange(
            "front",
            "POST /flaky HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "4\r\nabcd\r\n3\r\nefg\r\n0\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.contains("yes:abcdefg"))
    }

    @Test("A head that was held may be given up when its body has come")
    func held() throws {
        let bench = try bench("late: true")
        let answer = try bench.exchange("front", get)
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(answer.components(of: "HTTP/1.1 ") == 1)
    }

    @Test("Connections go back to the pool after a replay, and later requests are answered in order")
    func again() throws {
        let bench = try bench("")
        let client = try bench.client(of: "front")
        for number in 1...20 {
            client.send("GET /flaky HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(
                bench.turn {
                    client.read()
                    return client.received.components(of: "yes:") == number
                })
        }
        #expect(client.received.components(of: "HTTP/1.1 200") == 20)
        #expect(bench.count("probe.opened") == 40)
    }

    @Test("Where nobody can be reached the filter is asked, as often as it wants")
    func faults() throws {
        let bench = try bench("tries: 3", isReachable: false)
        let answer = try bench.exchange("front", get)
        #expect(answer.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(bench.count("probe.opened") == 4)
        #expect(bench.count("probe.replayed") == 3)
    }

    @Test("When a part of an answer has gone by, the host refuses")
    func tooLate() throws {
        let bench = try bench("too_late: true")
        let answer = try bench.exchange("front", get)
        #expect(answer.hasPrefix("HTTP/1.1 503 "))
        #expect(answer.components(of: "HTTP/1.1 ") == 1)
        #expect(bench.count("probe.opened") == 1)
        #expect(bench.count("fault.filter.replay_after_response") == 1)
    }
}

extension String {
    /// How often a text stands in this one.
    func components(of text: String) -> Int {
        var count = 0
        var rest = self[...]
        while let range = rest.firstRange(of: text) {
            count += 1
            rest = rest[range.upperBound...]
        }
        return count
    }
}
