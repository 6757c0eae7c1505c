import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The retry filter") struct RetryTests {
    private let worker = FakeWorker()
    private let app = FactName("app")

    private func stream(
        _ config: String = "on: [ 5xx, unavailable ]\nattempts: 2", _ request: consuming RequestHead = .fake()
    ) throws -> FakeStream<Retry> {
        FakeStream(try worker.make(Retry.self, config: config), request)
    }

    /// Shows the request and the cluster.
    private func begin(_ stream: FakeStream<Retry>, last: Bool = true) {
        stream.requestHead(last: last)
        stream.clusterAttached(app)
    }

    /// Lets a pause, which is 250 ms at most, go by.
    private func pause(_ stream: FakeStream<Retry>) { stream.advance(by: .milliseconds(250)) }

    /// Whether a further try was decided on: it is made at once where the pause is drawn to be nothing.
    private func isTried(_ stream: FakeStream<Retry>) -> Bool { stream.isAbandoned || !stream.restarts.isEmpty }

    private func fields(_ stream: FakeStream<Retry>, _ name: String) -> [String] {
        stream.restarts.last?.request.fields.filter { $0.name.lowercased() == name }.map(\.value) ?? []
    }

    @Test("a failed answer is forgotten, and the request is sent anew after a pause")
    func again() throws {
        let stream = try stream()
        begin(stream)
        stream.responseHead(503)
        #expect(isTried(stream))
        #expect(!stream.above.hasHead)
        pause(stream)
        #expect(stream.restarts.count == 1)
        #expect(stream.restarts[0].last)
        stream.clusterAttached(app)
        stream.responseHead(200, last: true)
        #expect(stream.above.status == 200)
        #expect(worker.value(of: "retry.retry") == 1)
        #expect(worker.value(of: "retry.retry_success") == 1)
        stream.close()
    }

    @Test("the last answer goes by when there were as many tries as there may be")
    func exhausted() throws {
        let stream = try stream()
        begin(stream)
        for _ in 0..<2 {
            stream.responseHead(500)
            pause(stream)
            stream.clusterAttached(app)
        }
        stream.responseHead(502, last: true)
        #expect(stream.above.status == 502)
        #expect(stream.restarts.count == 2)
        #expect(stream.facts.flags.contains(.upstreamRetryLimitExceeded))
        #expect(worker.value(of: "retry.retry_limit_exceeded") == 1)
        stream.close()
    }

    @Test("filters below see the request as it was, not as they have changed it")
    func head() throws {
        let stream = try stream()
        stream.request.headers.add(.accept, "text/plain")
        begin(stream)
        stream.request.headers.set(.accept, "changed/below")
        stream.faultBelow(Fault(.upstreamClosed, "upstream.closed", replay: .ifIdempotent))
        pause(stream)
        #expect(fields(stream, "accept") == ["text/plain"])
        stream.close()
    }

    @Test("a body is sent again, and what comes of it later follows")
    func body() throws {
        let stream = try stream("on: [ 5xx ]\nnon_idempotent: true", .fake("POST"))
        begin(stream, last: false)
        stream.requestBody("abc")
        stream.responseHead(503)
        stream.requestBody("def")
        pause(stream)
        #expect(stream.restarts.map(\.last) == [false])
        #expect(stream.below.text == "abcdef")
        #expect(!stream.below.isComplete)
        stream.requestBody("g", last: true)
        #expect(stream.below.text == "abcdefg")
        #expect(stream.below.isComplete)
        stream.close()
    }

    @Test("a body that ended during the pause is sent with its end")
    func bodyEnd() throws {
        let stream = try stream("on: [ 5xx ]\nnon_idempotent: true", .fake("POST"))
        begin(stream, last: false)
        stream.responseHead(503)
        stream.requestBody("abc", last: true)
        pause(stream)
        #expect(stream.below.text == "abc")
        #expect(stream.below.isComplete)
        stream.close()
    }

    @Test("what comes of a body during the pause is kept, whatever the limit says")
    func bodyInPause() throws {
        let stream = try stream("on: [ 5xx ]\nmax_body: 4B", .fake("PUT"))
        begin(stream, last: false)
        stream.responseHead(503, ["retry-after": "1"])
        stream.requestBody("abcdefgh", last: true)
        stream.advance(by: .seconds(1))
        #expect(stream.below.text == "abcdefgh")
        #expect(stream.below.isComplete)
        stream.close()
    }

    @Test("a body over the limit goes by, is not kept, and the request is not tried again")
    func largeBody() throws {
        let stream = try stream("on: [ 5xx ]\nmax_body: 4B", .fake("PUT"))
        begin(stream, last: false)
        stream.requestBody("abcde", last: true)
        #expect(stream.below.text == "abcde")
        stream.responseHead(503, last: true)
        #expect(stream.above.status == 503)
        #expect(worker.value(of: "retry.retry_body_too_large") == 1)
        stream.close()
    }

    @Test("a request with trailers is not tried again")
    func trailers() throws {
        let stream = try stream("on: [ 5xx ]", .fake("PUT"))
        begin(stream, last: false)
        stream.requestBody("abc")
        stream.requestTrailers(["x-sum": "1"])
        stream.responseHead(503, last: true)
        #expect(stream.above.status == 503)
        stream.close()
    }

    @Test("a POST is not sent twice unless nothing of it has gone out")
    func post() throws {
        for (fault, restarts) in [
            (Fault(.upstreamClosed, "upstream.closed", replay: .ifIdempotent), 0),
            (Fault(.connectFailed, "upstream.connect_refused", replay: .always), 1),
        ] {
            let stream = try stream("on: [ 5xx ]", .fake("POST"))
            begin(stream)
            #expect(stream.faultBelow(fault) == (restarts > 0))
            pause(stream)
            #expect(stream.restarts.count == restarts)
            stream.close()
        }
        #expect(worker.value(of: "retry.retry_not_idempotent") == 1)
    }

    @Test("an answer that Sluice has made itself is not tried again")
    func localReply() throws {
        let stream = try stream()
        begin(stream)
        stream.facts.isLocalReply = true
        stream.responseHead(503, last: true)
        #expect(stream.above.status == 503)
        stream.close()
    }

    @Test("Retry-After decides about the pause")
    func retryAfter() throws {
        let stream = try stream()
        begin(stream)
        stream.responseHead(503, ["retry-after": "2"])
        stream.advance(by: .milliseconds(1999))
        #expect(stream.restarts.isEmpty)
        stream.advance(by: .milliseconds(1))
        #expect(stream.restarts.count == 1)
        #expect(worker.value(of: "retry.retry_backoff_ratelimited") == 1)
        stream.close()
    }

    @Test("there is no further try for which no time is left")
    func deadline() throws {
        let stream = try stream()
        stream.deadline = Instant(nanoseconds: stream.clock.now.nanoseconds + 1_000_000_000)
        begin(stream)
        stream.responseHead(503, ["retry-after": "2"], last: true)
        #expect(stream.above.status == 503)
        #expect(worker.value(of: "retry.retry_no_time") == 1)
        stream.close()
    }

    @Test("the end of the whole time during a pause is the end")
    func deadlineInPause() throws {
        let stream = try stream()
        stream.deadline = Instant(nanoseconds: stream.clock.now.nanoseconds + 3_000_000_000)
        begin(stream)
        stream.responseHead(503, ["retry-after": "2"])
        #expect(!stream.faultBelow(Fault(.upstreamTimeout, "upstream.response_timeout", replay: .ifIdempotent)))
        stream.close()
    }

    @Test("a try that takes too long is given up for another one")
    func perTryTimeout() throws {
        let stream = try stream("on: [ reset ]\nper_try_timeout: 100ms")
        begin(stream)
        stream.advance(by: .milliseconds(99))
        #expect(!isTried(stream))
        stream.advance(by: .milliseconds(1))
        #expect(isTried(stream))
        pause(stream)
        #expect(stream.restarts.count == 1)
        stream.clusterAttached(app)
        stream.advance(by: .milliseconds(100))
        #expect(stream.fault.map { "\($0.reason)" } == "retry.per_try_timeout")
        #expect(stream.fault?.kind == .upstreamTimeout)
        #expect(worker.value(of: "retry.per_try_timeout") == 2)
        stream.close()
    }

    @Test("the time of a try begins when the request is complete, and ends with the answer's head")
    func perTryTimeoutRuns() throws {
        let stream = try stream("on: [ reset ]\nper_try_timeout: 100ms", .fake("PUT"))
        begin(stream, last: false)
        stream.advance(by: .milliseconds(500))
        #expect(!isTried(stream))
        stream.requestBody("a", last: true)
        stream.advance(by: .milliseconds(50))
        stream.responseHead(200)
        stream.advance(by: .milliseconds(500))
        #expect(stream.fault == nil)
        stream.close()
    }

    @Test("an answer that stops is cut off by the idle time of a try, and not tried again")
    func perTryIdleTimeout() throws {
        let stream = try stream("on: [ reset ]\nper_try_idle_timeout: 100ms")
        begin(stream)
        stream.advance(by: .milliseconds(90))
        stream.responseHead(200)
        stream.advance(by: .milliseconds(90))
        stream.responseBody("a")
        stream.advance(by: .milliseconds(90))
        #expect(stream.fault == nil)
        stream.advance(by: .milliseconds(10))
        #expect(stream.fault.map { "\($0.reason)" } == "retry.per_try_idle_timeout")
        #expect(stream.restarts.isEmpty)
        stream.close()
    }

    @Test("an answer that has failed and goes by all the same is not cut off by the times of its try")
    func timesOfLastTry() throws {
        let stream = try stream("on: [ 5xx ]\nattempts: 0\nper_try_timeout: 100ms\nper_try_idle_timeout: 100ms")
        begin(stream)
        stream.responseHead(503)
        stream.responseBody("some")
        stream.advance(by: .milliseconds(500))
        #expect(stream.fault == nil)
        stream.responseBody("more", last: true)
        #expect(stream.above.text == "somemore")
        stream.close()
    }

    @Test("further tries that the budget does not allow are not made")
    func budget() throws {
        let filter = try worker.make(Retry.self, config: "on: [ 5xx ]\nbudget: { percent: 0%, min_concurrent: 2 }")
        let streams = (0..<3).map { _ in FakeStream(filter) }
        for stream in streams {
            begin(stream)
            stream.responseHead(503, last: true)
        }
        #expect(streams.map(isTried) == [true, true, false])
        #expect(streams[2].above.status == 503)
        #expect(worker.value(of: "retry.retry_overflow") == 1)
        // A place is free again when a further try has its answer.
        pause(streams[0])
        streams[0].clusterAttached(app)
        streams[0].responseHead(200, last: true)
        let next = FakeStream(filter)
        begin(next)
        next.responseHead(503)
        #expect(isTried(next))
        for stream in streams + [next] { stream.close() }
    }

    @Test("a limit on how many run at once holds besides the budget, for each cluster")
    func concurrent() throws {
        let filter = try worker.make(Retry.self, config: "on: [ 5xx ]\nmax_concurrent: 1")
        let other = FactName("other")
        let clusters = [app, app, other]
        let streams = clusters.map { cluster in
            let stream = FakeStream(filter)
            stream.requestHead(last: true)
            stream.clusterAttached(cluster)
            stream.responseHead(503, last: true)
            return stream
        }
        #expect(streams.map(isTried) == [true, false, true])
        for stream in streams { stream.close() }
        // A client that goes away gives its place back.
        let next = FakeStream(filter)
        begin(next)
        next.responseHead(503)
        #expect(isTried(next))
        next.close()
    }

    @Test("where the cluster has no room for further tries the answer goes by, and the place is free again")
    func clusterLimit() throws {
        let filter = try worker.make(Retry.self, config: "on: [ 5xx ]\nmax_concurrent: 1")
        for hasRoom in [false, true] {
            let stream = FakeStream(filter)
            stream.hasRoomForReplay = hasRoom
            begin(stream)
            stream.responseHead(503, last: true)
            #expect(isTried(stream) == hasRoom)
            #expect(stream.above.hasHead == !hasRoom)
            stream.close()
        }
        #expect(worker.value(of: "retry.retry_overflow") == 1)
    }

    @Test("upstream and client are told which try it is")
    func attemptCount() throws {
        let stream = try stream("on: [ 5xx ]\nattempt_count: both")
        begin(stream)
        #expect(stream.below.values("x-envoy-attempt-count") == ["1"])
        stream.responseHead(503)
        pause(stream)
        #expect(fields(stream, "x-envoy-attempt-count") == ["2"])
        stream.clusterAttached(app)
        stream.responseHead(200, last: true)
        #expect(stream.above.values("x-envoy-attempt-count") == ["2"])
        stream.close()
    }

    // MARK: gRPC

    private let grpc: KeyValuePairs = ["content-type": "application/grpc"]

    @Test("a gRPC call that failed in its head is tried again, though it is a POST")
    func grpcHead() throws {
        let stream = try stream("on: [ unavailable ]", .fake("POST"))
        begin(stream)
        stream.responseHead(200, ["content-type": "application/grpc", "grpc-status": "14"], last: true)
        #expect(isTried(stream))
        stream.close()
    }

    @Test("a gRPC call that failed in its trailers is tried again where answers are held back")
    func grpcTrailers() throws {
        for (limit, status, isTried) in [("64KiB", "14", true), ("64KiB", "5", false), ("0", "14", false)] {
            let stream = try stream("on: [ unavailable ]\ngrpc_hold_back: \(limit)", .fake("POST"))
            begin(stream)
            stream.responseHead(200, grpc)
            stream.responseBody("message")
            #expect(stream.above.hasHead == (limit == "0"))
            stream.responseTrailers(["grpc-status": status])
            #expect(self.isTried(stream) == isTried)
            #expect(stream.above.text == (isTried ? "" : "message"))
            #expect(stream.above.isComplete == !isTried)
            stream.close()
        }
    }

    @Test("a gRPC answer over the limit goes by as it comes")
    func grpcLimit() throws {
        let stream = try stream("on: [ unavailable ]\ngrpc_hold_back: 8B", .fake("POST"))
        begin(stream)
        stream.responseHead(200, grpc)
        stream.responseBody("12345678")
        #expect(!stream.above.hasHead)
        stream.responseBody("9")
        #expect(stream.above.text == "123456789")
        stream.responseTrailers(["grpc-status": "14"])
        #expect(!isTried(stream))
        #expect(stream.above.isComplete)
        stream.close()
    }

    // MARK: Settings

    @Test("a route may have another policy, or none")
    func routes() throws {
        for (edit, isTried) in [
            ({ $0.attempts = 0 }, false), ({ $0.on = [.gatewayError] }, false), ({ _ in }, true),
        ] as [((inout Retry.RouteSettings) -> Void, Bool)] {
            let stream = try stream("on: [ 5xx ]")
            var settings = Retry.RouteSettings()
            edit(&settings)
            stream.routeSettings = settings
            begin(stream)
            stream.responseHead(500, last: true)
            #expect(self.isTried(stream) == isTried)
            stream.close()
        }
    }

    @Test(
        "settings that cannot work are refused",
        arguments: [
            "on: []", "attempts: -1", "on: [ retriable-status-codes ]", "status_codes: [ 500 ]",
            "on: [ retriable-headers ]", "on: [ 5xx ]\ngrpc_hold_back: 1KiB", "backoff: { base: 1s, max: 10ms }",
            "budget: { window: 1ms }", "max_concurrent: 0", "on: [ often ]",
            "on: [ retriable-status-codes ]\nstatus_codes: [ 99 ]",
        ])
    func refused(config: String) {
        #expect(throws: ConfigurationFault.self) { try worker.make(Retry.self, config: config) }
    }
}
