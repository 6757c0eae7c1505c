public import FilterAPI

/// A request that a filter has in hand: to look at, to change, to answer, or to let go on by ``Next``.
public struct AsyncRequest: ~Copyable, AsyncMessage {
    /// The stream that it belongs to.
    public let stream: AsyncStreamHandle

    init(_ exchange: Exchange) {
        stream = AsyncStreamHandle(exchange: exchange, round: exchange.round)
    }

    /// The head. Do not keep access to it over an `await`.
    public var head: RequestHead {
        _read {
            if let host = stream.host { yield unsafe host.requestHead.pointee } else { yield RequestHead() }
        }
        _modify {
            if let host = stream.host {
                yield unsafe &host.requestHead.pointee
            } else {
                var nothing = RequestHead()
                yield &nothing
            }
        }
    }

    /// The body, piece by piece.
    ///
    /// What is read is kept, and goes on with the request all the same: for looking at. It may be as long as the
    /// listener's `hold_limit` (1 MiB); to change a body of any length use ``mapBody(_:)``.
    public var body: AsyncBody {
        AsyncBody(port: stream.exchange.requestBody, round: stream.exchange.requestBody.round)
    }

    /// Changes the body on its way down, piece by piece, after the request was let go on.
    ///
    /// `Content-Length` is removed from the head.
    ///
    /// - Parameter change: what a piece becomes; nothing to drop it. A piece that takes time holds what is behind it.
    public mutating func mapBody(_ change: @escaping BodyChange) {
        guard stream.host != nil else { return }
        head.headers.remove(.contentLength)
        if head.bodyLength != .none { head.bodyLength = .unknown }
        stream.exchange.requestMap = BodyMap(stream.exchange, isRequest: true, change)
    }
}
