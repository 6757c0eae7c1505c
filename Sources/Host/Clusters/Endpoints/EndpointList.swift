internal import Engine
internal import FilterAPI

/// Addresses of a cluster at one moment: on the control thread all that are known, and those that serve, which are
/// handed to every worker.
struct EndpointList: Sendable, Equatable {
    /// One address.
    struct Entry: Sendable, Equatable {
        let address: SocketAddress
        /// The address in words.
        let name: FactName
        /// The host by which the config knows it; empty for a Unix socket.
        let host: String
        var weight: Int
        /// 0 for those that serve first; larger numbers come after smaller ones.
        var priority = 0
        /// Where workers note how tries end; nil where the cluster looks for no outliers.
        var record: EndpointRecord?
        /// Where workers count; nil where nobody looks.
        var stats: StatGroup?

        /// The name follows from the address, and the record and the statistics from it and the cluster.
        static func == (left: Entry, right: Entry) -> Bool {
            left.address == right.address && left.host == right.host && left.weight == right.weight
                && left.priority == right.priority
        }
    }

    private(set) var entries: [Entry] = []
    /// Which entries are of which level, in the order of priority; empty where that has not been decided.
    private(set) var levels: [EndpointLevel] = []
    /// There are no addresses because no name has one yet.
    var isUnresolved = false
    /// There are no addresses, and a name is being looked up for the first time: there may be some in a moment.
    var awaitsNames = false

    /// Adds an address; one that is there already, by another name, gets the weight of both and the better priority.
    ///
    /// - Parameter host: the name that led to the address; nil for the address itself.
    mutating func add(_ address: SocketAddress, host: String? = nil, weight: Int, priority: Int = 0) {
        if let index = entries.firstIndex(where: { $0.address == address }) {
            entries[index].weight += weight
            entries[index].priority = min(entries[index].priority, priority)
        } else {
            let own = address.family == .unix ? "" : address.ipText
            entries.append(
                Entry(
                    address: address,
                    name: FactName(
                        address.description,
                        configured: host.map { "\($0):\(address.port ?? 0)" } ?? address.description),
                    host: host ?? own, weight: weight,
                    priority: priority))
        }
    }

    /// Gives each address its record.
    mutating func take(_ records: (SocketAddress) -> EndpointRecord) {
        for index in entries.indices { entries[index].record = records(entries[index].address) }
    }

    /// Gives each address its statistics.
    mutating func takeStats(_ stats: (SocketAddress) -> StatGroup) {
        for index in entries.indices { entries[index].stats = stats(entries[index].address) }
    }

    /// Adds the endpoints of the next level, if there are any.
    mutating func append(_ level: [Entry], share: Int) {
        guard !level.isEmpty else { return }
        levels.append(EndpointLevel(range: entries.count..<entries.count + level.count, share: share))
        entries += level
    }

    /// The list as endpoints of one worker: those that it had before stay the same objects, and so keep their
    /// connections; those that are not on the list any more are marked.
    func merged(into before: [Endpoint]) -> [Endpoint] {
        var known: [SocketAddress: Endpoint] = [:]
        for endpoint in before {
            endpoint.isListed = false
            known[endpoint.address] = endpoint
        }
        return entries.map { entry in
            guard let endpoint = known[entry.address] else {
                return Endpoint(address: entry.address, name: entry.name, host: entry.host, weight: entry.weight)
            }
            endpoint.isListed = true
            endpoint.weight = entry.weight
            return endpoint
        }
    }
}
