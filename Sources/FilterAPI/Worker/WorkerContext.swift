/// What a filter can ask its worker for while it is made.
///
/// SAFETY: the services object outlives the initialiser that is handed this value.
@safe
public struct WorkerContext: ~Copyable {
    package unowned(unsafe) let services: any WorkerServices
    package var stageName: String

    /// Whether the filter is made for a listener's chain or a cluster's.
    public let side: Side

    private let places: (String) -> String
    private let decodeRoute: RouteSettingsDecoder

    /// Decodes what a route sets for the other filters of the chain that is being made.
    package typealias RouteSettingsDecoder = (RawRouteSettings) throws(ConfigurationFault) -> RouteSettingsTable?

    package init(
        services: any WorkerServices, stageName: String, side: Side = .client,
        decodeRoute: @escaping RouteSettingsDecoder, places: @escaping (String) -> String
    ) {
        self.side = side
        self.decodeRoute = decodeRoute
        self.places = places
        unsafe self.services = services
        self.stageName = stageName
    }

    /// The worker's number, from 0.
    public var index: Int { unsafe services.index }

    /// A counter under the filter's own name: `count.requests` for `requests` in a filter `count`.
    ///
    /// The same name gives the same counter, also over reloads.
    public func counter(_ name: String) -> Counter { unsafe services.counter("\(stageName).\(name)") }

    /// A gauge under the filter's own name: `tls.days_left` for `days_left` in a filter `tls`.
    ///
    /// The same name gives the same gauge, on every worker and over reloads.
    public func gauge(_ name: String) -> Gauge { unsafe services.gauge("\(stageName).\(name)") }

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
    func counter(_ name: String) -> Counter
    func gauge(_ name: String) -> Gauge
    func shared<T: AnyObject & Sendable, E: Error>(_ key: String, _ make: () throws(E) -> T) throws(E) -> T
    func watch(_ state: any WatchedState)
    func path(_ text: String) -> String
    func filterLog(stage: String) -> FilterLog
    func cluster(_ name: String) -> ClusterID
    func log(_ level: LogLevel, _ message: String, stage: String)
}
