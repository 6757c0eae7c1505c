import FilterAPI

/// Why a connection is closed instead of being taken on.
enum Refusal: Int, CaseIterable {
    case notTrusted, missing, malformed, badChecksum, timeout, closed

    init(_ problem: HeaderReader.Problem) { self = problem == .badChecksum ? .badChecksum : .malformed }

    /// The label of the counter.
    var name: String {
        switch self {
        case .notTrusted: "not_trusted"
        case .missing: "missing"
        case .malformed: "malformed"
        case .badChecksum: "bad_checksum"
        case .timeout: "timeout"
        case .closed: "closed"
        }
    }

    var fault: Fault {
        switch self {
        case .notTrusted: Fault(.badRequest, "proxy_protocol.not_trusted")
        case .missing: Fault(.badRequest, "proxy_protocol.missing")
        case .malformed: Fault(.badRequest, "proxy_protocol.malformed")
        case .badChecksum: Fault(.badRequest, "proxy_protocol.bad_checksum")
        case .timeout: Fault(.requestTimeout, "proxy_protocol.timeout")
        case .closed: Fault(.clientGone, "proxy_protocol.closed")
        }
    }

    static let descriptions: [ReasonDescription] = [
        describe(.notTrusted, "A connection came from an address that may not say who the client is.", "`trusted`."),
        describe(
            .missing, "A connection did not begin with a PROXY protocol header.",
            "Whether the peer sends one; `required: false` does without."),
        describe(
            .malformed, "A PROXY protocol header was broken, too long, or of a version that is not accepted.",
            "What the peer sends; `versions` and `max_length`."),
        describe(.badChecksum, "The checksum of a PROXY protocol header was wrong.", "What the peer sends."),
        describe(.timeout, "A PROXY protocol header was not there in time.", "The peer; `timeout`."),
        describe(
            .closed, "A connection ended before its PROXY protocol header was complete.",
            "Nothing, where it is a health check of the load balancer that only connects."),
    ]

    private static func describe(_ refusal: Refusal, _ meaning: String, _ advice: String) -> ReasonDescription {
        let fault = refusal.fault
        return ReasonDescription("\(fault.reason)", [fault.kind], meaning, lookAt: advice)
    }
}

/// What the filter counts.
struct ProxyProtocolCounters {
    let v1: Counter
    let v2: Counter
    let local: Counter
    let absent: Counter
    let sent: Counter
    private let refusals: [Counter]

    static let descriptions: [StatDescription] = [
        .counter("accepted", "Headers that said who the client is, by `version`."),
        .counter("local", "Headers that said nothing of a client: health checks of the load balancer."),
        .counter("absent", "Connections without a header, where none is required."),
        .counter("refused", "Connections that were closed, by `reason`."),
        .counter("sent", "Headers that upstreams got."),
    ]

    init(_ worker: inout WorkerContext) {
        let accepted = worker.counters("accepted", labels: ["version"])
        v1 = accepted["1"]
        v2 = accepted["2"]
        local = worker.counter("local")
        absent = worker.counter("absent")
        sent = worker.counter("sent")
        let refused = worker.counters("refused", labels: ["reason"])
        refusals = Refusal.allCases.map { refused[$0.name] }
    }

    func refused(_ refusal: Refusal) -> Counter { refusals[refusal.rawValue] }
}
