/// The pairs of a mapping in the order of the file.
///
/// No key occurs twice.
package struct Mapping: Sendable {
    /// One pair.
    package struct Entry: Sendable {
        /// The key's text.
        package let key: String
        /// Where the key stands.
        package let keyRange: SourceRange
        /// What it leads to.
        package let value: Node
    }

    /// The pairs.
    package let entries: [Entry]
    /// Made only where a scan of the entries would be slower.
    private let positions: [String: Int]?

    init(_ entries: [Entry]) {
        self.entries = entries
        if entries.count > 16 {
            let pairs = entries.enumerated().map { ($0.element.key, $0.offset) }
            positions = Dictionary(pairs) { first, _ in first }
        } else {
            positions = nil
        }
    }

    /// The pair with that key.
    package func entry(_ key: String) -> Entry? {
        guard let positions else { return entries.first { $0.key == key } }
        return positions[key].map { entries[$0] }
    }

    /// The value under that key.
    package subscript(key: String) -> Node? { entry(key)?.value }
}
