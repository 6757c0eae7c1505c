internal import Filters

/// A request to the admin interface, as far as its pages look at it.
struct AdminQuestion: Sendable {
    /// Without the query.
    let path: String
    /// Parameters in the order in which they came, decoded.
    let parameters: [(name: String, value: String)]
    /// Whether it may change something.
    let isPost: Bool
    /// Whether the client says that it would rather have text than a page.
    let prefersText: Bool
    /// The name and port by which the interface was called.
    let host: String
    /// The path of the Unix socket that it came over; nil over TCP.
    let socket: String?

    init(
        path: String, query: String = "", isPost: Bool = false, prefersText: Bool = false, host: String = "localhost",
        socket: String? = nil
    ) {
        self.path = path
        self.isPost = isPost
        self.prefersText = prefersText
        self.host = host
        self.socket = socket
        parameters = query.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (QueryText.decoded(parts[0]), parts.count > 1 ? QueryText.decoded(parts[1]) : "")
        }
    }

    /// The first value of a parameter; nil where it is missing.
    subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// Whether a parameter is there, and not said to be off.
    func has(_ name: String) -> Bool { self[name].map { $0 != "off" && $0 != "false" && $0 != "0" } ?? false }
}
