internal import Config
public import FilterAPI

/// A worker without a loop: makes filters, and keeps what they count and share where a test can read it.
public final class FakeWorker {
    /// The worker's number, as filters see it.
    public var index = 0
    /// Lines that filters wrote to the log, as `level stage: message`.
    public private(set) var logLines: [String] = []
    /// What filters are given for the routes' settings of other filters; nil for none.
    public var routeSettings: RouteSettingsTable?

    private var cells: [String: CounterCell] = [:]
    private var sharedValues: [String: AnyObject] = [:]
    private var clusterNames: [String] = []

    /// A worker on which nothing has happened.
    public init() {}

    /// Makes a filter.
    ///
    /// - Parameters:
    ///   - type: the filter's type.
    ///   - edit: changes the settings from their defaults.
    /// - Throws: what the filter's initialiser throws.
    public func make<F: Filter>(
        _ type: F.Type, _ edit: (inout F.Settings) -> Void = { _ in }
    ) throws(ConfigurationFault) -> F {
        var settings = F.Settings()
        edit(&settings)
        return try make(type, settings)
    }

    /// Makes a filter from settings as they stand in a config file.
    ///
    /// - Throws: what is wrong with the text, in the words that an operator would see, or what the filter throws.
    public func make<F: Filter>(_ type: F.Type, config text: String) throws(ConfigurationFault) -> F {
        let diagnostics = Diagnostics(file: "test.yaml")
        let document = Document.parse(Array(text.utf8), name: "test.yaml", into: diagnostics)
        if let root = document?.root,
            let decoded = SettingsDecoder().decode(F.Settings.self, from: root, into: diagnostics)
        {
            return try make(type, decoded.value)
        }
        throw ConfigurationFault(diagnostics.sorted.first?.message ?? "not read")
    }

    private func make<F: Filter>(_ type: F.Type, _ settings: F.Settings) throws(ConfigurationFault) -> F {
        var context = WorkerContext(services: self, stageName: F.manifest.id)
        return try F(settings, on: &context)
    }

    /// What a counter says, by its full name: `count.requests`. Zero where nobody asked for it.
    public func value(of counter: String) -> UInt64 { cells[counter].map { Counter(cell: $0).value } ?? 0 }

    /// The names of all counters that filters asked for, in alphabetical order.
    public var counterNames: [String] { cells.keys.sorted() }

    /// The number that filters know a cluster by.
    public func clusterID(_ name: String) -> ClusterID { cluster(name) }

    /// The name of a cluster.
    public func name(of cluster: ClusterID) -> String {
        clusterNames.indices.contains(cluster.index) ? clusterNames[cluster.index] : "unknown"
    }
}

extension FakeWorker: WorkerServices {
    package func counter(_ name: String) -> Counter {
        let cell = cells[name] ?? CounterCell()
        cells[name] = cell
        return Counter(cell: cell)
    }

    package func shared<T: AnyObject & Sendable>(_ key: String, _ make: () -> T) -> T {
        let id = "\(key) \(T.self)"
        if let known = sharedValues[id] as? T { return known }
        let fresh = make()
        sharedValues[id] = fresh
        return fresh
    }

    package func cluster(_ name: String) -> ClusterID {
        if let index = clusterNames.firstIndex(of: name) { return ClusterID(index: index) }
        clusterNames.append(name)
        return ClusterID(index: clusterNames.count - 1)
    }

    package func routeSettings(_ settings: RawRouteSettings) throws(ConfigurationFault) -> RouteSettingsTable? {
        routeSettings
    }

    package func log(_ level: LogLevel, _ message: String, stage: String) {
        logLines.append("\(level.rawValue) \(stage): \(message)")
    }
}
