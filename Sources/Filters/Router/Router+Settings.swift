public import FilterAPI

extension Router {
    /// What a chain sets for its router.
    public struct Settings: FilterSettings {
        /// The cluster for every request that no route takes.
        public var to: String?
        /// The routes. The first one that matches takes the request.
        public var routes: [RouteSettingsEntry] = []
        /// From the end of the request to the end of the answer, for routes that say nothing else; 0 for no limit.
        public var timeout = Duration.seconds(15)
        /// How long nothing may move, for routes that say nothing else; missing for the host's default.
        public var idleTimeout: Duration?
        /// Whether upstreams are told how much time is left, for routes that say nothing else.
        public var sendDeadline = true
        /// The protocols that a request may change to, for routes that say nothing else.
        public var upgrades: [String] = []
        /// Changes to all requests that are routed, after those of their route.
        public var requestHeaders = HeaderEditSettings()
        /// Changes to all responses, after those of their route.
        public var responseHeaders = HeaderEditSettings()

        /// The defaults.
        public init() {}

        /// A cluster: `router: app`.
        public init?(shorthand: String) { to = shorthand }

        /// Checks that requests can go somewhere.
        public func validate(_ check: inout SettingsCheck) {
            if let to { check.usesCluster(to, at: "to") }
            if to == nil, routes.isEmpty {
                check.error("", "there is neither `to` nor a route", hint: "for example `router: { to: app }`")
            }
            var names: [String: Int] = [:]
            for (index, route) in routes.enumerated() {
                guard let name = route.name else { continue }
                if names[name] != nil { check.error("routes[\(index)].name", "two routes are called `\(name)`") }
                names[name] = index
            }
            for (index, route) in routes.dropLast().enumerated() where route.match.isEverything {
                check.warning(
                    "routes[\(index)]", "this route matches every request, so that those behind it are never used")
                break
            }
            UpgradeNames.check(upgrades, at: "upgrades", &check)
        }
    }

    /// One route.
    public struct RouteSettingsEntry: SettingsStruct {
        /// A name for logs.
        public var name: String?
        /// Which requests it takes; all of them where it says nothing.
        public var match = MatchSettings()
        /// The cluster that they go to.
        public var to: String?
        /// Clusters with their weights, in place of `to`.
        public var split: [String: Int] = [:]
        /// An answer that sends the client elsewhere, in place of `to`.
        public var redirect: RedirectSettings?
        /// An answer, in place of `to`.
        public var respond: RespondSettings?
        /// Changes to path and host.
        public var rewrite = RewriteSettings()
        /// Changes to the request's fields.
        public var requestHeaders = HeaderEditSettings()
        /// Changes to the response's fields.
        public var responseHeaders = HeaderEditSettings()
        /// From the end of the request to the end of the answer; 0 for no limit.
        public var timeout: Duration?
        /// How long nothing may move.
        public var idleTimeout: Duration?
        /// Whether the upstream is told how much time is left, in `x-envoy-expected-rq-timeout-ms` and `grpc-timeout`.
        public var sendDeadline: Bool?
        /// The protocols that a request may change to.
        public var upgrades: [String]?
        /// Whether CONNECT may open a tunnel to the cluster.
        public var connect = false
        /// What picks the endpoint, for clusters that balance by a hash.
        public var hash: HashSettings?
        /// Settings for other filters of the chain, by their names.
        public var filters = RawRouteSettings()

        /// A route that takes everything and leads nowhere yet.
        public init() {}

        /// Checks that there is exactly one way for a request to go.
        public func validate(_ check: inout SettingsCheck) {
            checkActions(&check)
            checkRewrite(&check)
            if let upgrades { UpgradeNames.check(upgrades, at: "upgrades", &check) }
            if connect, match.hasPath {
                check.warning("connect", "a CONNECT request has no path, so that this route never takes one")
            }
        }

        private func checkActions(_ check: inout SettingsCheck) {
            let actions = [
                to.map { _ in "to" }, split.isEmpty ? nil : "split", redirect.map { _ in "redirect" },
                respond.map { _ in "respond" },
            ].compactMap { $0 }
            if actions.isEmpty {
                check.error("", "the route leads nowhere", hint: "give it `to`, `split`, `redirect` or `respond`")
            } else if actions.count > 1 {
                check.error(actions[1], "`\(actions[0])` and `\(actions[1])` exclude each other")
            }
            if let to { check.usesCluster(to, at: "to") }
            for (cluster, weight) in split {
                check.usesCluster(cluster, at: "split.\(cluster)")
                if weight < 0 || weight > 1_000_000 {
                    check.error("split.\(cluster)", "a weight is between 0 and 1000000")
                }
            }
            if !split.isEmpty, split.values.allSatisfy({ $0 == 0 }) {
                check.error("split", "no cluster has a weight above 0")
            }
        }

        private func checkRewrite(_ check: inout SettingsCheck) {
            if rewrite.prefix != nil, match.path == nil, match.prefix == nil {
                check.error(
                    "rewrite.prefix", "there is no `match.prefix` that it could replace",
                    hint: "`rewrite.path` replaces the whole path")
            }
            if redirect?.prefix != nil, match.path == nil, match.prefix == nil {
                check.error(
                    "redirect.prefix", "there is no `match.prefix` that it could replace",
                    hint: "`redirect.path` replaces the whole path")
            }
            if !rewrite.isEmpty, redirect != nil || respond != nil {
                check.error("rewrite", "the request goes nowhere, so that there is nothing to rewrite")
            }
        }
    }
}

/// Protocols that requests may change to.
enum UpgradeNames {
    static func check(_ names: [String], at key: String, _ check: inout SettingsCheck) {
        for (index, name) in names.enumerated() {
            if name.isEmpty || !name.utf8.allSatisfy({ HeaderName.isTokenByte($0) || $0 == UInt8(ascii: "/") }) {
                check.error(
                    "\(key)[\(index)]", "`\(name)` cannot be the name of a protocol", hint: "such as `websocket`")
            } else if name.lowercased() == "h2c" {
                check.error("\(key)[\(index)]", "`h2c` is never passed on: it would carry requests past the filters")
            }
        }
    }
}
