import FilterAPI

/// The keys of a settings type and what each is if the file does not have it.
///
/// Learned by encoding one instance. The values are kept as they are, so a default costs no decoding.
final class Template {
    /// One key.
    struct Key {
        /// The key as it stands in the file.
        let fileName: String
        /// The instance's value; nil for an optional that is nil.
        let fallback: Any?
    }

    let keys: [Key]
    private let positions: [String: Int]
    private let fileNames: Set<String>
    /// The keys whose defaults have to be validated where the file does not have them.
    let settings: [(position: Int, value: any SettingsStruct)]
    private var children: [Int: Template] = [:]

    /// - Returns: nil if the value does not encode itself as keys and values.
    init?(learning value: any Encodable) {
        let learner = Learner()
        // An encode that throws has still named the keys before.
        try? value.encode(to: learner)
        guard let entries = learner.entries else { return nil }
        keys = entries.map { Key(fileName: KeyNames.fileName(of: $0.name), fallback: $0.value) }
        positions = Dictionary(entries.enumerated().map { ($1.name, $0) }) { first, _ in first }
        fileNames = Set(keys.map(\.fileName))
        settings = keys.enumerated().compactMap { position, key in
            (key.fallback as? any SettingsStruct).map { (position, $0) }
        }
    }

    /// The position of the key with that name in Swift.
    func position(of codingName: String) -> Int? { positions[codingName] }

    /// Whether the file may have this key.
    func accepts(_ fileName: String) -> Bool { fileNames.contains(fileName) }

    /// The template of a nested value, whose defaults are those that this instance has for it.
    func child(at position: Int) -> Template? {
        if let child = children[position] { return child }
        guard let value = keys[position].fallback as? any Encodable else { return nil }
        children[position] = Template(learning: value)
        return children[position]
    }
}
