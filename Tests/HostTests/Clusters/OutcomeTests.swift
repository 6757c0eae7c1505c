import FilterAPI
import Testing

@testable import Host

@Suite("How a try ended")
struct OutcomeTests {
    @Test(
        "follows from the status of an answer",
        arguments: [
            (101, Outcome.success), (200, .success), (404, .success), (499, .success), (500, .serverError),
            (501, .serverError), (502, .gatewayError), (503, .gatewayError), (504, .gatewayError), (505, .serverError),
            (599, .serverError),
        ])
    func status(code: Int, outcome: Outcome) { #expect(Outcome(status: code) == outcome) }

    @Test(
        "follows from the status of a gRPC call, where the answer is one",
        arguments: [
            ("0", Outcome.success), ("1", .success), ("2", .serverError), ("3", .success), ("4", .gatewayError),
            ("5", .success), ("8", .success), ("12", .serverError), ("13", .serverError), ("14", .gatewayError),
            ("15", .serverError), ("16", .success), ("17", .serverError),
        ])
    func grpc(text: String, outcome: Outcome) {
        #expect(of(200, "application/grpc", grpc: text, last: true) == outcome)
        var trailers = Headers()
        trailers.add(.grpcStatus, text)
        #expect(GRPCStatus(in: trailers).map(Outcome.init) == outcome)
    }

    @Test("of a call waits for the trailers")
    func waiting() {
        #expect(of(200, "application/grpc", grpc: nil, last: false) == nil)
        #expect(of(200, "application/grpc+proto", grpc: nil, last: false) == nil)
        #expect(of(200, "Application/gRPC; x=1", grpc: nil, last: false) == nil)
        #expect(of(200, "application/grpc", grpc: nil, last: true) == .success)
        #expect(of(503, "application/grpc", grpc: nil, last: false) == .gatewayError)
    }

    @Test("does not wait where the answer is no call")
    func notCalls() {
        #expect(of(200, "application/grpc-web", grpc: nil, last: true) == .success)
        #expect(of(200, "application/grp", grpc: "14", last: true) == .success)
        #expect(of(200, nil, grpc: "14", last: true) == .success)
    }

    @Test("An answer that begins well may break off, and says nothing before its end")
    func beginning() {
        #expect(of(200, nil, grpc: nil, last: false) == nil)
        #expect(of(500, nil, grpc: nil, last: false) == .serverError)
    }

    private func of(_ status: Int, _ type: String?, grpc: String?, last: Bool) -> Outcome? {
        var head = ResponseHead()
        head.status = Status(status)
        if let type { head.headers.add(.contentType, type) }
        if let grpc { head.headers.add(.grpcStatus, grpc) }
        return Outcome.of(head, last: last)
    }
}
