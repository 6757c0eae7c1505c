/// The keys of a mapping over the defaults of a template.
struct KeyedReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let run: DecodingRun
    let node: Node
    let mapping: Mapping
    let template: Template?

    var codingPath: [any CodingKey] { [] }

    var allKeys: [Key] {
        mapping.entries.compactMap { entry in Key(stringValue: entry.key) ?? Key(stringValue: camelCase(entry.key)) }
    }

    private func camelCase(_ name: String) -> String {
        let words = name.split(separator: "_")
        return words.dropFirst().reduce(words.first.map(String.init) ?? "") { result, word in
            result + word.prefix(1).uppercased() + word.dropFirst()
        }
    }

    /// Only where no template did it before: a type that is no settings struct knows its keys, but cannot list them.
    func refuseUnknownKeys() {
        guard template == nil else { return }
        for entry in mapping.entries where Key(stringValue: entry.key) == nil {
            guard Key(stringValue: camelCase(entry.key)) == nil else { continue }
            run.refuseUnknownKey(entry, accepted: [])
        }
    }

    private func slot(_ key: Key) -> KeySlot? {
        guard let template, let position = template.position(of: key.stringValue) else { return nil }
        return KeySlot(owner: template, position: position)
    }

    private func fileName(_ key: Key, _ slot: KeySlot?) -> String {
        slot.map { $0.owner.keys[$0.position].fileName } ?? KeyNames.fileName(of: key.stringValue)
    }

    private func child(_ key: Key) -> Node? { mapping[fileName(key, slot(key))] }

    func contains(_ key: Key) -> Bool { child(key) != nil || slot(key)?.fallback != nil }

    func decodeNil(forKey key: Key) -> Bool { child(key).map(\.isNull) ?? (slot(key)?.fallback == nil) }

    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T {
        let slot = slot(key)
        if let child = mapping[fileName(key, slot)] {
            if let value = run.value(type, from: child, slot: slot) { return value }
        } else if let known = slot?.fallback as? T {
            return known
        } else {
            reportMissing(fileName(key, slot))
        }
        if let standIn = slot?.fallback as? T ?? run.placeholder(type) { return standIn }
        throw DecodingRun.Recorded()
    }

    private func reportMissing(_ name: String) {
        let path = node.trail.key(name)
        guard !run.isFollowUp(path) else { return }
        run.fail(at: path)
        run.diagnostics.error(
            .missingKey, "the key `\(name)` is missing", at: Place(range: node.headPlace.range, path: path))
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try superDecoder(forKey: key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try superDecoder(forKey: key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { NodeDecoder(run: run, node: node, template: template) }

    func superDecoder(forKey key: Key) throws -> any Decoder {
        guard let child = child(key) else {
            reportMissing(fileName(key, slot(key)))
            throw DecodingRun.Recorded()
        }
        return NodeDecoder(run: run, node: child, template: slot(key)?.template)
    }
}

// MARK: Optionals

extension KeyedReader {
    // Each is written out: the protocol's own defaults for these types would be taken in place of a generic one, and
    // they give the whole struct up where a single optional is refused.
    func decodeIfPresent<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T? { optional(type, key) }
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { optional(type, key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { optional(type, key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { optional(type, key) }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { optional(type, key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { optional(type, key) }
    func decodeIfPresent(_ type: Int8.Type, forKey key: Key) throws -> Int8? { optional(type, key) }
    func decodeIfPresent(_ type: Int16.Type, forKey key: Key) throws -> Int16? { optional(type, key) }
    func decodeIfPresent(_ type: Int32.Type, forKey key: Key) throws -> Int32? { optional(type, key) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { optional(type, key) }
    func decodeIfPresent(_ type: UInt.Type, forKey key: Key) throws -> UInt? { optional(type, key) }
    func decodeIfPresent(_ type: UInt8.Type, forKey key: Key) throws -> UInt8? { optional(type, key) }
    func decodeIfPresent(_ type: UInt16.Type, forKey key: Key) throws -> UInt16? { optional(type, key) }
    func decodeIfPresent(_ type: UInt32.Type, forKey key: Key) throws -> UInt32? { optional(type, key) }
    func decodeIfPresent(_ type: UInt64.Type, forKey key: Key) throws -> UInt64? { optional(type, key) }

    private func optional<T: Decodable>(_ type: T.Type, _ key: Key) -> T? {
        let slot = slot(key)
        guard let child = mapping[fileName(key, slot)] else { return slot?.fallback as? T }
        return child.isNull ? nil : run.value(type, from: child, slot: slot)
    }
}
