import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("Chains of fake streams")
struct FakeChainTests {
    private let worker = FakeWorker()

    @Test("A filter sees what the one above let go on, and what the one below made of the answer")
    func order() throws {
        let chain = FakeChain(
            try worker.make(Gzip.self, config: "{ min_length: 1B }"), try worker.make(Count.self),
            request: .fake(fields: ["accept-encoding": "gzip"]))
        chain.requestHead(last: true)
        #expect(chain.below(0).isComplete && chain.below.isComplete)
        chain.responseHead(200, ["content-type": "text/plain"])
        chain.responseBody("hello hello hello hello")
        chain.responseBody("", last: true)
        #expect(chain.above(1).text == "hello hello hello hello")
        #expect(Zlib.decompress(chain.above.body)?.bytes == chain.above(1).body)
        #expect(chain.above.isComplete && chain.brokenRules == [])
        #expect(worker.value(of: "count.responses_2xx") == 1)
        chain.close()
    }

    @Test("An answer of one below goes up through those above")
    func answer() throws {
        let chain = FakeChain(
            try worker.make(Count.self),
            try worker.make(Router.self, config: "{ routes: [ { respond: { status: 404, body: none } } ] }"))
        chain.requestHead(last: true)
        #expect(chain.reply?.status == 404)
        #expect(chain.above.text == "none" && chain.above.isComplete)
        #expect(worker.value(of: "count.responses_4xx") == 1)
        chain.close()
    }

    @Test("A replay closes and opens what is below, and a fault that is given up goes to the top")
    func replay() throws {
        let chain = FakeChain(
            try worker.make(Retry.self, config: "{ on: [connect-failure], attempts: 2 }"),
            try worker.make(Broken.self), try worker.make(Router.self, config: "{ to: app }"))
        chain.requestHead(last: true)
        #expect(chain.attached.map { worker.name(of: $0.cluster) } == "app")
        for _ in 0..<4 {
            chain.clusterAttached(FactName("app"))
            chain.endpointPicked(FactName("192.0.2.1:80"))
            chain.faultBelow(Fault(.connectFailed, "test.refused", replay: .always))
            chain.advance(by: .seconds(10))
        }
        #expect(worker.value(of: "broken.requests") == 3)
        #expect(chain.fault?.reason.description == "test.refused")
        chain.faultBecomesAnswer()
        #expect(chain.above.status == 503 && chain.above.isComplete && chain.fault == nil)
        chain.close()
    }

    @Test("The answer to a fault is seen by those above the filter that failed, and not by itself")
    func fault() throws {
        let chain = FakeChain(
            try worker.make(Count.self), try worker.make(Broken.self, config: "{ mistake: undescribedReason }"))
        chain.requestHead(last: true)
        #expect(chain.fault?.reason.description == "broken.unheard_of")
        chain.faultBecomesAnswer(400)
        #expect(chain.above.status == 400 && !chain.above(1).hasHead)
        #expect(worker.value(of: "count.responses_4xx") == 1)
        chain.close()
    }
}

@Suite("Scripts, and fake streams of bytes")
struct ScriptTests {
    private let worker = FakeWorker()

    @Test("A script says what was not as expected, and nothing where all was")
    func expectations() throws {
        let stream = FakeStream(try worker.make(Count.self), .fake("POST"))
        let unmet = stream.play([
            .requestHead(), .requestBody("hel"), .expectBelow("hel"), .requestBody("lo", last: true),
            .expectBelow("hello"),
            .interimHead(103), .response(200, ["content-length": "2"]), .expectStatus(200), .wait(.seconds(1)),
            .responseBody("ok", last: true), .expectAbove("ok"), .expectPassed(below: 3, above: 2), .expectFault(""),
        ])
        #expect(unmet == [])
        let wrong = stream.play([
            .expectAbove("o"), .expectStatus(404), .expectPassed(below: 1, above: 1), .expectFault("x"),
        ])
        #expect(wrong.count == 4)
        #expect(wrong.first == "event 1: what went on above is ok, expected o")
        stream.close()
    }

    @Test("A client that goes away ends the script")
    func clientGone() throws {
        let stream = FakeStream(try worker.make(Broken.self))
        #expect(stream.play([.requestHead(), .clientGone, .expectStatus(200)]) == [])
        #expect(!stream.isOpen)
    }

    @Test("Bytes go past a filter of bytes in both directions, and each ends once")
    func bytes() throws {
        let stream = FakeByteStream(try worker.make(BrokenBytes.self))
        stream.requestBytes("hel")
        stream.requestBytes("lo", last: true)
        stream.responseBytes("bye", last: true)
        #expect(stream.below.text == "hello" && stream.below.isComplete)
        #expect(stream.toPeer.text == "bye" && stream.toPeer.isComplete)
        stream.close()
    }

    @Test("A byte terminal's cluster is seen as soon as it is open, and so is a handshake")
    func opening() throws {
        let stream = FakeByteStream(try worker.make(TCPProxy.self, config: "{ to: app }"))
        stream.open()
        #expect(stream.attached.map { worker.name(of: $0.cluster) } == "app")
        stream.close()
        let other = FakeByteStream(try worker.make(BrokenBytes.self, config: "{ mistake: neverReady }"))
        other.open()
        #expect(other.isInHandshake && other.handshakeCount == 1)
        other.clientGone()
    }

    @Test("All ways of cutting are shown, each with all bytes")
    func splits() {
        var count = 0
        Splitter.forEachSplit(of: "hello") { pieces in
            #expect(pieces.flatMap(\.self) == Array("hello".utf8))
            count += 1
        }
        #expect(count > 10)
    }
}
