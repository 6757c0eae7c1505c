internal import FilterAPI

/// An event on its way past a filter.
enum FakeEvent {
    case head(last: Bool)
    case body([UInt8], last: Bool)
    case trailers

    var byteCount: Int {
        if case .body(let bytes, _) = self { bytes.count } else { 0 }
    }

    var isLast: Bool {
        switch self {
        case .head(let last), .body(_, let last): last
        case .trailers: true
        }
    }
}

/// One direction of a stream: what the filter holds, what waits behind it, and what went on.
struct FakeDirection {
    /// The filter does not want to see more of it.
    var isLeft = false
    /// Shown to the filter and held.
    var held: [FakeEvent] = []
    /// The token that must be used before anything goes on; 0 for none.
    var token: UInt32 = 0
    /// Arrived while a token is out.
    var waiting: [FakeEvent] = []
    var passed = Passed()

    /// How many bytes of the direction have not gone on.
    var heldBytes: Int { (held + waiting).reduce(0) { $0 + $1.byteCount } }
}
