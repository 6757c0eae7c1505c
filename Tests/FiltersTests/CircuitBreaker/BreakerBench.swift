import FilterAPI
import FilterTesting

@testable import Filters

/// A circuit breaker on one or two workers that share what workers share, and requests to it at times of one clock.
final class BreakerBench {
    let worker = FakeWorker()
    private(set) var filters: [CircuitBreaker] = []
    private var elapsed = Duration.zero

    let app = FactName("app")
    let other = FactName("other")
    let checkout = FactName("checkout")
    let search = FactName("search")
    let first = FactName("10.0.0.1:80")
    let second = FactName("10.0.0.2:80")

    /// - Parameter config: as it stands in a config file.
    init(_ config: String, workers: Int = 1) throws {
        for index in 0..<workers {
            worker.index = index
            filters.append(try worker.make(CircuitBreaker.self, config: config))
        }
    }

    /// What a counter of the filter says.
    func count(_ name: String) -> UInt64 { worker.value(of: "circuit_breaker.\(name)") }

    func advance(by duration: Duration) { elapsed += duration }

    /// A request that has not begun.
    func stream(worker index: Int = 0, own: CircuitBreaker.RouteSettings? = nil) -> FakeStream<CircuitBreaker> {
        let stream = FakeStream(filters[index])
        stream.connection.listener = "inbound"
        stream.advance(by: elapsed)
        stream.routeSettings = own
        return stream
    }

    /// A request that has come as far as its cluster, and to an endpoint where it may go on.
    func request(
        to cluster: FactName? = nil, route: FactName? = nil, worker: Int = 0, own: CircuitBreaker.RouteSettings? = nil
    ) -> FakeStream<CircuitBreaker> {
        let stream = stream(worker: worker, own: own)
        stream.requestHead(last: true)
        stream.clusterAttached(cluster ?? app, route: route)
        if !stream.isHeldAtCluster { stream.endpointPicked(first) }
        return stream
    }

    /// A request that the upstream answers.
    ///
    /// - Returns: the status that the client gets.
    @discardableResult
    func exchange(_ status: Status = 200, after delay: Duration = .zero, route: FactName? = nil) -> Int {
        let stream = request(route: route)
        stream.advance(by: delay)
        if stream.reply == nil { stream.responseHead(status, last: true) }
        stream.close()
        return stream.reply?.status ?? status.code
    }
}
