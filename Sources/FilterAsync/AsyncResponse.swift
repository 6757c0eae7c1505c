public import FilterAPI

/// An answer that a filter has in hand: that of the chain below, or one of its own.
public struct AsyncResponse: ~Copyable, AsyncMessage {
    /// The stream that it belongs to.
    public let stream: AsyncStreamHandle
    private let reply: LocalReply?

    init(_ exchange: Exchange) {
        stream = AsyncStreamHandle(exchange: exchange, round: exchange.round)
        reply = nil
    }

    init(_ stream: AsyncStreamHandle, reply: LocalReply) {
        self.stream = stream
        self.reply = reply
    }

    var outcome: Exchange.Outcome { reply.map { .reply($0) } ?? .pass }

    /// The status.
    public var status: Status { reply?.status ?? head.status }

    /// The head of what is below; an empty one for an answer of the filter's own. Do not keep access to it over an
    /// `await`.
    public var head: ResponseHead {
        _read {
            if reply == nil, let host = stream.host {
                yield unsafe host.responseHead.pointee
            } else {
                yield ResponseHead()
            }
        }
        _modify {
            if reply == nil, let host = stream.host {
                yield unsafe &host.responseHead.pointee
            } else {
                var nothing = ResponseHead()
                yield &nothing
            }
        }
    }

    /// The body, piece by piece. What is read is kept, and goes on all the same; see ``AsyncRequest/body``.
    public var body: AsyncBody {
        AsyncBody(port: stream.exchange.responseBody, round: stream.exchange.responseBody.round)
    }

    /// Changes the body on its way up, piece by piece, after the filter has returned; see ``AsyncRequest/mapBody(_:)``.
    public mutating func mapBody(_ change: @escaping BodyChange) {
        guard reply == nil, stream.host != nil else { return }
        head.headers.remove(.contentLength)
        if head.bodyLength != .none { head.bodyLength = .unknown }
        stream.exchange.responseMap = BodyMap(stream.exchange, isRequest: false, change)
    }
}
