internal import Engine
internal import FilterAPI

/// The endpoints of one cluster on the control thread: addresses as they are, names as they are looked up.
///
/// A name without addresses is no error: there is nothing behind it for now.
final class EndpointSet {
    private let endpoints: [(address: EndpointAddress, weight: Int)]
    private var records: [String: NameRecord] = [:]
    private let onChange: (EndpointList) -> Void
    /// All addresses that are known now.
    private(set) var list = EndpointList()

    /// Takes what is known already; looks nothing up before ``begin()``.
    ///
    /// - Parameter onChange: called with each new list, until ``stop()``.
    init(_ settings: ClusterSettings, resolver: Resolver, onChange: @escaping (EndpointList) -> Void) {
        endpoints = settings.endpoints.compactMap { one in one.parsed.map { ($0, one.weight) } }
        self.onChange = onChange
        for case (.name(let name, _), _) in endpoints { records[name] = resolver.record(name, settings.dns) }
        list = gather()
        for record in records.values { record.add(observer: self) { [unowned self] in self.changed() } }
    }

    /// Begins to look names up.
    func begin() { for record in records.values { record.begin() } }

    /// Calls back no more.
    func stop() {
        for record in records.values { record.remove(observer: self) }
        records = [:]
    }

    deinit { stop() }

    private func changed() {
        list = gather()
        onChange(list)
    }

    private func gather() -> EndpointList {
        var list = EndpointList()
        for (address, weight) in endpoints {
            switch address {
            case .fixed(let address): list.add(address, weight: weight)
            case .name(let name, let port):
                for address in records[name]?.addresses ?? [] {
                    list.add(address.with(port: port), host: name, weight: weight)
                }
            }
        }
        list.isUnresolved = list.entries.isEmpty
        return list
    }
}
