/// What a type's `init(from:)` reads: one node, over the defaults of a template.
struct NodeDecoder: Decoder {
    let run: DecodingRun
    let node: Node
    let template: Template?

    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard let mapping = node.mapping else {
            run.refuseType("a mapping", node)
            throw DecodingRun.Recorded()
        }
        let container = KeyedReader<Key>(run: run, node: node, mapping: mapping, template: template)
        container.refuseUnknownKeys()
        return KeyedDecodingContainer(container)
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        if let elements = node.elements { return UnkeyedReader(run: run, elements: elements) }
        guard node.scalar != nil else {
            run.refuseType("a list", node, hint: "begin each element with `- `")
            throw DecodingRun.Recorded()
        }
        return UnkeyedReader(run: run, elements: [node])
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { SingleReader(run: run, node: node) }
}

/// The one value of a node.
private struct SingleReader: SingleValueDecodingContainer {
    let run: DecodingRun
    let node: Node
    var codingPath: [any CodingKey] { [] }

    func decodeNil() -> Bool { node.isNull }

    func decode<T: Decodable>(_ type: T.Type) throws -> T {
        guard let value = run.value(type, from: node, slot: nil) else { throw DecodingRun.Recorded() }
        return value
    }
}

/// The elements of a list, for types other than arrays.
private struct UnkeyedReader: UnkeyedDecodingContainer {
    let run: DecodingRun
    let elements: [Node]
    var currentIndex = 0

    init(run: DecodingRun, elements: [Node]) {
        self.run = run
        self.elements = elements
    }

    var codingPath: [any CodingKey] { [] }
    var count: Int? { elements.count }
    var isAtEnd: Bool { currentIndex >= elements.count }

    private mutating func next() throws -> Node {
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                Any.self, .init(codingPath: [], debugDescription: "the list is too short"))
        }
        defer { currentIndex += 1 }
        return elements[currentIndex]
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, elements[currentIndex].isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        guard let value = run.value(type, from: try next(), slot: nil) else { throw DecodingRun.Recorded() }
        return value
    }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        try superDecoder().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try superDecoder().unkeyedContainer()
    }

    mutating func superDecoder() throws -> any Decoder { NodeDecoder(run: run, node: try next(), template: nil) }
}
