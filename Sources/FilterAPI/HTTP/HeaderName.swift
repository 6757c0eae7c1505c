/// The name of a header field, compared without regard to case (RFC 9110 section 5.1).
///
/// Names that HTTP and proxies use all the time are interned: a comparison of two of them is one instruction, and a
/// lookup compares tokens. Any other name works too: make it once, when the filter is made, and keep it.
public struct HeaderName: Sendable, Hashable {
    /// Position in the table of known names, 0 for any other name.
    @usableFromInline package let token: UInt16
    /// Hash of the lower-case name; meaningful where `token` is 0.
    @usableFromInline package let hash: UInt32
    /// The name in lower case.
    public let text: String

    @usableFromInline
    package init(token: UInt16, hash: UInt32, text: String) {
        self.token = token
        self.hash = hash
        self.text = text
    }

    /// A name from text in any case; nil where it is not a token (RFC 9110 section 5.6.2).
    public init?(_ name: String) {
        let lowered = name.lowercased()
        let bytes = Array(lowered.utf8)
        guard !bytes.isEmpty, bytes.count <= 1024, bytes.allSatisfy(HeaderName.isTokenByte) else { return nil }
        let (token, hash) = unsafe bytes.withUnsafeBytes { unsafe HeaderNameTable.shared.find($0) }
        self.init(token: token, hash: hash, text: lowered)
    }

    /// Whether a byte may stand in a name or in a method (RFC 9110 section 5.6.2, tchar).
    public static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            return true
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"),
            UInt8(ascii: "'"), UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            return true
        default:
            return false
        }
    }

    /// Same name, whatever the case it was made from.
    @inlinable
    public static func == (left: HeaderName, right: HeaderName) -> Bool {
        left.token == right.token && (left.token != 0 || left.text == right.text)
    }

    /// Hashes the lower-case name.
    public func hash(into hasher: inout Hasher) { hasher.combine(text) }
}
