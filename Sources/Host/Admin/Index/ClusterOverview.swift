/// One cluster on the index page.
struct ClusterOverview {
    /// A limit, and how near to it the cluster is.
    struct Limit {
        let name: String
        let count: Int
        let most: Int
        var isReached: Bool { count >= most }
    }

    /// One endpoint.
    struct Endpoint {
        let address: String
        let host: String
        let health: Health
        let requests: Int64
        let errors: Int64
        let active: Int64
        let connections: Int64
        let connectFailures: Int64
    }

    /// What is thought of an endpoint.
    enum Health: String {
        case healthy, pending, kept, ejected, failed

        init(_ status: EndpointStatus) {
            self =
                if status.isGood { status.awaitsFirstPass ? .pending : .healthy } else if status.isKept {
                    .kept
                } else { status.failedCheck ? .failed : .ejected }
        }

        /// In words.
        var text: String {
            switch self {
            case .healthy: "healthy"
            case .pending: "not checked yet"
            case .kept: "bad, but kept in use"
            case .ejected: "ejected as an outlier"
            case .failed: "failed its health check"
            }
        }

        /// As a shape, for those who see no colours.
        var shape: String {
            switch self {
            case .healthy: "●"
            case .pending: "○"
            case .kept: "▲"
            case .ejected: "◆"
            case .failed: "✕"
            }
        }
    }

    let name: String
    var requests: Int64 = 0
    var active: Int64 = 0
    var waiting: Int64 = 0
    var answered: Int64 = 0
    /// Answers of 500 and above, and requests without an answer.
    var errors: Int64 = 0
    var retries: Int64 = 0
    var times = Latency()
    var limits: [Limit] = []
    var endpoints: [Endpoint] = []
}
