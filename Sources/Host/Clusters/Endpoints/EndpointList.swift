internal import Engine
internal import FilterAPI

/// The addresses of a cluster at one moment, made on the control thread and handed to every worker.
struct EndpointList: Sendable {
    /// One address.
    struct Entry: Sendable {
        let address: SocketAddress
        let name: FactName
        let host: String
        var weight: Int
    }

    private(set) var entries: [Entry] = []
    /// There are no addresses because no name has one yet.
    var isUnresolved = false

    /// Adds an address; one that is there already, by another name, gets the weight of both.
    ///
    /// - Parameter host: the name that led to the address; nil for the address itself.
    mutating func add(_ address: SocketAddress, host: String? = nil, weight: Int) {
        if let index = entries.firstIndex(where: { $0.address == address }) {
            entries[index].weight += weight
        } else {
            let own = address.family == .unix ? "" : address.ipText
            entries.append(
                Entry(address: address, name: FactName(address.description), host: host ?? own, weight: weight))
        }
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
