public import FilterAPI

/// Turns calls of gRPC-Web into calls of gRPC, and their answers back (gRPC-Web, Protocol differences vs gRPC over HTTP2).
///
/// What browsers cannot do is done differently there: trailers are a last message in the body, and bodies may be Base64.
/// Other requests, a browser's preflight among them, go by untouched.
public final class GRPCWeb: HTTPFilter {
    /// What is kept of one stream.
    public struct State {
        /// How the client speaks; nil for a request that is no call of gRPC-Web.
        var form: GRPCWebForm?
        /// How it wants to be answered.
        var answer = GRPCWebForm.binary
        var reader = Base64Reader()
        /// The answer is one of gRPC, and is being changed.
        var isChanging = false
    }

    /// Both messages whole.
    public static let interest: Interest = [
        .lifetime, .requestHead, .requestBody, .requestTrailers, .responseHead, .responseBody, .responseTrailers,
    ]

    /// Name and summary.
    public static let manifest = Manifest(
        id: "grpc_web", summary: "Lets clients of gRPC-Web, such as browsers, call gRPC services.",
        reasons: [
            .init(
                "grpc_web.bad_base64", [.badRequest],
                "The body of a call of gRPC-Web as text is not in Base64, or ends in the middle of it.",
                lookAt: "The client: whether it sends what its `content-type` says.")
        ])

    /// There is nothing to set.
    public init(_ settings: NoSettings, on worker: inout WorkerContext) throws(ConfigurationFault) {}

    /// Begins with nothing to do.
    public func open(_ stream: inout Stream) throws(Fault) -> State? { State() }

    // MARK: Requests

    /// Looks whether it is a call of gRPC-Web, and makes one of gRPC of it.
    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        let index = head.headers.index(of: .contentType)
        guard head.method == .post, index >= 0, let type = GRPCWebType(of: head.headers.value(at: index)) else {
            return .leave
        }
        state.form = type.form
        state.answer = head.headers.withValue(.accept) { GRPCWebForm(asking: $0) }.flatMap(\.self) ?? type.form
        head.headers.set(.contentType, "application/grpc" + type.format)
        head.headers.set(.te, "trailers")
        if type.form == .text, !last {
            head.headers.remove(.contentLength)
            head.bodyLength = .unknown
        }
        return .next
    }

    /// Decodes a piece.
    public func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard state.form == .text else { return state.form == nil ? .leave : .next }
        if !chunk.isEmpty { chunk = try state.reader.decode(chunk, stream) }
        if last { try state.reader.end() }
        return chunk.isEmpty && !last ? .taken : .next
    }

    /// Ends the body, of which no piece was the last.
    public func requestTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        try state.reader.end()
        return .next
    }

    // MARK: Responses

    /// Looks whether it is an answer of gRPC.
    ///
    /// One that is only a head stays one: its fields are the trailers (gRPC-Web, Trailers-only).
    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard state.form != nil, head.headers.isGRPC else { return .leave }
        let index = head.headers.index(of: .contentType)
        let format = GRPCWebType.format(of: head.headers.value(at: index).extracting(droppingFirst: 16))
        let form = state.answer == .text ? "application/grpc-web-text" : "application/grpc-web"
        head.headers.set(.contentType, form + (format.isEmpty ? "+proto" : format))
        guard !last else { return .next }
        head.headers.remove(.contentLength)
        head.bodyLength = .unknown
        state.isChanging = true
        return .next
    }

    /// Encodes a piece, each by itself: a message must not wait for the next.
    public func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        if state.isChanging, state.answer == .text, !chunk.isEmpty { chunk = Base64Writer.encode(chunk, stream) }
        return .next
    }

    /// Puts the trailers into the body. The status alone stays in its place too, for logs and the filters above.
    public func responseTrailers(
        _ trailers: inout Headers, _ state: inout State, _ stream: inout Stream
    ) throws(Fault) -> Step {
        guard state.isChanging else { return .next }
        let frame = GRPCWebTrailers.frame(trailers, stream)
        stream.sendAbove(state.answer == .text ? Base64Writer.encode(frame, stream) : frame)
        var index = trailers.count
        while index > 0 {
            index -= 1
            if !trailers.isName(.grpcStatus, at: index) { trailers.remove(at: index) }
        }
        return .next
    }
}
