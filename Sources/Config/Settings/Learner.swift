/// An encoder that notes the keys of a value, and the values as they are, without going into them.
final class Learner: Encoder {
    /// Name and value of each key in the order of encoding; nil while no keys were asked for.
    private(set) var entries: [(name: String, value: Any?)]?

    let codingPath: [any CodingKey] = []
    let userInfo: [CodingUserInfoKey: Any] = [:]

    func note(_ name: String, _ value: Any?) { entries?.append((name, value)) }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        if entries == nil { entries = [] }
        return KeyedEncodingContainer(LearnerKeys(learner: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { LearnerSink() }
    func singleValueContainer() -> any SingleValueEncodingContainer { LearnerSink() }
}

/// The keys of a value.
private struct LearnerKeys<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let learner: Learner
    var codingPath: [any CodingKey] { [] }

    private func note(_ key: Key, _ value: Any?) { learner.note(key.stringValue, value) }

    mutating func encodeNil(forKey key: Key) { note(key, nil) }
    mutating func encode<T: Encodable>(_ value: T, forKey key: Key) { note(key, value) }

    mutating func encodeIfPresent<T: Encodable>(_ value: T?, forKey key: Key) { note(key, value) }
    // The protocol's own defaults for these would not call the one above, and lose the key of a nil.
    mutating func encodeIfPresent(_ value: Bool?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: String?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: Double?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: Float?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: Int?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: Int8?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: Int16?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: Int32?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: Int64?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: UInt?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: UInt8?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: UInt16?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: UInt32?, forKey key: Key) { note(key, value) }
    mutating func encodeIfPresent(_ value: UInt64?, forKey key: Key) { note(key, value) }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        note(key, nil)
        return Learner().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        note(key, nil)
        return LearnerSink()
    }

    mutating func superEncoder() -> any Encoder { Learner() }
    mutating func superEncoder(forKey key: Key) -> any Encoder {
        note(key, nil)
        return Learner()
    }
}

/// Takes values that have no keys, and forgets them.
private struct LearnerSink: UnkeyedEncodingContainer, SingleValueEncodingContainer {
    var codingPath: [any CodingKey] { [] }
    var count = 0

    mutating func encodeNil() { count += 1 }
    mutating func encode<T: Encodable>(_ value: T) { count += 1 }
    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        Learner().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { LearnerSink() }
    mutating func superEncoder() -> any Encoder { Learner() }
}
