/// Which way a listener's traffic goes, seen from the service that Sluice stands beside.
package enum TrafficDirection: String, Codable, Sendable, CaseIterable {
    /// From others to the service. Closes first at the end.
    case inbound
    /// From the service to others. Stays open until nothing can need it any more.
    case outbound
}
