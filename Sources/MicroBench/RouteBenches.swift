internal import FilterAPI
internal import FilterTesting
internal import Filters

/// Finding a route among few and many: by host, by whole path and by prefix.
enum RouteBenches {
    /// What the routes of a table differ in.
    private enum Kind: String, CaseIterable {
        case hosts, paths, prefixes
    }

    static func run(_ measure: Measure) {
        for kind in Kind.allCases {
            let few = match(measure, kind, 10)
            let many = match(measure, kind, 10_000)
            if let few, let many { measure.note("times as long among 10000", many / few) }
        }
    }

    private static func match(_ measure: Measure, _ kind: Kind, _ count: Int) -> Double? {
        let table = table(kind, count)
        let connection = FakeConnection().facts
        // Sixteen requests for routes from the first to the last, in turns.
        let heads = InlineArray<16, RequestHead> { request(kind, $0 * (count - 1) / 15) }
        return measure.run("match one of \(count) \(kind.rawValue)") { times in
            for turn in 0..<times {
                let found = table.match(heads[turn & 15], on: connection)
                if found < 0 { fatalError("no route") }
                keep(found)
            }
        }
    }

    private static func table(_ kind: Kind, _ count: Int) -> RouteTable {
        let routes = (0..<count).map { number in
            var route = Router.MatchSettings()
            switch kind {
            case .hosts: route.host = ["service-\(number).apps.example"]
            case .paths: route.path = "/api/v1/items/\(number)/details"
            case .prefixes: route.prefix = "/teams/\(number)/"
            }
            return route
        }
        do throws(RouteTable.Problem) { return try RouteTable(routes) } catch { fatalError(error.message) }
    }

    private static func request(_ kind: Kind, _ number: Int) -> RequestHead {
        switch kind {
        case .hosts: .fake("GET", "/index.html", host: "service-\(number).apps.example")
        case .paths: .fake("GET", "/api/v1/items/\(number)/details?full=1")
        case .prefixes: .fake("GET", "/teams/\(number)/members/17")
        }
    }
}
