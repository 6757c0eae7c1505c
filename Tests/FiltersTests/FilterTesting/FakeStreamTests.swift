import FilterAPI
import FilterTesting
import Testing

@testable import Filters

/// Holds, answers, sends and replays as the request's head tells it to.
private final class Scripted: HTTPFilter {
    static let manifest = Manifest(id: "scripted", summary: "Does what it is told.")

    final class Kept {
        let head: RequestHead
        init(_ head: borrowing RequestHead) { self.head = head.copy() }
    }

    struct State {
        var kept: Kept?
        var seen: [UInt8] = []
        var triesLeft = 1
    }

    private let closed: Counter
    private let word: HeaderName

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        guard let word = HeaderName("do") else { throw ConfigurationFault("no name") }
        self.word = word
        closed = worker.counter("closed")
    }

    func open(_ stream: inout Stream) throws(Fault) -> State? {
        let isDeclined = stream.withRequest { $0.headers.equals(word, "decline") }
        return isDeclined ? nil : State()
    }

    func close(_ state: inout State, _ ending: Ending, _ stream: inout Stream) { closed.add() }

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        state.kept = Kept(head)
        switch head.headers[word] ?? "" {
        case "reply":
            stream.reply(403, body: "no\n") { $0.headers.set(.vary, "x") }
            return .next
        case "throw": throw Fault(.badRequest, "scripted.thrown")
        case "fail": stream.fail(Fault(.overloaded, "scripted.failed"))
        case "hold": return .hold
        case "leave": return .leave
        case "drop":
            _ = stream.pause()
            return .hold
        case "wake": stream.wake(after: .seconds(2))
        case "attach": stream.attach(ClusterID(index: 7))
        case "send early": stream.sendBelow(ByteChunk("early"))
        case "reply twice":
            stream.reply(403)
            stream.reply(404)
        case "pause": _ = stream.pause()
        case "take": return .taken
        default: break
        }
        head.headers.set(.via, "scripted")
        return .next
    }

    func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        unsafe chunk.withUnsafeBytes { unsafe state.seen.append(contentsOf: $0) }
        if stream.withRequest({ $0.headers.equals(word, "send") }) {
            stream.sendBelow(ByteChunk("down"))
            stream.sendAbove(ByteChunk("up"))
        }
        guard stream.withRequest({ $0.headers.equals(word, "hold") }) else { return .next }
        return last ? .next : .hold
    }

    func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        let bytes = chunk.take()
        stream.sendAbove(ByteChunk("<"))
        stream.sendAbove(bytes)
        stream.sendAbove(ByteChunk(">"))
        return .taken
    }

    func faultBelow(_ fault: Fault, _ state: inout State, _ stream: inout Stream) throws(Fault) {
        guard state.triesLeft > 0 else { return }
        state.triesLeft -= 1
        if let kept = state.kept { try stream.restartBelow(kept.head, last: true) }
    }

    func wake(_ state: inout State, _ stream: inout Stream) throws(Fault) { stream.reply(504, body: "late\n") }
}

@Suite("The fake stream")
struct FakeStreamTests {
    private let worker = FakeWorker()

    private func stream(_ word: String, _ body: (FakeStream<Scripted>) -> Void) throws {
        let stream = FakeStream(
            try worker.make(Scripted.self), .fake("POST", "/x", fields: word.isEmpty ? [:] : ["do": word]))
        body(stream)
        stream.close()
    }

    @Test("Events go past the filter, and what it changed is seen below")
    func passing() throws {
        try stream("") { stream in
            #expect(stream.requestHead() == .next)
            #expect(stream.requestBody("hel") == .next)
            #expect(stream.requestTrailers(["x-t": "1"]) == .next)
            #expect(stream.below.values("via") == ["scripted"])
            #expect(stream.below.text == "hel")
            #expect(stream.below.trailers == [RecordedField(name: "X-T", value: "1")])
            #expect(stream.below.isComplete)
            #expect(stream.responseHead(201, ["age": "1"]) == .next)
            #expect(stream.above.status == 201)
            #expect(stream.isOpen)
        }
        #expect(worker.value(of: "scripted.closed") == 1)
    }

    @Test("What is sent goes before what the call lets go on, and the end cannot be taken")
    func sending() throws {
        try stream("send") { stream in
            stream.requestHead()
            stream.responseHead()
            stream.requestBody("r", last: true)
            #expect(stream.below.text == "downr")
            #expect(stream.above.text == "up")
            stream.responseBody("a")
            stream.responseBody("b", last: true)
            #expect(stream.above.text == "up<a><b>")
            #expect(stream.above.isComplete)
        }
    }

    @Test("What is held goes on in order with the first next")
    func holding() throws {
        try stream("hold") { stream in
            #expect(stream.requestHead() == .hold)
            #expect(stream.requestBody("a") == .hold)
            #expect(stream.holdsRequest)
            #expect(!stream.below.hasHead && stream.below.body.isEmpty)
            stream.requestBody("b", last: true)
            #expect(stream.below.hasHead && stream.below.text == "ab" && stream.below.isComplete)
        }
        try stream("hold") { stream in
            stream.requestHead(last: true)
            #expect(stream.fault?.reason.description == "filter.held_end_without_token")
        }
    }

    @Test("A filter that declined or left is not shown more, and everything goes past it")
    func leaving() throws {
        for word in ["decline", "leave"] {
            try stream(word) { stream in
                stream.requestHead()
                #expect(stream.requestBody("a", last: true) == nil)
                #expect(stream.below.hasHead && stream.below.text == "a" && stream.below.isComplete)
            }
        }
    }

    @Test("Answers, faults and attachments are kept")
    func outcomes() throws {
        try stream("reply") { stream in
            stream.requestHead()
            #expect(
                stream.reply
                    == RecordedReply(status: 403, body: "no\n", fields: [RecordedField(name: "Vary", value: "x")]))
            #expect(stream.isOver && !stream.below.hasHead)
        }
        try stream("throw") { stream in
            #expect(stream.requestHead() == nil)
            #expect(stream.fault?.reason.description == "scripted.thrown")
        }
        try stream("fail") { stream in
            stream.requestHead()
            #expect(stream.fault?.kind == .overloaded)
        }
        try stream("attach") { stream in
            stream.requestHead()
            #expect(stream.attached?.cluster == ClusterID(index: 7))
        }
    }

    @Test("A token that is dropped fails the stream, at the next look")
    func droppedToken() throws {
        try stream("drop") { stream in
            stream.requestHead()
            #expect(stream.fault == nil)
            stream.settle()
            #expect(stream.fault?.reason.description == "filter.dropped_token")
        }
    }

    @Test("Time moves by hand")
    func time() throws {
        try stream("wake") { stream in
            stream.requestHead(last: true)
            stream.advance(by: .seconds(1))
            #expect(stream.reply == nil)
            stream.advance(by: .seconds(1))
            #expect(stream.reply?.status == 504)
        }
    }

    @Test("A request is sent anew until a response has begun")
    func replay() throws {
        try stream("") { stream in
            stream.requestHead(last: true)
            #expect(stream.faultBelow(Fault(.connectFailed, "test", replay: .always)))
            #expect(stream.restarts.count == 1)
            #expect(stream.restarts.first?.request.target == "/x")
            #expect(!stream.faultBelow(Fault(.connectFailed, "test", replay: .always)))
            #expect(stream.fault?.reason.description == "test")
        }
        try stream("") { stream in
            stream.requestHead(last: true)
            stream.responseHead()
            stream.faultBelow(Fault(.upstreamReset, "test"))
            #expect(stream.fault?.reason.description == "test")
        }
    }

    @Test(
        "A rule that is broken is noted, and named in a sentence",
        arguments: [
            ("send early", BrokenRule.sentBeforeHead), ("reply twice", .secondAnswer), ("pause", .tokenWithoutHold),
            ("take", .tookHead), ("drop", .droppedToken), ("hold", .heldWithoutToken),
        ])
    func rules(word: String, rule: BrokenRule) throws {
        try stream(word) { stream in
            stream.keepsBrokenRules = true
            stream.requestHead(last: rule == .heldWithoutToken)
            stream.settle()
            #expect(stream.brokenRules == [rule])
            #expect(rule.sentence.count > 40)
        }
    }

    @Test("What is sent behind the end of a response is noted")
    func sentAfterEnd() throws {
        try stream("send") { stream in
            stream.keepsBrokenRules = true
            stream.requestHead()
            stream.responseHead(last: true)
            stream.requestBody("r", last: true)
            #expect(stream.brokenRules == [.sentAfterEnd])
        }
    }

    @Test("What is held is bounded")
    func heldTooMuch() throws {
        try stream("hold") { stream in
            stream.holdLimit = .bytes(3)
            stream.requestHead()
            stream.requestBody("abcd")
            #expect(stream.fault?.kind == .bodyTooLarge)
            #expect(stream.brokenRules == [.heldTooMuch])
        }
    }

    @Test("A stream that is replayed from above begins anew")
    func replayedFromAbove() throws {
        try stream("") { stream in
            stream.requestHead(last: true)
            // As a filter does that takes a field for itself.
            stream.request.headers.remove(.host)
            stream.replayFromAbove()
            #expect(!stream.below.hasHead && !stream.isOpen && stream.request.headers.equals(.host, "a.test"))
            stream.requestHead(last: true)
            #expect(stream.below.isComplete && stream.isOpen)
        }
        #expect(worker.value(of: "scripted.closed") == 2)
    }
}

/// Does not want to hear that others are busy.
private final class Choosy: HTTPFilter {
    static let manifest = Manifest(id: "choosy", summary: "Tries again.")

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}

    func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout Void, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard head.status == 503 else { return .next }
        try stream.restartBelow(stream.withRequest { $0.copy() }, last: true)
        return .hold
    }
}

@Suite("Replay of answers by the fake stream")
struct FakeStreamReplayTests {
    @Test("The answer that was given up goes nowhere; the next one does")
    func answer() throws {
        let stream = FakeStream(try FakeWorker().make(Choosy.self))
        stream.requestHead(last: true)
        stream.responseHead(503, last: true)
        #expect(stream.restarts.count == 1)
        #expect(!stream.above.hasHead)
        #expect(stream.fault == nil)
        stream.responseHead(200, last: true)
        #expect(stream.above.status == 200)
        stream.close()
    }
}

/// Asks somebody else about each request.
private final class Asking: HTTPFilter {
    static let manifest = Manifest(id: "asking", summary: "Asks about each request.")
    static var interest: Interest { [.requestHead, .requestBody] }
    struct Box: ~Copyable { var token: Resumption? }
    private var box = Box()

    init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}

    func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout Void, _ stream: inout Stream
    ) throws(Fault) -> Step {
        box.token = stream.pause()
        return .hold
    }

    func answer(_ body: (consuming Resumption) -> Void) {
        if let token = box.token.take() { body(token) }
    }
}

@Suite("Tokens of the fake stream")
struct FakeStreamTokenTests {
    @Test("While a token is out, nothing more comes to the filter; used, it lets everything go on")
    func resuming() throws {
        let filter = try FakeWorker().make(Asking.self)
        let stream = FakeStream(filter)
        #expect(stream.requestHead() == .hold)
        #expect(stream.requestBody("a", last: true) == nil)
        filter.answer { $0.resume() }
        #expect(!stream.below.hasHead)
        stream.settle()
        #expect(stream.below.hasHead && stream.below.text == "a" && stream.below.isComplete)
        stream.close()
    }

    @Test("A token can answer, or fail")
    func answering() throws {
        let filter = try FakeWorker().make(Asking.self)
        let stream = FakeStream(filter)
        stream.requestHead(last: true)
        filter.answer { $0.reply(403, body: "no\n") }
        stream.settle()
        #expect(stream.reply?.status == 403)
        stream.close()
        let other = FakeStream(filter)
        other.requestHead(last: true)
        filter.answer { $0.fail(Fault(.overloaded, "test")) }
        other.settle()
        #expect(other.fault?.kind == .overloaded)
        other.close()
    }
}

@Suite("The fake worker, and filters that are written already")
struct FakeWorkerTests {
    @Test("Counters are read by name")
    func counters() throws {
        let worker = FakeWorker()
        let filter = try worker.make(Count.self)
        let stream = FakeStream(filter)
        stream.requestHead(last: true)
        stream.responseHead(204, last: true)
        let silent = FakeStream(filter)
        var route = Count.RouteSettings()
        route.responses = false
        silent.routeSettings = route
        silent.requestHead(last: true)
        silent.responseHead(503, last: true)
        #expect(worker.value(of: "count.requests") == 2)
        #expect(worker.value(of: "count.responses_2xx") == 1)
        #expect(worker.value(of: "count.responses_5xx") == 0)
    }

    @Test("A filter is made from a config's text, and what is wrong with it is said")
    func config() throws {
        let codec = try FakeWorker().make(HTTP1ServerCodec.self, config: "max_head: 2KiB\ntrusted_hops: 1")
        #expect(codec.settings.maxHead == .kibibytes(2))
        #expect(codec.settings.trustedHops == 1)
        let error = #expect(throws: ConfigurationFault.self) {
            try FakeWorker().make(HTTP1ServerCodec.self, config: "max_heat: 2KiB")
        }
        #expect(error?.message.contains("max_heat") ?? false)
    }

    @Test("Clusters have the names they were asked for by, and shared values are shared")
    func services() {
        let worker = FakeWorker()
        let cluster = worker.clusterID("app")
        #expect(worker.name(of: cluster) == "app")
        #expect(worker.clusterID("app") == cluster)
        #expect(worker.clusterID("other") != cluster)
    }

    @Test("The splitter finds a decoder whose outcome depends on where the bytes are cut")
    func splitter() {
        let good = Splitter("hello world").run { pieces in pieces.map { String(decoding: $0, as: UTF8.self) }.joined() }
        #expect(good.whole == "hello world")
        #expect(good.difference == nil)
        for bad in ["o w", "h", "d"] {
            let result = Splitter("hello world").run { pieces in
                pieces.contains { String(decoding: $0, as: UTF8.self) == bad } ? "odd" : "even"
            }
            #expect((result.difference != nil) == (bad != "o w") || result.difference?.cut == "odd")
        }
        let joined = Splitter("ab").run { $0.count > 1 ? "two" : "one" }
        #expect(joined.difference?.pieces.count == 2)
    }
}
