import FilterAPI
import Testing

@testable import Host

@Suite("Requests of filters' own") struct FetchTests {
    private let key: String

    init() { key = "fetch-\(UInt64.random(in: 0...(.max)))" }

    private func bench(_ asker: String = "", cluster: String? = nil) throws -> HostBench {
        try HostBench(
            """
            listeners:
              front: { bind: 127.0.0.1:0, chain: [ http, asker: { \(asker) }, router: { to: up } ] }
              bytes: { bind: 127.0.0.1:0, chain: [ byte_asker, tcp_proxy: up ] }
              up: { bind: "unix:@sluice-\(key)", chain: [ http, origin ] }
            clusters:
              up: { endpoints: [ "unix:@sluice-\(key)" ] }
              asked: { endpoints: [ "unix:@sluice-\(cluster ?? key)" ] }
            """, [Asker.self, ByteAsker.self, Origin.self])
    }

    private func request(_ path: String, body: String = "") -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test("What is held goes on when the answer is there, which the filter has seen as a whole")
    func answered() throws {
        let bench = try bench("ask: /echo, body: may I")
        let answer = try bench.exchange("front", request("/echo", body: "hello"))
        #expect(answer.hasSuffix("\r\n\r\nhello"))
        #expect(answer.contains("X-Answer: 200 may I\r\n"))
        #expect(bench.worker.fetches.count == 0)
    }

    @Test("Several at once, and one after the other, keep what is held until the last answer")
    func several() throws {
        let bench = try bench("ask: /echo, body: a, times: 3, then: 2")
        #expect(try bench.exchange("front", request("/")).contains("X-Answer: 200 a 200 a 200 a 200 a 200 a\r\n"))
    }

    @Test("An answer over the limit is a fault, and the rest of it is not read")
    func large() throws {
        let bench = try bench("ask: /large")
        #expect(try bench.exchange("front", request("/")).contains("X-Answer: 0 fetch.body_too_large\r\n"))
    }

    @Test("Where nobody answers the filter is told why")
    func refused() throws {
        let bench = try bench("ask: /", cluster: "nobody-\(key)")
        #expect(try bench.exchange("front", request("/")).contains("X-Answer: 0 upstream.connect"))
    }

    @Test("A filter may answer, or fail the stream, by what it has been told")
    func replies() throws {
        let bench = try bench("ask: /down, strict: true")
        #expect(try bench.exchange("front", request("/")).hasPrefix("HTTP/1.1 403 "))
        let failing = try FetchTests().bench("ask: /down, strict: true, throws: true")
        #expect(try failing.exchange("front", request("/")).hasPrefix("HTTP/1.1 400 "))
    }

    @Test("A client that leaves takes the requests of its stream along")
    func cancelled() throws {
        // Nobody accepts there: the question stays open.
        let silent = try SilentListener("sluice-silent-\(key)")
        let bench = try bench("ask: /", cluster: "silent-\(key)")
        let client = try bench.client(of: "front")
        client.send(request("/"))
        #expect(bench.turn { bench.worker.fetches.count == 1 })
        client.reset()
        #expect(bench.turn(2) { bench.worker.fetches.count == 0 && bench.worker.streams.activeCount == 0 })
        silent.close()
    }

    @Test("A byte filter asks before the first byte passes")
    func bytes() throws {
        let bench = try bench("ask: /")
        #expect(try bench.exchange("bytes", request("/echo", body: "x")).hasSuffix("\r\n\r\nx"))
        #expect(bench.count("byte_asker.answers") == 1)
    }
}
