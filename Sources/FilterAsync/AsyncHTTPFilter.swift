public import FilterAPI

/// An HTTP filter that is written as one function from the request to the response, for filters that wait for things.
///
/// ```swift
/// public final class Timing: AsyncHTTPFilter {
///     public nonisolated(nonsending) func handle(
///         _ request: consuming AsyncRequest, next: consuming Next
///     ) async throws -> AsyncResponse {
///         let begin = request.now
///         var response = try await next(request)
///         response.head.headers.set(name, "\(response.now.since(begin))")
///         return response
///     }
/// }
/// ```
///
/// The function runs on the worker's own thread, between its other events: what the filter keeps needs no lock, and
/// nothing in it may block. Where it does not wait for anything but ``Next`` no turn of the loop is lost, and nothing is
/// allocated. While it waits the request is held.
///
/// When the stream ends, because the client has left for one, the task is cancelled: whatever it waits for throws, and
/// what it returns is of no consequence.
///
/// The other events of ``/FilterAPI/HTTPFilter`` are the adaptor's: do not implement them.
public protocol AsyncHTTPFilter: HTTPFilter where State == AsyncState {
    /// From a request to its answer.
    ///
    /// - Parameters:
    ///   - request: head and body.
    ///   - next: the rest of the chain. Whoever does not call it answers by ``AsyncRequest/reply(_:body:fields:)``.
    /// - Throws: a ``/FilterAPI/Fault`` becomes the answer that it stands for. Anything else is the filter's own failure: 500.
    nonisolated(nonsending) func handle(
        _ request: consuming AsyncRequest, next: consuming Next
    ) async throws -> AsyncResponse
}

// swift-format-ignore: AllPublicDeclarationsHaveDocumentation
extension AsyncHTTPFilter {
    public static var interest: Interest {
        [
            .requestHead, .requestBody, .requestTrailers, .responseHead, .responseBody, .responseTrailers, .faultBelow,
            .lifetime,
        ]
    }

    public func open(_ stream: inout FilterAPI.Stream) throws(Fault) -> AsyncState? { AsyncState() }

    public func requestHead(
        _ head: inout RequestHead, last: Bool, _ state: inout AsyncState, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        let exchange = unsafe AsyncWorker.of(stream.host.seat).takeExchange()
        state.exchange = exchange
        exchange.begin(self, &stream, last: last)
        return try exchange.requestHead(last: last, &stream)
    }

    public func requestBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout AsyncState, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step {
        try state.exchange?.requestBody(&chunk, last: last, &stream) ?? .leave
    }

    public func requestTrailers(
        _ trailers: inout Headers, _ state: inout AsyncState, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step { try state.exchange?.requestTrailers(&stream) ?? .leave }

    public func responseHead(
        _ head: inout ResponseHead, last: Bool, _ state: inout AsyncState, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step { try state.exchange?.responseHead(last: last, &stream) ?? .leave }

    public func responseBody(
        _ chunk: inout ByteChunk, last: Bool, _ state: inout AsyncState, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step { try state.exchange?.responseBody(&chunk, last: last, &stream) ?? .leave }

    public func responseTrailers(
        _ trailers: inout Headers, _ state: inout AsyncState, _ stream: inout FilterAPI.Stream
    ) throws(Fault) -> Step { try state.exchange?.responseTrailers(&stream) ?? .leave }

    public func faultBelow(
        _ fault: Fault, _ state: inout AsyncState, _ stream: inout FilterAPI.Stream
    ) throws(Fault) { try state.exchange?.faultArrived(fault, &stream) }

    public func wake(_ state: inout AsyncState, _ stream: inout FilterAPI.Stream) throws(Fault) {
        state.exchange?.woken(&stream)
    }

    public func close(_ state: inout AsyncState, _ ending: Ending, _ stream: inout FilterAPI.Stream) {
        guard let exchange = state.exchange else { return }
        state.exchange = nil
        if exchange.close() { exchange.worker.put(exchange) }
    }
}
