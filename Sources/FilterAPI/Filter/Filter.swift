/// What every module of a chain conforms to.
///
/// Three lifetimes meet here. **Settings** are decoded from the config file once, and are shared by all workers. The
/// **filter** is made once per worker and chain, and is only ever used on that worker's thread, so that its
/// properties need no lock. **State** (see ``EventFilter/State``) is made once per stream, by
/// ``EventFilter/open(_:)``, and is handed to each call.
///
/// A filter does not conform to this protocol alone but to the role that says what flows through it:
///
/// | role | from above | from below | examples |
/// |---|---|---|---|
/// | ``ByteFilter`` | bytes | bytes | TLS, PROXY protocol |
/// | ``ServerCodec`` | bytes | HTTP | HTTP/1 towards clients |
/// | ``HTTPFilter`` | HTTP | HTTP | stats, gzip, retry, header edits |
/// | ``ClientCodec`` | HTTP | bytes | HTTP/1 towards upstreams |
/// | ``HTTPTerminal`` | HTTP | an attached cluster, or nothing | router, direct response |
/// | ``ByteTerminal`` | bytes | an attached cluster, or nothing | tcp_proxy |
///
/// *Above* is towards the client, *below* towards the upstream: requests go down, responses go up.
public protocol Filter: AnyObject {
    /// What the config file sets for one entry of a chain.
    associatedtype Settings: FilterSettings = NoSettings
    /// What a route may set anew for its own requests.
    associatedtype RouteSettings: FilterSettings = NoSettings

    /// Name, summary and needs.
    static var manifest: Manifest { get }

    /// Makes the filter of one worker and one chain.
    ///
    /// Called on the control thread while a config is loaded; afterwards the filter belongs to its worker. Counters
    /// and shared state are asked for here, not while requests run.
    ///
    /// - Throws: ``ConfigurationFault`` refuses the config as a whole; the running one stays.
    init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault)
}
