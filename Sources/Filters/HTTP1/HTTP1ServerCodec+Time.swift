internal import FilterAPI

/// How long the codec waits for a client. A limit of 0 is none.
extension HTTP1ServerCodec {
    /// For the next request.
    func waitForRequest(_ state: ConnectionState, _ link: inout CodecLink) {
        wait(settings.idleTimeout, since: state.accepted, settings.maxConnectionDuration, &link)
    }

    /// For more of the request that has begun.
    func waitForMore(_ limit: Duration, _ state: ConnectionState, _ link: inout CodecLink) {
        wait(limit, since: state.requestStart, settings.requestTimeout, &link)
    }

    /// Whether the connection has lived for as long as it may.
    @inline(__always)
    func isAged(_ state: ConnectionState, _ now: Instant) -> Bool {
        settings.maxConnectionDuration > .zero && now.since(state.accepted) >= settings.maxConnectionDuration
    }

    /// Waits for `limit`, or for what is left of the whole time where that is less.
    @inline(__always)
    private func wait(_ limit: Duration, since start: Instant, _ whole: Duration, _ link: inout CodecLink) {
        if whole > .zero {
            let left = max(whole - link.now.since(start), .zero)
            return link.arm(after: limit > .zero ? min(limit, left) : left)
        }
        if limit > .zero { link.arm(after: limit) } else { link.disarm() }
    }
}
