internal import FilterAPI

/// How a router's per-route settings are decoded while a chain is being made: set by the chain's builder around the
/// making of its filters.
///
/// SAFETY: filters are made on the control thread only.
enum RouteSettingsScope {
    nonisolated(unsafe) static var decode: ((RawRouteSettings) throws(ConfigurationFault) -> RouteSettingsTable?)?
}
