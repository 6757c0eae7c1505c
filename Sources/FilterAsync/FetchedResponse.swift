public import FilterAPI

/// The answer to a filter's own request; see ``AsyncMessage/fetch(_:from:)``.
///
/// Whoever lets go of it before its body has ended gives the rest up, and the connection with it.
public final class FetchedResponse {
    /// Status and fields.
    public var head = ResponseHead()
    let port = BodyPort()
    private var line: (any FetchLine)?
    private var waiter = Waiter()
    private var fault: Fault?
    private var isOver = false
    private let executor: LoopExecutor
    /// What may wait here before the upstream is not read from.
    private static let most = 64 << 10

    init(executor: LoopExecutor) {
        self.executor = executor
        port.wantsMore = { [unowned self] in line?.readOn() }
    }

    deinit { line?.cancel() }

    /// The status.
    public var status: Status { head.status }

    /// The body, as it comes.
    public var body: AsyncBody { AsyncBody(port: port, round: port.round) }

    /// The whole body as text.
    ///
    /// - Parameter limit: the most bytes that are wanted.
    public nonisolated(nonsending) func text(upTo limit: ByteSize = .kibibytes(64)) async throws -> String {
        String(decoding: try await body.collect(upTo: limit), as: UTF8.self)
    }

    func begin(_ start: (any FetchReceiver) -> any FetchLine) {
        line = start(Receiver(self))
    }

    /// Waits for the head.
    nonisolated(nonsending) func headArrived() async throws {
        if !isOver { unsafe await withUnsafeContinuation { unsafe waiter.set($0) } }
        if let fault { throw fault }
        try Task.checkCancellation()
    }

    /// The stream that it was for has ended.
    func cancel() {
        line = nil
        executor.attend {
            over()
            port.fail(CancellationError())
        }
    }

    private func over() {
        isOver = true
        if let waiting = unsafe waiter.take() { unsafe waiting.resume() }
    }

    /// What the host holds on to, so that this object ends when nobody else wants it.
    private final class Receiver: FetchReceiver {
        weak var response: FetchedResponse?

        init(_ response: FetchedResponse) { self.response = response }

        var isFull: Bool { response.map { $0.port.byteCount >= FetchedResponse.most } ?? false }

        func fetchedHead(_ head: inout ResponseHead, last: Bool) {
            guard let response else { return }
            response.head.assign(from: head)
            response.executor.attend {
                if last { response.ended() }
                response.over()
            }
        }

        func fetchedBody(_ chunk: consuming ByteChunk, last: Bool) {
            guard let response else { return }
            var chunk = chunk
            response.executor.attend {
                if last { response.line = nil }
                response.port.push(chunk.take(), last: last)
            }
        }

        func fetchFailed(_ fault: Fault) {
            guard let response else { return }
            response.line = nil
            response.executor.attend {
                if !response.isOver { response.fault = fault }
                response.port.fail(fault)
                response.over()
            }
        }
    }

    private func ended() {
        line = nil
        port.push(ByteChunk(), last: true)
    }
}
