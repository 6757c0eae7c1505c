internal import FilterAPI

/// The rest of the chain, which a filter may let a request go on to, once.
public struct Next: ~Copyable {
    private let exchange: Exchange
    private let round: UInt64

    init(_ exchange: Exchange) {
        self.exchange = exchange
        round = exchange.round
    }

    /// Lets the request go on as it now stands, and waits for the answer's head.
    ///
    /// The bodies pass by without the filter meanwhile, unless it reads or changes them.
    ///
    /// - Returns: the answer of what is below.
    /// - Throws: the ``/FilterAPI/Fault`` of what is below, where there is no answer: catch it to answer in its place;
    ///   `CancellationError` where the stream has ended.
    public nonisolated(nonsending) consuming func callAsFunction(
        _ request: consuming AsyncRequest
    ) async throws -> AsyncResponse {
        try await exchange.forward(round)
        return AsyncResponse(exchange)
    }
}
