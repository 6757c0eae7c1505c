/// What the process as a whole does, by Envoy's words and numbers.
enum ServerState: Int {
    case live = 0
    case draining = 1
    case preInitializing = 2
    case initializing = 3

    var text: String {
        switch self {
        case .live: "LIVE"
        case .draining: "DRAINING"
        case .preInitializing: "PRE_INITIALIZING"
        case .initializing: "INITIALIZING"
        }
    }
}
