public import FilterAPI

/// A request of the filter's own.
public struct RecordedFetch: Sendable {
    /// By which the filter knows it.
    public let id: FetchID
    /// Where it goes; ``FakeWorker/name(of:)`` tells the name.
    public let cluster: ClusterID
    /// What was sent.
    public var request: RecordedRequest
    /// How long the filter would wait.
    public let timeout: Duration
}

/// A request that has no answer yet, and how its answer gets to the filter.
struct OpenFetch {
    let id: FetchID
    let isRequest: Bool
    let token: UInt32
    let receiver: (any FetchReceiver)?
    var isCancelled = false
}
