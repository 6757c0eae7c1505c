internal import Engine
internal import FilterAPI

/// Whom a worker is to ask what, and who wants to know.
struct ProbeOrder: Sendable {
    /// The watch's number.
    let watch: UInt64
    let cluster: ClusterID
    let endpoint: EndpointList.Entry
    let check: HealthCheck
    let link: HealthLink
}
