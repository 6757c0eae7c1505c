internal import FilterAPI

/// A request that is delayed, on its own worker only.
final class DelayedRequest {
    private var token: Resumption?

    init(_ token: consuming Resumption) { self.token = consume token }

    /// Lets the request go on. Where its stream has been answered or has ended meanwhile nothing happens.
    func letGo() {
        guard let token = token.take() else { return }
        token.resume()
    }
}
