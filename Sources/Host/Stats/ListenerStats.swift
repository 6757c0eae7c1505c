internal import FilterAPI

/// One worker's statistics of a listener.
final class ListenerStats {
    let listener: StatSlots<ListenerStat>
    let http: StatSlots<HTTPStat>
    let tls: TLSStats
    let length: Histogram
    let httpLength: Histogram
    let requestTime: Histogram
    /// What is read from and written to clients of chains with HTTP, and of those without.
    let httpTraffic: Connection.Traffic
    let rawTraffic: Connection.Traffic
    private let groups: [StatGroup]

    init(_ registry: StatRegistry, listener name: String, worker: Int) {
        let listener = registry.group(.listener(name), ListenerStat.schema)
        let http = registry.group(.http(name), HTTPStat.schema)
        groups = [listener, http]
        self.listener = StatSlots(listener, slot: worker)
        self.http = StatSlots(http, slot: worker)
        tls = TLSStats(registry, .listener(name), worker: worker)
        length = listener.histogram(named: "downstream_cx_length_ms", slot: worker)
        httpLength = http.histogram(named: "downstream_cx_length_ms", slot: worker)
        requestTime = http.histogram(named: "downstream_rq_time", slot: worker)
        httpTraffic = Connection.Traffic(
            received: self.http.counter(.cxReceived), sent: self.http.counter(.cxSent))
        rawTraffic = Connection.Traffic(
            received: self.listener.counter(.rawReceived), sent: self.listener.counter(.rawSent))
    }
}
