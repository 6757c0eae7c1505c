internal import Config
internal import Engine
internal import FilterAPI

/// A config that was read and checked: everything that workers are to become. Immutable, shared by all of them.
final class GenerationPlan: Sendable {
    let settings: TopSettings
    let listeners: [ListenerPlan]
    let clusters: [ClusterPlan]
    /// The whole file.
    let root: Node?
    /// What its plugins took to load.
    let plugins: [PluginReport]
    /// Where the service accepts that must not lose its outbound listeners; nil where there is none.
    let outlive: SocketAddress?

    init(
        settings: TopSettings, listeners: [ListenerPlan], clusters: [ClusterPlan], root: Node? = nil,
        plugins: [PluginReport] = [], outlive: SocketAddress? = nil
    ) {
        self.outlive = outlive
        self.plugins = plugins
        self.root = root
        self.settings = settings
        self.listeners = listeners
        self.clusters = clusters
    }

    /// For the one line that a good check prints.
    var summary: String {
        let listeners = listeners.filter { !$0.isAdmin }
        let filters = listeners.reduce(0) { $0 + $1.chains.reduce(0) { $0 + $1.chain.stages.count } }
        func count(_ number: Int, _ word: String) -> String { "\(number) \(word)\(number == 1 ? "" : "s")" }
        return [count(listeners.count, "listener"), count(filters, "filter"), count(clusters.count, "cluster")]
            .joined(separator: ", ")
    }
}

/// One listener of a generation.
struct ListenerPlan: Sendable {
    let name: String
    let settings: ListenerSettings
    let addresses: [SocketAddress]
    /// At least one; a client gets the first that is for it.
    let chains: [ChainChoicePlan]
    /// Its own, or those at the top of the file.
    let accessLogs: [AccessLogPlan]
    /// What the top of the file says of logs, to see on a reload whether it has changed; nil where that does not matter.
    let usualAccessLogNode: Node?
    /// As it stands in the file, to see on a reload whether it has changed.
    let node: Node
    /// Whether it is the admin interface: it serves until the very end, and counts nowhere else.
    var isAdmin = false
    /// The clusters that its chains name, in the order in which they do.
    var clusters: [String] = []

    func hasSameUsualLogs(as other: ListenerPlan) -> Bool {
        guard let node = usualAccessLogNode, let old = other.usualAccessLogNode else {
            return usualAccessLogNode == nil && other.usualAccessLogNode == nil
        }
        return node.isEquivalent(to: old)
    }
}

/// One of the chains of a listener.
struct ChainChoicePlan: Sendable {
    /// Whom it is for; nil for everybody.
    let match: ChainMatch?
    let chain: ChainPlan
    /// What has the key `chain` in the file.
    let node: Node
}

/// One cluster of a generation.
struct ClusterPlan: Sendable {
    let name: String
    let settings: ClusterSettings
    let chain: ChainPlan
    let limits: ClusterLimits
    let node: Node
}

extension ListenerPlan {
    /// What the admin interface is called in logs and statistics.
    static let adminName = "admin"
}
