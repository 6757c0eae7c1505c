internal import FilterAPI

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
            return (PercentText.decoded(parts[0]), parts.count > 1 ? PercentText.decoded(parts[1]) : "")
        }
    }

    /// The first value of a parameter; nil where it is missing.
    subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

    /// Whether a parameter is there, and not said to be off.
    func has(_ name: String) -> Bool { self[name].map { $0 != "off" && $0 != "false" && $0 != "0" } ?? false }
}

/// Text of queries.
enum PercentText {
    /// With `+` and `%20` as spaces; what is no escape stays as it is, what is no UTF-8 is replaced.
    static func decoded(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2, let high = digit(rest[rest.startIndex]),
                let low = digit(rest[rest.startIndex + 1])
            {
                bytes.append(high << 4 | low)
                rest = rest.dropFirst(2)
            } else {
                bytes.append(byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
