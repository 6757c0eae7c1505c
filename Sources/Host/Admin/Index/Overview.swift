/// What the index page tells, in the order in which a person wants to know it: is it fine, where is the loss, what do
/// the losing requests look like, what changed.
struct Overview {
    /// What is known of the config.
    struct Config {
        var file: String?
        var generation = 0
        /// When it was put in place, in nanoseconds since 1970.
        var since: UInt64 = 0
        var summary = ""
        var refused: Rejection?
    }

    /// What all listeners together have done.
    struct Totals {
        var requests: Int64 = 0
        var active: Int64 = 0
        var answered: Int64 = 0
        var errors: Int64 = 0
        var times = Latency()
        var connections = 0
        var cpu: UInt64 = 0
        var memory = 0
    }

    /// A fault by its reason.
    struct FaultCount {
        let reason: String
        let count: Int64
        /// What it is and what to look at, in sentences; empty where nobody has written it up.
        var meaning = ""
        var advice = ""
    }

    /// A certificate in use.
    struct Certificate {
        let path: String
        let subject: String
        let names: [String]
        let isAuthority: Bool
        /// Below 0 once it has expired.
        let daysLeft: Int
    }

    /// A filter that chains of the config have.
    struct LoadedFilter {
        let id: String
        let summary: String
        let isPlugin: Bool
    }

    var state = ServerState.live
    /// Listeners that do not accept, in words.
    var unready: [String] = []
    var version = ""
    /// In nanoseconds.
    var uptime: UInt64 = 0
    /// In nanoseconds since 1970.
    var now: UInt64 = 0
    var config = Config()
    var totals = Totals()
    var listeners: [ListenerOverview] = []
    var clusters: [ClusterOverview] = []
    var faults: [FaultCount] = []
    var certificates: [Certificate] = []
    var filters: [LoadedFilter] = []
}

extension Overview {
    /// The state in a word and a shape.
    var mark: (shape: String, word: String, kind: String) {
        switch state {
        case .live: ("●", "serving", "good")
        case .draining: ("◐", "draining", "warn")
        case .preInitializing: ("○", "starting", "warn")
        case .initializing: unready.isEmpty ? ("○", "starting", "warn") : ("▲", "not accepting everywhere", "bad")
        }
    }

    /// A text that differs where the data has other things than before, whatever is known of them.
    var places: String {
        var hash = TextHash()
        hash.mix("\(config.generation)")
        for listener in listeners { hash.mix(listener.name) }
        for cluster in clusters {
            hash.mix(cluster.name)
            for endpoint in cluster.endpoints { hash.mix(endpoint.address) }
        }
        return hash.text
    }

    /// A text that differs where other words are shown than before, whatever the numbers are.
    var shape: String {
        var hash = TextHash()
        func mix(_ text: String) { hash.mix(text) }
        mix(places)
        mix(mark.word)
        for line in unready { mix(line) }
        mix("\(config.refused?.time ?? 0)")
        for listener in listeners {
            mix(listener.name)
            for chain in listener.chains {
                for filter in chain.filters {
                    mix(filter.name)
                    for counter in filter.counters { mix(counter.name) }
                }
            }
        }
        for cluster in clusters {
            mix(cluster.name)
            for endpoint in cluster.endpoints { mix("\(endpoint.address) \(endpoint.health)") }
            for limit in cluster.limits { mix(limit.isReached ? "reached" : "") }
        }
        for fault in faults { mix(fault.reason) }
        for certificate in certificates { mix("\(certificate.path) \(certificate.daysLeft)") }
        return hash.text
    }
}

/// FNV-1a of several texts, one after the other.
private struct TextHash {
    private var hash: UInt64 = 0xCBF2_9CE4_8422_2325

    mutating func mix(_ text: String) {
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        hash = (hash ^ 0xFF) &* 0x100_0000_01B3
    }

    var text: String { String(hash, radix: 16) }
}
