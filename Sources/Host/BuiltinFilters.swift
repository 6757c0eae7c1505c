internal import FilterAPI
internal import Filters

/// The filters that come with Sluice. Nothing else of the host names one of them, but for the codec that a cluster gets
/// unasked.
enum BuiltinFilters {
    static let types: [any Filter.Type] = [
        HTTPServerCodec.self,
        HTTPClientCodec.self,
        Router.self,
        TCPProxy.self,
        Count.self,
        Stats.self,
        CircuitBreaker.self,
        TLS.self,
        Retry.self,
        RateLimit.self,
        FaultInjection.self,
        Trace.self,
        Gzip.self,
        HeadersFilter.self,
        GRPCWeb.self,
        Admin.self,
    ]
}
