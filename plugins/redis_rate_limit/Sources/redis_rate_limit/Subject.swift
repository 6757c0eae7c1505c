import CHiredis
import FilterAPI
import Glibc

/// What has a bucket of its own, and how that is called in Redis.
struct Subject {
    private enum Kind {
        case all
        case clientAddress
        case header(HeaderName, countsMissing: Bool)
    }

    private let kind: Kind
    /// In words: `each client`.
    let whose: String
    /// How the names of its buckets begin.
    private let prefix: String

    /// - Parameters:
    ///   - rule: has passed its check.
    ///   - prefix: of the filter.
    ///   - route: the route that has the rule, or whose requests the rule tells apart; nil where neither.
    init(_ rule: RuleSettings, prefix: String, ofRoute route: String?) {
        let isRoutes = route != nil
        let ending = isRoutes ? " on this route" : ""
        if let header = rule.by?.header, let name = HeaderName(header) {
            kind = .header(name, countsMissing: rule.missing == .limit)
            whose = "each \(name.text)\(ending)"
        } else if rule.by?.word == "client_address" {
            kind = .clientAddress
            whose = "each client\(ending)"
        } else {
            kind = .all
            whose = isRoutes ? "this route" : "all together"
        }
        self.prefix = route.map { "\(prefix):route:\($0)" } ?? prefix
    }

    /// The name of a request's bucket.
    ///
    /// - Returns: nil where the rule is not about this request.
    func key(_ head: borrowing RequestHead, _ connection: ConnectionFacts) -> [UInt8]? {
        switch kind {
        case .all: return Array(prefix.utf8)
        case .clientAddress:
            let said = head.clientAddress.byteCount > 0 ? ASCII.string(head.clientAddress) : connection.remoteIP
            return Array("\(prefix):client:\(ClientNetwork.name(said))".utf8)
        case .header(let name, let countsMissing):
            guard let digest = head.headers.withValue(name, Self.digest) else {
                return countsMissing ? Array("\(prefix):\(name.text):".utf8) : nil
            }
            return Array("\(prefix):\(name.text):\(digest)".utf8)
        }
    }

    /// Half of a value's SHA-256: values may be secret, and as long as a client likes.
    private static func digest(_ value: RawSpan) -> String {
        var digest = [UInt8](repeating: 0, count: Int(SHA256_DIGEST_LENGTH))
        // SAFETY: the array has room for the digest, and the bytes are read during the call only.
        unsafe value.withUnsafeBytes { bytes in
            _ = unsafe SHA256(bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count, &digest)
        }
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in digest.prefix(16) {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}

/// Who counts as one client: an IPv4 address, or the 64 bits of an IPv6 address that name a network, as one client has all of
/// the addresses below them.
enum ClientNetwork {
    /// The name of an address's network; an IPv4 address written as an IPv6 one is an IPv4 address.
    static func name(_ address: String) -> String {
        guard address.utf8.contains(UInt8(ascii: ":")) else { return isIPv4(address) ? address : "other" }
        // The zone behind a link-local address is ours, not the client's.
        let text = String(address.prefix { $0 != "%" })
        var bytes = [UInt8](repeating: 0, count: 16)
        // SAFETY: the array has the size of the address that is asked for.
        guard unsafe inet_pton(AF_INET6, text, &bytes) == 1 else { return "other" }
        if bytes[..<10].allSatisfy({ $0 == 0 }), bytes[10] == 0xFF, bytes[11] == 0xFF {
            return bytes[12...].map { "\($0)" }.joined(separator: ".")
        }
        let groups = stride(from: 0, to: 8, by: 2).map { Int(bytes[$0]) << 8 | Int(bytes[$0 + 1]) }
        return groups.map { String($0, radix: 16) }.joined(separator: ":") + "::/64"
    }

    private static func isIPv4(_ text: String) -> Bool {
        var bytes = [UInt8](repeating: 0, count: 4)
        // SAFETY: as above.
        return unsafe inet_pton(AF_INET, text, &bytes) == 1
    }
}
