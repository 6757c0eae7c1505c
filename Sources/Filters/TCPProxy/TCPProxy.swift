public import FilterAPI

/// Joins each connection to one of a cluster's endpoints, byte for byte.
public final class TCPProxy: ByteTerminal {
    /// The beginning of a connection only: its bytes pass by themselves.
    public static let interest: Interest = .lifetime

    /// Name and summary.
    public static let manifest = Manifest(
        id: "tcp_proxy", summary: "Passes the bytes of each connection to a cluster and back.")

    private let cluster: ClusterID
    private let attachment: Attachment
    private let hashesSource: Bool

    /// Looks the cluster up.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        guard let to = settings.to else { throw ConfigurationFault("there is no cluster", key: "to") }
        cluster = worker.cluster(to)
        var attachment = Attachment()
        attachment.timeout = nil
        attachment.idleTimeout = settings.idleTimeout
        self.attachment = attachment
        hashesSource = settings.hashSource
    }

    /// Attaches the cluster.
    public func open(_ stream: inout Stream) throws(Fault) -> Void? {
        var attachment = attachment
        if hashesSource {
            // SAFETY: the string outlives the span.
            let address = stream.connection.remoteIP
            attachment.hash = HashRule.hash(unsafe address.utf8Span.span.bytes)
        }
        stream.attach(cluster, attachment)
        return ()
    }
}
