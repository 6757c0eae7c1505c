internal import Filters

/// A host name that a TLS client may ask for, or every name below one.
struct ServerNamePattern: Sendable, Hashable {
    /// In lower case, without a dot at its end; for a wildcard what stands behind the `*`, with its dot.
    private let text: String
    private let isWildcard: Bool

    /// - Returns: nil where it is no host name.
    init?(_ pattern: String) {
        isWildcard = pattern.hasPrefix("*.")
        guard let name = ServerName.normalized(isWildcard ? pattern.utf8.dropFirst(2) : pattern.utf8[...]) else {
            return nil
        }
        text = isWildcard ? "." + name : name
    }

    /// Whether a name, in lower case and without a dot at its end, is meant.
    func matches(_ name: String) -> Bool {
        isWildcard ? name.utf8.count > text.utf8.count && name.hasSuffix(text) : name == text
    }

    /// Whether all names that another pattern means are meant.
    func covers(_ other: ServerNamePattern) -> Bool {
        if !other.isWildcard { return matches(other.text) }
        return isWildcard && (other.text == text || other.text.hasSuffix(text))
    }
}
