import Config
import FilterAPI

/// Settings with one of everything, in the shape of a real config file.
struct Sample: SettingsStruct {
    var workers: Int?
    var drainTimeout = Duration.seconds(30)
    var log = Log()
    var maxConnections: UInt16 = 0
    var sampling = 1.0
    var plugins: [String] = []
    var listeners: [String: Listener] = [:]
    var clusters: [String: Cluster] = [:]

    struct Log: SettingsStruct {
        enum Level: String, Codable, CaseIterable { case debug, info, warning, error }
        var level = Level.info
        var format = "text"
    }

    struct Listener: SettingsStruct {
        var bind: [String] = []
        var http = HTTP(maxHead: .kibibytes(32))
        var router: Router?
        var filters: [RawNode] = []

        func validate(_ check: inout SettingsCheck) {
            if bind.isEmpty { check.error("bind", "a listener needs an address") }
        }
    }

    struct HTTP: SettingsStruct {
        enum Slashes: String, Codable, CaseIterable { case keep, reject, unescape }
        var maxHead = ByteSize.kibibytes(60)
        var maxHTTPHeads = 100
        var idleTimeout = Duration.seconds(3600)
        var cacheTTL = Duration.seconds(60)
        var shedding = Percent.percent(20)
        var normalizePath = true
        var escapedSlashes = Slashes.reject
        var serverHeader = "sluice"

        func validate(_ check: inout SettingsCheck) {
            if maxHead.bytes < 1024 { check.error("max_head", "must be at least 1KiB") }
            if !normalizePath, escapedSlashes == .unescape {
                check.warning("escaped_slashes", "unescaped slashes are not normalized")
            }
        }
    }

    struct Router: SettingsStruct {
        var to: String?
        var routes: [Route] = []

        init() {}
        init?(shorthand: String) { to = shorthand }

        func validate(_ check: inout SettingsCheck) {
            if to == nil, routes.isEmpty { check.error("to", "needs `to` or `routes`") }
            if let to { check.usesCluster(to, at: "to") }
            for (index, route) in routes.enumerated() where route.weight > 100 {
                check.error("routes[\(index)].weight", "must be at most 100")
            }
        }
    }

    struct Route: SettingsStruct {
        enum Method: String, Codable { case get = "GET", post = "POST" }
        enum Upgrade: String, Codable, CaseIterable { case websocket, connectUDP = "connect-udp" }
        var name = ""
        var match = Match()
        var to = ""
        var timeout = Duration.seconds(15)
        var weight = 1
        var methods: [Method] = []
        var upgrades: [Upgrade] = []
        var setHeaders: [String: String] = [:]
        var filters = RawRouteSettings()

        func validate(_ check: inout SettingsCheck) {
            if to.isEmpty { check.error("to", "a route needs a cluster") } else { check.usesCluster(to, at: "to") }
        }
    }

    struct Match: SettingsStruct {
        var host: String?
        var prefix = "/"
    }

    struct Cluster: SettingsStruct {
        var endpoints: [Endpoint] = []
        var connectTimeout = Duration.seconds(5)
    }

    struct Endpoint: SettingsStruct {
        var address = ""
        var weight: UInt8 = 1

        init() {}
        init?(shorthand: String) {
            guard shorthand.contains(":") else { return nil }
            address = shorthand
        }
        func validate(_ check: inout SettingsCheck) {
            if address.isEmpty { check.error("address", "an endpoint needs an address") }
        }
    }
}
