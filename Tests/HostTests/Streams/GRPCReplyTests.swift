import FilterAPI
import Testing

@testable import Host

@Suite("Answers for gRPC clients") struct GRPCReplyTests {
    @Test(
        "a status of HTTP becomes one of gRPC",
        arguments: [
            (400, 13), (401, 16), (403, 7), (404, 12), (429, 14), (500, 2), (502, 14), (503, 14), (504, 14), (413, 2),
        ])
    func statuses(status: Int, outcome: Int) {
        var head = ResponseHead()
        head.status = Status(status)
        GRPCReply.shape(&head, outcome: nil, text: "no\n")
        #expect(head.status.code == 200)
        #expect(head.headers[.grpcStatus] == "\(outcome)")
        #expect(head.headers[.grpcMessage] == "no")
        #expect(head.headers[.contentType] == "application/grpc")
        #expect(head.bodyLength == .none)
    }

    @Test("what is known better than the status says counts, and what a filter has set counts most")
    func outcomes() {
        var head = ResponseHead()
        head.status = 504
        GRPCReply.shape(&head, outcome: .deadlineExceeded, text: "late")
        #expect(head.headers[.grpcStatus] == "4")
        var own = ResponseHead()
        own.status = 503
        own.headers.set(.grpcStatus, 8)
        GRPCReply.shape(&own, outcome: .deadlineExceeded, text: "full")
        #expect(own.headers[.grpcStatus] == "8")
    }

    @Test(
        "texts are percent-encoded, without the end of the line",
        arguments: [("a b\n", "a b"), ("100%", "100%25"), ("\u{e9}", "%C3%A9"), ("a\r\nb", "a%0D%0Ab"), ("", "")])
    func texts(text: String, encoded: String) { #expect(GRPCReply.encoded(text) == encoded) }

    @Test("a call that a filter has answered well is left as it is")
    func wanted() {
        var good = ResponseHead()
        good.headers.set(.contentType, "application/grpc")
        good.headers.set(.grpcStatus, 0)
        let isGoodWanted = GRPCReply.isWanted(good)
        #expect(!isGoodWanted)
        let isPlainWanted = GRPCReply.isWanted(ResponseHead())
        #expect(!isPlainWanted)
        var bad = ResponseHead()
        bad.status = 503
        let isBadWanted = GRPCReply.isWanted(bad)
        #expect(isBadWanted)
    }

    @Test(
        "an answer ends with trailers only where its client is sure to read them",
        arguments: [
            ("application/grpc", true, true), ("application/grpc+proto", true, true),
            ("application/grpc", false, false),
            ("application/grpc-web+proto", true, true), ("application/grpc-web-text", false, true),
            ("text/html", true, false),
        ])
    func canEnd(type: String, isHTTP2: Bool, expected: Bool) {
        var head = ResponseHead()
        head.status = 200
        head.headers.set(.contentType, type)
        let isGood = GRPCReply.canEnd(head, isHTTP2: isHTTP2)
        #expect(isGood == expected)
        head.headers.set(.contentLength, 5)
        let withLength = GRPCReply.canEnd(head, isHTTP2: isHTTP2)
        #expect(!withLength)
    }
}
