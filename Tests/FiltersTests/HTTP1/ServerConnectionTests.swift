import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("How long a client's connection lives")
struct ServerConnectionTests {
    private let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    private func bench(_ edit: (inout ServerSettings) -> Void = { _ in }) -> ServerBench<HTTP1ServerCodec> {
        let bench = ServerBench(makeServer(edit))
        bench.answer = nil
        return bench
    }

    @Test(
        "It is kept, or closed after the answer, as both sides say",
        arguments: [
            ("GET / HTTP/1.1\r\nHost: a\r\n", true), ("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\n", true),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, CLOSE\r\n", false),
            ("GET / HTTP/1.1\r\nHost: a\r\nConnection: x\r\nConnection: close\r\n", false),
            ("GET / HTTP/1.0\r\n", false), ("GET / HTTP/1.0\r\nConnection: keep-alive\r\n", true),
            ("GET / HTTP/1.0\r\nConnection: close, keep-alive\r\n", false),
        ])
    func keeping(head: String, isKept: Bool) {
        let bench = bench()
        bench.receive(head + "\r\n")
        bench.respond(200)
        #expect(bench.takeOutput().contains("Connection: close\r\n") == !isKept)
        bench.close()
        #expect(bench.connection.wantsClose == !isKept)
    }

    @Test("What comes behind a request that closes is not read")
    func afterClose() {
        let bench = bench()
        bench.answer = { bench, stream in
            bench.respond(200)
            bench.close(stream)
        }
        bench.receive("GET /1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(bench.requests.map(\.target) == ["/1"])
        #expect(bench.connection.wantsClose)
    }

    @Test("After so many requests it is closed")
    func requestLimit() {
        let bench = bench { $0.maxRequestsPerConnection = 2 }
        for isLast in [false, true] {
            bench.receive(get)
            bench.respond(200)
            #expect(bench.takeOutput().contains("Connection: close\r\n") == isLast)
            bench.close()
            #expect(bench.connection.wantsClose == isLast)
        }
    }

    @Test("An answer before the request's end closes the connection, for nobody knows where the next one begins")
    func earlyAnswer() {
        let bench = bench()
        bench.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhel")
        bench.respond(413)
        #expect(bench.takeOutput().contains("Connection: close\r\n"))
        bench.close()
        #expect(bench.connection.wantsClose)
    }

    @Test("A refused request is answered as one that closes, whatever came before it")
    func refusal() {
        let bench = bench()
        bench.receive("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
        bench.respond(200)
        bench.close()
        _ = bench.takeOutput()
        bench.receive("GET / HTTP/1.1\nHost: a\r\n\r\n")
        #expect(bench.fault?.reason.description == "http1.bare_lf")
        bench.respond(400, ["Content-Length": "3"], body: ["no\n"], to: StreamHandle(slot: 0, generation: 1))
        let text = bench.takeOutput()
        #expect(text.hasPrefix("HTTP/1.1 400 Bad Request\r\n"))
        #expect(text.hasSuffix("Connection: close\r\n\r\nno\n"))
    }

    @Test("A reset ends the connection: nothing else tells the client that the answer is not whole")
    func reset() {
        let bench = bench()
        bench.receive(get)
        bench.respondHead(200)
        bench.respondBody("half")
        bench.reset(Fault(.upstreamClosed, "test"))
        #expect(bench.takeOutput().hasSuffix("4\r\nhalf\r\n"))
        #expect(bench.connection.wantsClose)
    }

    @Test("Draining closes a connection that is new after a moment, an idle one at once, a busy one after its answer")
    func draining() {
        let new = bench()
        new.drain()
        #expect(!new.connection.wantsClose)
        new.advance(by: .seconds(1))
        #expect(new.isOver)

        let idle = bench()
        idle.receive(get)
        idle.respond(200)
        idle.close()
        idle.drain()
        #expect(idle.connection.wantsClose)

        let busy = bench()
        busy.receive(get)
        busy.drain()
        #expect(!busy.connection.wantsClose)
        busy.respond(200)
        #expect(busy.takeOutput().contains("Connection: close\r\n"))
        busy.close()
        #expect(busy.connection.wantsClose)

        let answering = bench()
        answering.receive(get)
        answering.respondHead(200)
        answering.drain()
        answering.respondBody("x", last: true)
        answering.close()
        #expect(answering.connection.wantsClose)

        let reading = bench()
        reading.receive("GET / HTTP/1.1\r\n")
        reading.drain()
        reading.receive("Host: a\r\n\r\n")
        reading.respond(200)
        #expect(reading.takeOutput().contains("Connection: close\r\n"))
    }

    // MARK: Time

    @Test("An idle connection is closed without a word")
    func idleTimeout() {
        let bench = bench { $0.idleTimeout = .seconds(60) }
        bench.advance(by: .seconds(59))
        #expect(!bench.isOver)
        bench.receive(get)
        #expect(bench.connection.timerDelay == nil)
        bench.respond(200)
        bench.close()
        #expect(bench.connection.timerDelay == .seconds(60))
        bench.advance(by: .seconds(60))
        #expect(bench.transcript.description.hasSuffix("\nend\nclose"))
    }

    @Test("A head has a time to be complete, which further bytes do not prolong")
    func headTimeout() {
        let bench = bench { $0.headTimeout = .seconds(10) }
        bench.receive("GET / HTTP/1.1\r\n")
        for _ in 0..<9 {
            bench.advance(by: .seconds(1))
            bench.receive("X: y\r\n")
        }
        #expect(!bench.isOver)
        bench.advance(by: .seconds(1))
        #expect(bench.transcript.description == "fault requestTimeout http1.head_timeout")
    }

    @Test("A second head has its time anew")
    func secondHeadTimeout() {
        let bench = bench { $0.headTimeout = .seconds(10) }
        for _ in 0..<2 {
            bench.receive("GET / HTTP/1.1\r\n")
            bench.advance(by: .seconds(9))
            bench.receive("Host: a\r\n\r\n")
            bench.respond(200)
            bench.close()
        }
        bench.receive("G")
        bench.advance(by: .seconds(10))
        #expect(bench.fault?.reason.description == "http1.head_timeout")
    }

    @Test("A body may take long, but not stand still")
    func bodyTimeout() {
        let bench = bench { $0.bodyIdleTimeout = .seconds(30) }
        bench.receive("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        for _ in 0..<10 {
            bench.advance(by: .seconds(29))
            bench.receive("1\r\nx\r\n")
        }
        #expect(!bench.isOver)
        bench.advance(by: .seconds(30))
        #expect(bench.fault?.reason.description == "http1.body_timeout")
    }

    @Test("No time runs while an answer is due")
    func noTimeoutWhileAnswering() {
        let bench = bench()
        bench.receive("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok")
        bench.advance(by: .seconds(86_400))
        #expect(!bench.isOver)
    }

    @Test("Where the worker can hold no more streams, the connection fails")
    func noStream() {
        let connection = FakeConnection()
        connection.streamLimit = 0
        let bench = ServerBench(makeServer(), on: connection)
        bench.receive(get)
        #expect(bench.transcript.description == "fault overloaded test.too_many_streams")
    }

    // MARK: Tunnels

    private let webSocket = "GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"

    @Test("An upgrade that the upstream takes becomes a tunnel in both directions")
    func upgrade() {
        let bench = bench()
        bench.receive(webSocket + "early")
        #expect(bench.transcript.description == "request GET /chat HTTP/1.1 upgrade\n  Host: a\n  Upgrade: websocket")
        bench.respondHead(101, ["Upgrade": "websocket", "Sec-WebSocket-Accept": "x"])
        bench.respondBody("from upstream")
        #expect(
            bench.takeOutput() == """
                HTTP/1.1 101 Switching Protocols\r
                Upgrade: websocket\r
                Sec-Websocket-Accept: x\r
                Server: sluice\r
                Date: Mon, 23 Nov 2026 08:00:00 GMT\r
                Connection: Upgrade\r
                \r
                from upstream
                """)
        bench.decodeOn()
        bench.receive(" bird")
        bench.end()
        #expect(bench.transcript.description.hasSuffix("websocket\nbody early bird\nend"))
        bench.close()
        #expect(bench.connection.wantsClose)
    }

    @Test("An upgrade that the upstream declines ends like any request, and the connection is kept")
    func declinedUpgrade() {
        let bench = bench()
        bench.receive(webSocket)
        bench.respond(200)
        #expect(bench.takeOutput().contains("Content-Length: 0\r\n"))
        bench.decodeOn()
        #expect(bench.requests[0].isComplete)
        bench.close()
        #expect(!bench.connection.wantsClose)
        bench.receive(get)
        #expect(bench.requests.count == 2)
    }

    @Test(
        "What asks for no upgrade that could be passed on is an ordinary request",
        arguments: [
            "Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: x\r\n", "Upgrade: websocket\r\n",
            "Connection: Upgrade\r\nUpgrade: a, b\r\n", "Connection: Upgrade\r\nUpgrade: a\r\nUpgrade: b\r\n",
            "Connection: Upgrade\r\n", "Connection: Upgrade\r\nUpgrade:\r\n", "Connection: Upgrade\r\nUpgrade: H2C\r\n",
        ])
    func noUpgrade(fields: String) {
        #expect(reading("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n") == "request GET / HTTP/1.1\n  Host: a\nend")
        let withBody = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nok"
        #expect(reading(withBody).hasSuffix("length=2\n  Host: a\n  Content-Length: 2\nbody ok\nend"))
        #expect(
            reading("GET / HTTP/1.0\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
                == "request GET / HTTP/1.0\n  Host: a\nend")
    }

    @Test("CONNECT becomes a tunnel when it is answered with 2xx, and ends the connection when it is not")
    func connect() {
        let taken = bench()
        taken.receive("CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n")
        #expect(taken.transcript.description == "request CONNECT b.test:443 HTTP/1.1\n  Host: b.test:443")
        taken.respondHead(200, ["Content-Length": "5"])
        let head = "HTTP/1.1 200 OK\r\nServer: sluice\r\nDate: Mon, 23 Nov 2026 08:00:00 GMT\r\n\r\n"
        #expect(taken.takeOutput() == head)
        taken.receive("hi")
        #expect(taken.transcript.description.hasSuffix("\nbody hi"))

        let declined = bench()
        declined.receive("CONNECT b.test:443 HTTP/1.1\r\nHost: b.test:443\r\n\r\n")
        declined.respond(403)
        #expect(declined.takeOutput().contains("Connection: close\r\n"))
        declined.close()
        #expect(declined.connection.wantsClose)
        #expect(
            reading("CONNECT b:1 HTTP/1.1\r\nHost: b\r\nContent-Length: 2\r\n\r\nok")
                == "fault badRequest http1.connect_with_body")
    }

    @Test("101 that nobody asked for is the upstream's fault")
    func unexpectedTunnel() {
        let bench = bench()
        bench.receive(get)
        bench.respondHead(101)
        #expect(bench.fault?.kind == .upstreamProtocol)
        #expect(bench.takeOutput() == "")
    }
}
