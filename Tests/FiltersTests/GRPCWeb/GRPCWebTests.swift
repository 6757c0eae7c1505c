import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("Calls of gRPC-Web")
struct GRPCWebTests {
    private let worker = FakeWorker()
    private let message: [UInt8] = [0, 0, 0, 0, 5, 1, 2, 0xFE, 0xFF, 0]

    private func call(
        _ type: String = "application/grpc-web+proto", _ fields: KeyValuePairs<String, String> = [:],
        method: String = "POST"
    ) throws -> FakeStream<GRPCWeb> {
        let stream = FakeStream(try worker.make(GRPCWeb.self), .fake(method, "/a.B/C", fields: fields))
        stream.request.headers.add(.contentType, type)
        return stream
    }

    private func answer(_ stream: FakeStream<GRPCWeb>, type: String = "application/grpc") {
        stream.responseHead(200, ["content-type": type, "trailer": "grpc-status"])
        stream.responseBody(bytes: message)
        stream.responseTrailers(["Grpc-Status": "0", "grpc-message": "so%20it%20is", "x-raw-bin": "AAE="])
    }

    // MARK: Requests

    @Test(
        "becomes a call of gRPC, with the format of its messages",
        arguments: [
            ("application/grpc-web", "application/grpc"), ("application/grpc-web+proto", "application/grpc+proto"),
            ("application/grpc-web+json; charset=utf-8", "application/grpc+json"),
            ("Application/gRPC-Web-Text", "application/grpc"),
            ("application/grpc-web-text+proto", "application/grpc+proto"),
        ])
    func request(type: String, becomes: String) throws {
        let stream = try call(type, ["grpc-timeout": "1S", "te": "gzip"])
        stream.requestHead()
        #expect(stream.below.values("content-type") == [becomes])
        #expect(stream.below.values("te") == ["trailers"] && stream.below.values("grpc-timeout") == ["1S"])
        stream.close()
    }

    @Test(
        "other requests go by untouched",
        arguments: [
            ("application/grpc", "POST"), ("application/grpc-webs", "POST"), ("text/plain", "POST"),
            ("application/grpc-web", "OPTIONS"), ("application/grpc-web-text", "GET"), ("application/json", "OPTIONS"),
        ])
    func others(type: String, method: String) throws {
        let stream = try call(type, method: method)
        #expect(stream.requestHead() == .leave)
        stream.requestBody("!!", last: true)
        stream.responseHead(200, ["content-type": "application/grpc"])
        stream.responseBody(bytes: message)
        stream.responseTrailers(["grpc-status": "0"])
        stream.close()
        #expect(stream.below.values("content-type") == [type] && stream.below.text == "!!")
        #expect(stream.above.values("content-type") == ["application/grpc"] && stream.above.body == message)
        #expect(stream.fault == nil && stream.above.trailers.map(\.value) == ["0"])
    }

    @Test("a body as bytes goes on as it is, with its length")
    func binary() throws {
        let stream = try call("application/grpc-web", ["content-length": "10"])
        stream.requestHead()
        stream.requestBody(bytes: message, last: true)
        stream.close()
        #expect(stream.below.body == message && stream.below.values("content-length") == ["10"])
    }

    @Test("a body as text is decoded, wherever it is cut and wherever it is padded")
    func text() throws {
        let whole = GRPCWebBody.encoded(message + message)
        let padded =
            GRPCWebBody.encoded(message) + GRPCWebBody.encoded(Array(message[..<2])) + GRPCWebBody.encoded(message)
        for (text, bytes) in [(whole, message + message), (padded, message + message[..<2] + message), ([], [])] {
            try Splitter.forEachSplit(of: text) { pieces in
                let stream = try call("application/grpc-web-text", ["content-length": "\(text.count)"])
                stream.requestHead()
                for piece in pieces { stream.requestBody(bytes: piece) }
                stream.requestBody(bytes: [], last: true)
                #expect(stream.fault == nil && stream.below.body == bytes && stream.below.isComplete)
                #expect(stream.below.values("content-length") == [])
                stream.close()
            }
        }
    }

    @Test(
        "text that is not Base64 is refused",
        arguments: ["A", "AAA", "AAAA=", "A===", "AA=A", "AA*=", "AAAA\n", "AAA-", "AB==", "AAB=", "AAAA=AAA", "===="])
    func notBase64(text: String) throws {
        Splitter.forEachSplit(of: text) { pieces in
            guard let stream = try? call("application/grpc-web-text") else { return }
            stream.requestHead()
            for piece in pieces { stream.requestBody(bytes: piece) }
            stream.requestBody(bytes: [], last: true)
            #expect("\(stream.fault?.reason ?? "none")" == "grpc_web.bad_base64", "\(pieces)")
            #expect(stream.fault?.kind == .badRequest)
            stream.close()
        }
    }

    @Test("trailers of a request end its text")
    func requestTrailers() throws {
        for (text, isGood) in [("AAAA", true), ("AAA", false)] {
            let stream = try call("application/grpc-web-text")
            stream.requestHead()
            stream.requestBody(text)
            stream.requestTrailers(["x-a": "b"])
            #expect((stream.fault == nil) == isGood)
            stream.close()
        }
    }

    // MARK: Answers

    @Test("trailers become the last message")
    func trailers() throws {
        let stream = try call()
        stream.requestHead(last: true)
        answer(stream)
        stream.close()
        #expect(stream.above.values("content-type") == ["application/grpc-web+proto"])
        #expect(GRPCWebBody.messages(stream.above.body) == message)
        #expect(
            GRPCWebBody.trailers(stream.above.body)
                == "grpc-status: 0\r\ngrpc-message: so%20it%20is\r\nx-raw-bin: AAE=\r\n")
        #expect(stream.above.isComplete && stream.above.trailers.map(\.value) == ["0"])
    }

    @Test(
        "the answer is written as the client asks",
        arguments: [
            ("application/grpc-web", nil, false), ("application/grpc-web-text", nil, true),
            ("application/grpc-web-text", "*/*", true), ("application/grpc-web", "application/grpc-web-text", true),
            ("application/grpc-web-text+proto", "application/grpc-web+proto", false),
            ("application/grpc-web", "text/html, application/grpc-web-text+proto", true),
        ] as [(String, String?, Bool)])
    func accept(type: String, accept: String?, isText: Bool) throws {
        let stream = try call(type)
        if let accept { stream.request.headers.add(.accept, accept) }
        stream.requestHead(last: true)
        answer(stream, type: "application/grpc+thrift")
        stream.close()
        #expect(
            stream.above.values("content-type") == ["application/grpc-web\(isText ? "-text" : "")+thrift"])
        let body = isText ? GRPCWebBody.decoded(stream.above.body) ?? [] : stream.above.body
        #expect(GRPCWebBody.messages(body) == message && GRPCWebBody.trailers(body)?.isEmpty == false)
    }

    @Test("an answer as text reads the same, wherever it is cut, and no piece waits for the next")
    func answerAsText() throws {
        let bytes = message + message
        try Splitter.forEachSplit(of: bytes) { pieces in
            let stream = try call("application/grpc-web-text")
            stream.requestHead(last: true)
            stream.responseHead(200, ["content-type": "application/grpc"])
            var sent = 0
            for piece in pieces {
                stream.responseBody(bytes: piece)
                sent += piece.count
                #expect(GRPCWebBody.decoded(stream.above.body)?.count == sent)
            }
            stream.responseTrailers(["grpc-status": "5"])
            let body = GRPCWebBody.decoded(stream.above.body) ?? []
            #expect(GRPCWebBody.messages(body) == bytes && GRPCWebBody.trailers(body) == "grpc-status: 5\r\n")
            stream.close()
        }
    }

    @Test("an answer that is only a head stays one")
    func trailersOnly() throws {
        let stream = try call("application/grpc-web-text")
        stream.requestHead(last: true)
        stream.responseHead(
            200, ["content-type": "application/grpc", "grpc-status": "12", "grpc-message": "no"], last: true)
        stream.close()
        #expect(stream.above.isComplete && stream.above.body.isEmpty)
        #expect(stream.above.values("content-type") == ["application/grpc-web-text+proto"])
        #expect(stream.above.values("grpc-status") == ["12"] && stream.above.values("grpc-message") == ["no"])
    }

    @Test("an answer that is not gRPC goes by untouched")
    func otherAnswer() throws {
        let stream = try call("application/grpc-web-text")
        stream.requestHead(last: true)
        stream.responseHead(502, ["content-type": "text/html", "content-length": "4"])
        stream.responseBody("oops")
        stream.responseTrailers(["x-a": "b"])
        stream.close()
        #expect(stream.above.text == "oops" && stream.above.values("content-length") == ["4"])
        #expect(stream.above.values("content-type") == ["text/html"] && stream.above.trailers.count == 1)
    }

    @Test("an answer that ends without trailers gets none: the client sees that it is not complete")
    func noTrailers() throws {
        let stream = try call()
        stream.requestHead(last: true)
        stream.responseHead(200, ["content-type": "application/grpc"])
        stream.responseBody(bytes: message, last: true)
        stream.close()
        #expect(stream.above.body == message && stream.above.isComplete)
    }
}
