internal import Engine
internal import FilterAPI

/// One address of a cluster, as one worker knows it: what it is asked now, and the connections that are kept to it.
final class Endpoint {
    let address: SocketAddress
    /// The address in words, for logs.
    let name: FactName
    /// The host by which the config knows it; empty for a Unix socket.
    let host: String
    var weight: Int
    /// Where it is noted how tries end; nil where the cluster looks for no outliers.
    private(set) var outcomes: OutcomeRecorder?
    /// Kept for ``outcomes``.
    private var record: EndpointRecord?
    /// What this worker counts of it.
    private(set) var stats = StatSlots<EndpointStat>(Endpoint.uncounted, slot: 0)
    private var statGroup: StatGroup?
    /// Where endpoints count that nobody looks at.
    private static let uncounted = StatGroup(.server, EndpointStat.schema, .anybody)
    /// Whether the cluster's list has it; an endpoint that has gone lives on until its last connection closes.
    var isListed = true
    /// When an answer of it said last that it must not be used, as far as that was passed on.
    var lastRefusal: Nanoseconds?
    /// Requests that a connection to it carries now; for raw bytes, connections.
    var activeRequests = 0
    /// Connections that carry nothing now, the one used last at the end.
    var idle: [ClientConnection] = []
    /// Connections that carry streams and may take more, over HTTP/2.
    var shared: [ClientConnection] = []
    /// One that is being made, and that streams may wait for together, where upstreams may speak HTTP/2.
    unowned(unsafe) var making: ClientConnection?
    /// It has agreed on HTTP/1: no more than one stream waits for a connection.
    var speaksHTTP1 = false
    /// Connections that are being made, and whose stream has gone meanwhile.
    var spare: [ClientConnection] = []
    /// How fast it answers, where the cluster balances by that; nil elsewhere.
    var latency: PeakLatency?
    /// Streams that wait for a connection to this endpoint that is being made, in the order in which they came.
    var waiting = StreamLine()

    init(address: SocketAddress, name: FactName, host: String = "", weight: Int = 1) {
        self.host = host
        self.address = address
        self.name = name
        self.weight = weight
    }

    /// Takes the record that the control thread keeps of it.
    func note(in record: EndpointRecord?, worker: Int) {
        guard record !== self.record else { return }
        outcomes = record.map { OutcomeRecorder($0, worker: worker) }
        self.record = record
    }

    /// Takes the statistics that all workers have of it.
    func count(in group: StatGroup?, worker: Int) {
        guard let group, group !== statGroup else { return }
        statGroup = group
        stats = StatSlots(group, slot: worker)
    }

    /// How busy it is: requests that it carries and that wait for it.
    var load: Int { activeRequests + waiting.count }

    /// An answer has begun after so long, which is only asked for where somebody wants to know.
    @inline(__always)
    func answered(after time: @autoclosure () -> Nanoseconds, at now: Nanoseconds) {
        if latency != nil { latency?.observe(time(), at: now) }
    }

    /// An answer has not come in so long, or will not come.
    func failedToAnswer(in time: @autoclosure () -> Nanoseconds, at now: Nanoseconds) {
        if latency != nil { latency?.observe(atLeast: time(), at: now) }
    }
}
