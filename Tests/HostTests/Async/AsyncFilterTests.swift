import FilterAPI
import FilterAsync
import Testing

@testable import Host

@Suite("Asynchronous filters") struct AsyncFilterTests {
    private let key: String

    init() { key = "async-\(UInt64.random(in: 0...(.max)))" }

    private func bench(_ act: String, up: String? = nil, asked: String? = nil) throws -> HostBench {
        try HostBench(
            """
            listeners:
              front: { bind: 127.0.0.1:0, chain: [ http, scripted: { act: \(act) }, router: { to: up } ] }
              asker: { bind: "unix:@sluice-f\(key)", chain: [ http, router: { to: asked } ] }
              up: { bind: "unix:@sluice-\(key)", chain: [ http, origin ] }
            clusters:
              up: { endpoints: [ "unix:@sluice-\(up ?? key)" ] }
              asked: { endpoints: [ "unix:@sluice-\(asked ?? key)" ] }
            """, [Scripted.self, Origin.self])
    }

    private func request(_ path: String, body: String = "", close: Bool = true) -> String {
        "POST \(path) HTTP/1.1\r\nHost: a\r\n\(close ? "Connection: close\r\n" : "")"
            + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    @Test(
        "Passing the request on gives the answer as it is", arguments: ["pass", "sleep", "ask", "ask-late", "children"])
    func passes(act: String) throws {
        let answer = try bench(act).exchange("front", request("/echo", body: "hello"))
        #expect(answer.hasPrefix("HTTP/1.1 200 "))
        #expect(answer.hasSuffix("\r\n\r\nhello"))
    }

    @Test("What a filter learns elsewhere is there when the answer goes by")
    func asks() throws {
        #expect(try bench("ask").exchange("front", request("/")).contains("X-Scripted: may I\r\n"))
        #expect(try AsyncFilterTests().bench("ask-late").exchange("front", request("/")).contains("X-Scripted: ok\r\n"))
        #expect(try AsyncFilterTests().bench("sleep").exchange("front", request("/")).contains("X-Scripted: slept\r\n"))
        #expect(try AsyncFilterTests().bench("children").exchange("front", request("/")).contains("X-Scripted: 6\r\n"))
    }

    @Test("One connection and one task serve request after request")
    func again() throws {
        let bench = try bench("ask")
        let client = try bench.client(of: "front")
        for number in 1...20 {
            client.send(request("/echo", body: "number \(number).", close: false))
            #expect(client.reads("\r\n\r\nnumber \(number)."))
        }
        #expect(bench.count("scripted.finished") == 20)
    }

    @Test("A body that is read goes on all the same, whole")
    func reads() throws {
        let body = String(repeating: "x", count: 60_000)
        let answer = try bench("read").exchange("front", request("/echo", body: body))
        #expect(answer.contains("X-Scripted: 60000\r\n"))
        #expect(answer.hasSuffix("\r\n\r\n" + body))
        let other = try AsyncFilterTests().bench("read-answer").exchange("front", request("/echo", body: body))
        #expect(other.contains("X-Scripted: 60000\r\n"))
        #expect(other.hasSuffix("\r\n\r\n" + body))
    }

    @Test("A body that comes in pieces is read as they come")
    func pieces() throws {
        let bench = try bench("read")
        let client = try bench.client(of: "front")
        client.send("POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n")
        for piece in ["one", "two", "three"] {
            client.send("\(String(piece.utf8.count, radix: 16))\r\n\(piece)\r\n")
            bench.turn(0.02) { false }
        }
        client.send("0\r\n\r\n")
        let answer = client.readToEnd()
        #expect(answer.contains("X-Scripted: 11\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nonetwothree"))
    }

    @Test("A body over the limit that the filter has set is refused")
    func tooLarge() throws {
        let answer = try bench("read").exchange(
            "front", request("/echo", body: String(repeating: "x", count: 70_000)))
        #expect(answer.hasPrefix("HTTP/1.1 413 "))
    }

    @Test("Bodies of any length are changed on their way, at once or slowly", arguments: ["change", "slow-change"])
    func changes(act: String) throws {
        let answer = try bench(act).exchange("front", request("/echo", body: "banana"))
        #expect(answer.hasSuffix("bbnbnbbbnbnb\r\n0\r\n\r\n"), "\(answer)")
        let body = String(repeating: "a", count: 300_000)
        let large = try AsyncFilterTests().bench(act).exchange("front", request("/echo", body: body))
        #expect(large.count { $0 == "b" } == 600_000)
    }

    @Test("Answers of a filter's own, before and after the upstream's")
    func replies() throws {
        let refused = try bench("reply").exchange("front", request("/echo", body: "x"))
        #expect(refused.hasPrefix("HTTP/1.1 403 ") && refused.contains("Content-Type: text/x-no\r\n"))
        let replaced = try AsyncFilterTests().bench("replace").exchange("front", request("/echo", body: "x"))
        #expect(replaced.hasPrefix("HTTP/1.1 418 ") && replaced.hasSuffix("\r\n\r\nwas 200"))
    }

    @Test("A fault below is thrown where the answer is waited for, and may be answered, at once or later")
    func rescues() throws {
        let nobody = "nobody-\(key)"
        let rescued = try bench("rescue", up: nobody).exchange("front", request("/"))
        #expect(rescued.hasPrefix("HTTP/1.1 200 ") && rescued.contains("rescued from upstream.connect"))
        let later = try AsyncFilterTests().bench("ask-while-faulted", up: nobody).exchange("front", request("/"))
        #expect(later.hasPrefix("HTTP/1.1 200 ") && later.hasSuffix("\r\n\r\nasked: ok"), "\(later)")
        let passed = try AsyncFilterTests().bench("pass", up: nobody).exchange("front", request("/"))
        #expect(passed.hasPrefix("HTTP/1.1 503 "))
    }

    @Test("What is thrown becomes the answer: faults as what they are, all else as the filter's failure")
    func throwing() throws {
        #expect(try bench("fault").exchange("front", request("/")).hasPrefix("HTTP/1.1 400 "))
        #expect(try AsyncFilterTests().bench("throwing").exchange("front", request("/")).hasPrefix("HTTP/1.1 500 "))
        let unasked = try AsyncFilterTests().bench("ask", asked: "nobody-\(key)").exchange("front", request("/"))
        #expect(unasked.hasPrefix("HTTP/1.1 503 "))
    }

    @Test("A client that leaves cancels the task that waits")
    func cancels() throws {
        let bench = try bench("hang")
        for _ in 0..<3 {
            let client = try bench.client(of: "front")
            client.send(request("/"))
            #expect(bench.turn { bench.worker.streams.activeCount == 1 })
            client.reset()
            #expect(bench.turn { bench.worker.streams.activeCount == 0 })
        }
        #expect(bench.count("scripted.cancelled") == 3)
        #expect(bench.count("scripted.finished") == 3)
    }
}
