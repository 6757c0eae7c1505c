/// One listener on the index page.
struct ListenerOverview {
    /// One of its chains.
    struct Chain {
        /// The name that the config gives it; empty where there is only one.
        let name: String
        let filters: [FilterOverview]
    }

    let name: String
    let addresses: [String]
    let isHTTP: Bool
    var chains: [Chain] = []
    /// Where its chains lead.
    var clusters: [String] = []
    var openConnections: Int64 = 0
    var connections: Int64 = 0
    var requests: Int64 = 0
    var active: Int64 = 0
    /// Answers by the class of their status, from 1xx on.
    var classes: [Int64] = [0, 0, 0, 0, 0]
    /// Requests without a status.
    var unanswered: Int64 = 0
    /// Answers that were cut off.
    var cutOff: Int64 = 0
    var times = Latency()

    /// Answers that had a status.
    var answered: Int64 { classes.reduce(0, +) }
    /// Those of them that say that something is wrong here or behind.
    var errors: Int64 { classes[4] }
}

/// One filter in the picture of a chain.
struct FilterOverview {
    /// A number that the filter keeps by itself.
    struct OwnNumber {
        let name: String
        let value: Int64
        let isGauge: Bool
    }

    let name: String
    let id: String
    let summary: String
    let isPlugin: Bool
    /// What it counts, where that is not 0.
    var counters: [OwnNumber] = []
    /// How long it has requests and responses in hand; without values where nobody measures.
    var down = Latency()
    var up = Latency()

    /// Whether something of it is open that should be closed.
    var isOpen: Bool { counters.contains { $0.isGauge && $0.name == "open" && $0.value > 0 } }
}
