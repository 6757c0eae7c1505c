/// Whoever looks at the index page: how the interface was reached, and what may be changed that way.
struct Visitor: Sendable {
    /// Who may change something.
    enum Right: Sendable {
        /// Whoever comes over the Unix socket.
        case unasked
        /// Whoever shows the token.
        case withToken
        /// Nobody who comes this way.
        case never
    }

    /// The name and port by which the interface was called.
    let host: String
    /// The path of the Unix socket; nil over TCP.
    let socket: String?
    let right: Right

    /// The command that asks for a page.
    func command(_ target: String, isPost: Bool = false) -> String {
        var words = ["curl -s"]
        if isPost {
            words.append("-X POST")
            if right == .withToken { words.append("-H \"Authorization: Bearer $TOKEN\"") }
        }
        if let socket {
            words.append("--unix-socket \(Self.quoted(socket)) \(Self.quoted("http://localhost\(target)"))")
        } else {
            words.append(Self.quoted("http://\(host)\(target)"))
        }
        return words.joined(separator: " ")
    }

    /// For a shell; only with quotes where they are needed.
    private static func quoted(_ text: String) -> String {
        let isPlain = text.utf8.allSatisfy { byte in
            switch byte {
            case 0x2D...0x3A, 0x40...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "%"), UInt8(ascii: "+"): true
            default: false
            }
        }
        return isPlain
            ? text
            : "'"
                + text.split(separator: "'", omittingEmptySubsequences: false)
                .joined(separator: "'\\''") + "'"
    }
}
