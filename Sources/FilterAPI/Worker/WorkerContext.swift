/// What a filter can ask its worker for while it is made.
///
/// SAFETY: the services object outlives the initialiser that is handed this value.
@safe
public struct WorkerContext: ~Copyable {
    package unowned(unsafe) let services: any WorkerServices
    package var stageName: String

    package init(services: any WorkerServices, stageName: String) {
        unsafe self.services = services
        self.stageName = stageName
    }

    /// The worker's number, from 0.
    public var index: Int { unsafe services.index }

    /// A counter under the filter's own name: `count.requests` for `requests` in a filter `count`.
    ///
    /// The same name gives the same counter, also over reloads.
    public func counter(_ name: String) -> Counter { unsafe services.counter("\(stageName).\(name)") }

    /// State that all workers share and that survives reloads as long as somebody holds it.
    ///
    /// - Parameters:
    ///   - key: its name; together with the type it says which.
    ///   - make: makes it where nobody has it yet.
    public func shared<T: AnyObject & Sendable>(_ key: String, _ make: () -> T) -> T {
        unsafe services.shared("\(stageName).\(key)", make)
    }

    /// The cluster with this name.
    ///
    /// Say the name in ``SettingsStruct/validate(_:)`` too, so that a wrong one is reported at its place in the file.
    public func cluster(_ name: String) -> ClusterID { unsafe services.cluster(name) }

    /// Decodes what routes set for other filters of this chain; for terminals that route.
    ///
    /// - Parameter settings: values by filter name, as they stand in the file.
    /// - Throws: where a name is not a filter of this chain, or its values do not fit.
    public func routeSettings(_ settings: RawRouteSettings) throws(ConfigurationFault) -> RouteSettingsTable? {
        unsafe try services.routeSettings(settings)
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
    func shared<T: AnyObject & Sendable>(_ key: String, _ make: () -> T) -> T
    func cluster(_ name: String) -> ClusterID
    func routeSettings(_ settings: RawRouteSettings) throws(ConfigurationFault) -> RouteSettingsTable?
    func log(_ level: LogLevel, _ message: String, stage: String)
}
