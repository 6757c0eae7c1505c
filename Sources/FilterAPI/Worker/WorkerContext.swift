/// What a filter can ask its worker for while it is made.
///
/// SAFETY: the services object outlives the initialiser that is handed this value.
@safe
public struct WorkerContext: ~Copyable {
    package unowned(unsafe) let services: any WorkerServices
    private let identity: StageIdentity

    private var stageName: String { identity.stage }
    /// Whether the filter is made for a listener's chain or a cluster's.
    public var side: Side { identity.side }
    /// The name of the listener or cluster to whose chain the filter belongs.
    public var owner: String { identity.owner }

    /// What the codec of the chain can speak, in the words of ALPN (RFC 7301), the preferred first; empty where the chain has
    /// none that says so.
    public let applicationProtocols: [String]

    private let places: (String) -> String
    private let decodeRoute: RouteSettingsDecoder

    /// Decodes what a route sets for the other filters of the chain that is being made.
    package typealias RouteSettingsDecoder = (RawRouteSettings) throws(ConfigurationFault) -> RouteSettingsTable?

    package init(
        services: any WorkerServices, identity: StageIdentity, applicationProtocols: [String] = [],
        decodeRoute: @escaping RouteSettingsDecoder, places: @escaping (String) -> String
    ) {
        self.identity = identity
        self.applicationProtocols = applicationProtocols
        self.decodeRoute = decodeRoute
        self.places = places
        unsafe self.services = services
    }

    /// The worker's number, from 0.
    public var index: Int { unsafe services.index }

    // MARK: Statistics

    // All of them are the filter's own: those of a filter `retry` in the chain of the listener `inbound` are called
    // `http.inbound.retry.…`, and in Prometheus `sluice_retry_…{listener="inbound",filter="retry"}`. The same name gives
    // the same one each time, also over reloads. What they mean belongs into ``Manifest/stats``.

    /// A counter.
    public func counter(_ name: String) -> Counter { unsafe services.counter(name, identity, nil) }

    /// A gauge; the same on every worker.
    public func gauge(_ name: String) -> Gauge { unsafe services.gauge(name, identity, nil) }

    /// A histogram; its unit is the one that ``Manifest/stats`` gives it.
    public func histogram(_ name: String) -> Histogram { unsafe services.histogram(name, identity, nil) }

    /// Counters that differ by labels.
    ///
    /// - Parameters:
    ///   - name: what all of them are called.
    ///   - labels: their names, in snake case.
    ///   - most: how many series there may be in this process.
    public func counters(_ name: String, labels: [String], most: Int = 1000) -> StatFamily<Counter> {
        let (services, identity) = unsafe (services, identity)
        return StatFamily { values in
            services.counter(name, identity, StatLabels(Self.pairs(labels, values), most: most))
        }
    }

    /// Gauges that differ by labels; see ``counters(_:labels:most:)``.
    public func gauges(_ name: String, labels: [String], most: Int = 1000) -> StatFamily<Gauge> {
        let (services, identity) = unsafe (services, identity)
        return StatFamily { values in
            services.gauge(name, identity, StatLabels(Self.pairs(labels, values), most: most))
        }
    }

    /// Histograms that differ by labels; see ``counters(_:labels:most:)``.
    public func histograms(_ name: String, labels: [String], most: Int = 1000) -> StatFamily<Histogram> {
        let (services, identity) = unsafe (services, identity)
        return StatFamily { values in
            services.histogram(name, identity, StatLabels(Self.pairs(labels, values), most: most))
        }
    }

    private static func pairs(_ names: [String], _ values: [String]) -> [(name: String, value: String)] {
        zip(names, values).map { (name: $0, value: $1) }
    }

    /// State that all workers share and that survives reloads as long as somebody holds it.
    ///
    /// - Parameters:
    ///   - key: its name; together with the type it says which.
    ///   - make: makes it where nobody has it yet.
    public func shared<T: AnyObject & Sendable, E: Error>(_ key: String, _ make: () throws(E) -> T) throws(E) -> T {
        unsafe try services.shared("\(stageName).\(key)", make)
    }

    /// State that all workers share as by ``shared(_:_:)``, that is read from files, and that the host has read again
    /// when they change, as long as somebody holds it.
    public func watched<T: WatchedState, E: Error>(_ key: String, _ make: () throws(E) -> T) throws(E) -> T {
        let value = unsafe try services.shared("\(stageName).\(key)", make)
        unsafe services.watch(value)
        return value
    }

    /// A path as the config file means it: relative to the folder of that file.
    public func path(_ text: String) -> String { unsafe services.path(text) }

    /// The process's log, for use at any time.
    public var filterLog: FilterLog { unsafe services.filterLog(stage: stageName) }

    /// Where a setting of this filter stands in the config file: `sluice.yaml:12:9`; where the file does not have it, the
    /// place of the filter. For what operators are told.
    ///
    /// - Parameter key: as written in the file, or a path below the filter's settings (`errors.window`).
    public func place(of key: String) -> String { places(key) }

    /// The cluster with this name.
    ///
    /// Say the name in ``SettingsStruct/validate(_:)`` too, so that a wrong one is reported at its place in the file.
    public func cluster(_ name: String) -> ClusterID { unsafe services.cluster(name) }

    /// Decodes what routes set for other filters of this chain; for terminals that route.
    ///
    /// - Parameter settings: values by filter name, as they stand in the file.
    /// - Throws: where a name is not a filter of this chain, or its values do not fit.
    public func routeSettings(_ settings: RawRouteSettings) throws(ConfigurationFault) -> RouteSettingsTable? {
        try decodeRoute(settings)
    }

    /// Writes a line to the log, tagged with the filter's name.
    public func log(_ level: LogLevel, _ message: String) { unsafe services.log(level, message, stage: stageName) }
}

/// How much a log line matters.
public enum LogLevel: String, Sendable, CaseIterable, Codable {
    /// Each step.
    case trace
    /// For whoever looks for a fault.
    case debug
    /// What the operator did, and what became of it.
    case info
    /// Something to look at.
    case warning
    /// Something is broken.
    case error
}

/// What the host does for ``WorkerContext``.
package protocol WorkerServices: AnyObject {
    var index: Int { get }
    func counter(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> Counter
    func gauge(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> Gauge
    func histogram(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> Histogram
    func shared<T: AnyObject & Sendable, E: Error>(_ key: String, _ make: () throws(E) -> T) throws(E) -> T
    func watch(_ state: any WatchedState)
    func path(_ text: String) -> String
    func filterLog(stage: String) -> FilterLog
    func cluster(_ name: String) -> ClusterID
    func log(_ level: LogLevel, _ message: String, stage: String)
}
