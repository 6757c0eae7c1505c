internal import Config
internal import FilterAPI

/// One cluster: the places that serve the same thing, and how they are used.
///
/// Each worker has connections of its own; the limits hold over all workers together.
struct ClusterSettings: SettingsStruct {
    /// The largest table of `maglev`: each worker has one.
    static let maxTableSize = 5_000_011

    var endpoints: [EndpointSettings] = []
    /// Which endpoint is next.
    var balance = BalancePolicy.roundRobin
    /// Time to make a connection.
    var connectTimeout = Duration.seconds(5)
    /// How long a connection without a request is kept; 0 keeps none.
    var idleTimeout = Duration.seconds(3600)
    /// Connections at once, those without a request included.
    var maxConnections = 1024
    /// Requests that wait for a connection at once, one that is being made or one that gets free.
    var maxPending = 1024
    /// Requests at once, those that wait for a connection included.
    var maxRequests = 1024
    /// Further tries of requests at once; no limit beside the budgets of the filters that make them unless it is set.
    var maxRetries: Int?
    /// Requests after which a connection is not used again; 0 for no limit.
    var maxRequestsPerConnection = 0
    /// What may wait for an upstream before its source stands still.
    var bufferLimit = BufferLimit.usual
    /// After so much silence an upstream is probed, and given up after as long again; 0 for never.
    var tcpKeepalive = Duration.seconds(60)
    /// How names among the endpoints are looked up.
    var dns = NameSettings()
    /// Slots in the table of `maglev`; a prime, many times the number of endpoints.
    var maglevTableSize = 65_537
    /// How fast `peak_ewma` forgets: after this time an old latency counts for a third.
    var ewmaDecay = Duration.seconds(10)
    /// Where fewer than this share of a priority's endpoints is good, all of them are used; 0 for never.
    var panicThreshold = Percent.percent(50)
    /// Never fewer than this share of all endpoints serves, whatever is said against them.
    var minServing = Percent.zero
    /// How an endpoint that has just become good comes to its full share; at once where this is not set.
    var slowStart: SlowStartSettings?
    /// Which endpoints are put aside for what they do with requests; none unless this is set.
    var outlierDetection: OutlierSettings?
    /// What its connections consist of; decoded when the filters are known.
    var chain = RawNode()
    /// Settings of the codec, where the chain has none.
    var http = RawNode()

    init() {}

    func validate(_ check: inout SettingsCheck) {
        if endpoints.isEmpty {
            check.error("endpoints", "a cluster needs endpoints", hint: "add `endpoints: [ 127.0.0.1:8080 ]`")
        }
        if maglevTableSize > Self.maxTableSize || !MaglevTable.isPrime(maglevTableSize) {
            check.error(
                "maglev_table_size", "must be a prime of at most \(Self.maxTableSize)",
                hint: "65537 unless it is set; for example 257, 2039, 16381, 655373")
        }
        if ewmaDecay < .milliseconds(1) || ewmaDecay > .seconds(3600) {
            check.error("ewma_decay", "must be between 1ms and 1h", hint: "10s unless it is set")
        }
        if connectTimeout <= .zero {
            check.error("connect_timeout", "must be more than 0", hint: "5s unless it is set")
        }
        if maxConnections < 1 { check.error("max_connections", "must be at least 1") }
        if maxPending < 1 { check.error("max_pending", "must be at least 1, for the request that connects waits too") }
        if maxRequests < 1 { check.error("max_requests", "must be at least 1") }
        if maxRetries.map({ $0 < 0 }) == true { check.error("max_retries", "must not be negative") }
        if maxRequestsPerConnection < 0 {
            check.error("max_requests_per_connection", "must not be negative", hint: "0 for no limit")
        }
        TCPKeepalive.validate(tcpKeepalive, &check)
        BufferLimit.validate(bufferLimit, "buffer_limit", &check)
        checkRepetition(&check)
    }

    /// Connections are counted and kept by address, so an address stands once.
    private func checkRepetition(_ check: inout SettingsCheck) {
        var seen: Set<EndpointAddress> = []
        for (index, endpoint) in endpoints.enumerated() {
            guard let address = endpoint.parsed, !seen.insert(address).inserted else { continue }
            check.error(
                "endpoints[\(index)]", "`\(endpoint.address)` is listed twice",
                hint: "for a larger share give it a weight: `{ address: \"\(endpoint.address)\", weight: 2 }`")
        }
    }
}
