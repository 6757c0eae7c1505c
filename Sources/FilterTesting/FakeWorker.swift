internal import Config
public import FilterAPI
internal import Synchronization

/// A worker without a loop: makes filters, and keeps what they count and share where a test can read it.
public final class FakeWorker {
    /// The worker's number, as filters see it.
    public var index = 0
    /// The kind of chain that filters are made for.
    public var side = Side.client
    /// Lines that filters wrote to the log, as `level stage: message`, those of ``/FilterAPI/FilterLog`` last and with
    /// fields.
    public var logLines: [String] { earlyLines + lateLines.withLock { $0 } }
    /// What filters have asked to be read again when its files change.
    public private(set) var watchedStates: [any WatchedState] = []
    /// What filters are given for the routes' settings of other filters; nil for none.
    public var routeSettings: RouteSettingsTable?

    private var earlyLines: [String] = []
    private let lateLines = LogLines()
    private var gauges: [String: Gauge] = [:]
    private var counters: [String: Counter] = [:]
    private var histograms: [String: Histogram] = [:]
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
        try make(type, try decode(F.Settings.self, config: text, side: side))
    }

    /// Decodes settings of a filter, or of a route, as they stand in a config file.
    ///
    /// - Throws: what is wrong with the text, in the words that an operator would see.
    public func decode<S: FilterSettings>(
        _ type: S.Type, config text: String, side: Side? = nil
    ) throws(ConfigurationFault) -> S {
        let diagnostics = Diagnostics(file: "test.yaml")
        let document = Document.parse(Array(text.utf8), name: "test.yaml", into: diagnostics)
        if let root = document?.root,
            let decoded = SettingsDecoder().decode(S.self, from: root, side: side, into: diagnostics)
        {
            return decoded.value
        }
        throw ConfigurationFault(diagnostics.sorted.first?.message ?? "not read")
    }

    private func make<F: Filter>(_ type: F.Type, _ settings: F.Settings) throws(ConfigurationFault) -> F {
        let routeSettings = routeSettings
        var context = WorkerContext(
            services: self, identity: StageIdentity(type, stage: F.manifest.id, owner: "test", side: side),
            decodeRoute: { _ in routeSettings },
            places: { key in key.isEmpty ? "test.yaml:1:1" : "test.yaml:1:1 \(key)" })
        return try F(settings, on: &context)
    }

    /// What a counter says, by the filter's name and its own: `count.requests`; one with labels has them behind, as in
    /// `stats.requests{route="app"}`. Zero where nobody asked for it.
    public func value(of counter: String) -> UInt64 { counters[counter]?.value ?? 0 }

    /// What a gauge says, named likewise; nil where nobody asked for it.
    public func value(ofGauge name: String) -> Int64? { gauges[name]?.value }

    /// How many values a histogram has, named likewise, and their sum.
    public func values(ofHistogram name: String) -> (count: UInt64, sum: UInt64) {
        var totals = HistogramTotals()
        histograms[name]?.add(to: &totals)
        return (totals.count, totals.sum)
    }

    /// The names of all counters that filters asked for, in alphabetical order.
    public var counterNames: [String] { counters.keys.sorted() }

    /// The names of all histograms that filters asked for, in alphabetical order.
    public var histogramNames: [String] { histograms.keys.sorted() }

    /// The statistics that filters asked for, by the names in their manifests.
    private(set) var askedStats: [String: StatDescription.Kind] = [:]

    private static func key(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> String {
        guard let labels else { return "\(stage.stage).\(name)" }
        let pairs = labels.pairs.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",")
        return "\(stage.stage).\(name){\(pairs)}"
    }

    /// The number that filters know a cluster by.
    public func clusterID(_ name: String) -> ClusterID { cluster(name) }

    /// The name of a cluster.
    public func name(of cluster: ClusterID) -> String {
        clusterNames.indices.contains(cluster.index) ? clusterNames[cluster.index] : "unknown"
    }
}

/// Lines that may come from any thread.
private final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    func withLock<R: Sendable>(_ body: (inout sending [String]) -> sending R) -> R { lines.withLock(body) }
}

extension FakeWorker: WorkerServices {
    package func counter(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> Counter {
        let key = Self.key(name, stage, labels)
        askedStats[name] = .counter
        let counter = counters[key] ?? .detached()
        counters[key] = counter
        return counter
    }

    package func gauge(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> Gauge {
        let key = Self.key(name, stage, labels)
        askedStats[name] = .gauge
        let gauge = gauges[key] ?? .detached()
        gauges[key] = gauge
        return gauge
    }

    package func histogram(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> Histogram {
        let key = Self.key(name, stage, labels)
        askedStats[name] = .histogram
        let histogram = histograms[key] ?? .detached()
        histograms[key] = histogram
        return histogram
    }

    package func watch(_ state: any WatchedState) {
        if !watchedStates.contains(where: { $0 === state }) { watchedStates.append(state) }
    }

    package func path(_ text: String) -> String { text }

    package func filterLog(stage: String) -> FilterLog {
        let lines = lateLines
        return FilterLog { level, message, fields in
            let tail = fields.map { " \($0.0)=\($0.1)" }.joined()
            lines.withLock { $0.append("\(level.rawValue) \(stage): \(message)\(tail)") }
        }
    }

    package func shared<T: AnyObject & Sendable, E: Error>(_ key: String, _ make: () throws(E) -> T) throws(E) -> T {
        let id = "\(key) \(T.self)"
        if let known = sharedValues[id] as? T { return known }
        let fresh = try make()
        sharedValues[id] = fresh
        return fresh
    }

    package func cluster(_ name: String) -> ClusterID {
        if let index = clusterNames.firstIndex(of: name) { return ClusterID(index: index) }
        clusterNames.append(name)
        return ClusterID(index: clusterNames.count - 1)
    }

    package func log(_ level: LogLevel, _ message: String, stage: String) {
        earlyLines.append("\(level.rawValue) \(stage): \(message)")
    }
}
