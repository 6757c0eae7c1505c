/// Collects what ``SettingsStruct/validate(_:)`` has to say; the host shows it at the right line and column.
public struct SettingsCheck {
    /// One finding about one key of the value that is being checked.
    package struct Finding {
        package var key: String
        package var message: String
        package var hint: String?
        package var isWarning: Bool
    }

    /// The use of a cluster's name, to be resolved when the whole file has been read.
    package struct ClusterUse {
        package var key: String
        package var cluster: String
    }

    package private(set) var findings: [Finding] = []
    package private(set) var clusterUses: [ClusterUse] = []

    /// Whether the filter stands in a listener's chain or a cluster's; nil for settings of no filter.
    public let side: Side?

    package init(side: Side? = nil) { self.side = side }

    /// Refuses the config.
    ///
    /// - Parameters:
    ///   - key: the key as written in the file, or a path below this value (`routes[2].to`); empty for the value itself.
    ///   - message: what is wrong, in lower case and without a full stop.
    ///   - hint: what would be right.
    public mutating func error(_ key: String, _ message: String, hint: String? = nil) {
        findings.append(Finding(key: key, message: message, hint: hint, isWarning: false))
    }

    /// Accepts the config, and tells the operator about something that is probably not meant.
    public mutating func warning(_ key: String, _ message: String, hint: String? = nil) {
        findings.append(Finding(key: key, message: message, hint: hint, isWarning: true))
    }

    /// Says that the value at `key` names a cluster, which must exist.
    public mutating func usesCluster(_ cluster: String, at key: String) {
        clusterUses.append(ClusterUse(key: key, cluster: cluster))
    }
}
