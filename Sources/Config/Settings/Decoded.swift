package import FilterAPI

/// Settings that were read without an error.
package struct Decoded<Value: SettingsStruct>: Sendable {
    /// The settings.
    package let value: Value
    /// The clusters that they name, for the host to look up.
    package let clusterUses: [ClusterReference]
}

/// The use of a cluster's name somewhere in the file.
package struct ClusterReference: Sendable {
    /// The name.
    package let cluster: String
    /// Where it stands; nil if it is a default of settings that the file does not mention.
    package let place: Place?
    /// The node that holds the name; nil where a default names the cluster.
    package let node: Node?
    /// Whether it is for whole connections of clients, and not for requests; the host says so.
    package var isForConnections = false
}
