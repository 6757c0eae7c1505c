import FilterAPI

/// One decoding of one node: takes the errors, and remembers where they are so that they are not followed by others.
final class DecodingRun {
    /// Thrown where a value cannot even be stood in for; the reason has been reported.
    struct Recorded: Error {}

    let decoder: SettingsDecoder
    let diagnostics: Diagnostics
    let side: Side?
    var clusterUses: [ClusterReference] = []

    /// Whether nothing was refused, here or when the file was read.
    private(set) var isClean = true
    /// Paths of the values that were refused, and of the keys that were probably meant by unknown ones.
    private var failed: Set<String> = []
    /// The containers of those.
    private var failedContainers: Set<String> = []

    init(decoder: SettingsDecoder, diagnostics: Diagnostics, side: Side?) {
        self.side = side
        self.decoder = decoder
        self.diagnostics = diagnostics
    }

    /// Reads a value of any type.
    ///
    /// - Parameters:
    ///   - slot: the key that the value belongs to, for the defaults of a nested struct.
    /// - Returns: nil if the value was refused; that has been reported.
    func value<Value: Decodable>(_ type: Value.Type, from node: Node, slot: KeySlot?) -> Value? {
        if let scalar = node.scalar, scalar.isBroken {
            fail(at: node.trail)
            return nil
        }
        if let readable = type as? any ReadableValue.Type {
            return read(readable, from: node) as? Value
        }
        if node.isNull {
            refuseNull(node)
            return nil
        }
        if let settings = type as? any SettingsStruct.Type {
            return self.settings(settings, from: node, slot: slot) as? Value
        }
        if let words = type as? any RawRepresentable<String>.Type {
            return word(words, from: node) as? Value
        }
        return codable(type, from: node, template: structTemplate(slot))
    }

    /// An enum with payloads encodes itself as a key too, but as one of several.
    private func structTemplate(_ slot: KeySlot?) -> Template? {
        guard let fallback = slot?.fallback, Mirror(reflecting: fallback).displayStyle != .enum else { return nil }
        return slot?.template
    }

    /// Something to go on with after an error, so that the errors behind it are found too.
    func placeholder<Value>(_ type: Value.Type) -> Value? {
        if let readable = type as? any ReadableValue.Type { return readable.placeholder as? Value }
        if let settings = type as? any SettingsStruct.Type { return settings.init() as? Value }
        if let cases = type as? any CaseIterable.Type { return firstCase(cases) as? Value }
        return nil
    }

    private func firstCase<Cases: CaseIterable>(_ type: Cases.Type) -> Any? { type.allCases.first }

    private func read<Value: ReadableValue>(_ type: Value.Type, from node: Node) -> Any? {
        if node.isNull, !type.acceptsNull {
            refuseNull(node)
            return nil
        }
        return type.read(node, self)
    }

    private func codable<Value: Decodable>(_ type: Value.Type, from node: Node, template: Template?) -> Value? {
        if let template, let mapping = node.mapping { refuseUnknownKeys(of: mapping, template) }
        do {
            return try Value(from: NodeDecoder(run: self, node: node, template: template))
        } catch is Recorded {
            return nil
        } catch {
            refuse(.refusedValue, "\(node.summary) cannot be used here", at: node, hint: DecodingRun.reason(error))
            return nil
        }
    }

    private static func reason(_ error: any Error) -> String? {
        switch error as? DecodingError {
        case .dataCorrupted(let context)?, .typeMismatch(_, let context)?, .valueNotFound(_, let context)?,
            .keyNotFound(_, let context)?:
            return context.debugDescription
        default: return nil
        }
    }

    // MARK: Errors

    /// Notes that the value at this path means nothing.
    func fail(at path: NodePath) {
        isClean = false
        // What follows is only counted.
        guard !diagnostics.isFull else { return }
        failed.insert(path.description)
        failedContainers.insert(path.container.description)
    }

    /// Refuses a value.
    func refuse(
        _ code: DiagnosticCode, _ message: String, at node: Node, hint: String? = nil, accepted: [String] = []
    ) {
        fail(at: node.trail)
        diagnostics.error(code, message, at: node.headPlace, hint: hint, accepted: accepted)
    }

    /// Refuses a value that is of another kind than what is expected.
    func refuseType(_ expected: String, _ node: Node, hint: String? = nil, accepted: [String] = []) {
        refuse(
            .wrongType, "expected \(expected), found \(node.summary)", at: node, hint: hint, accepted: accepted)
    }

    private func refuseNull(_ node: Node) {
        let isElement = node.keyRange == nil
        refuse(
            .noValue, isElement ? "this element has no value" : "this key has no value", at: node,
            hint: isElement ? "give it a value, or remove it" : "give it a value, or remove it for the default")
    }

    /// Whether a complaint about this path would only repeat an error that has been reported.
    ///
    /// - Parameter isAbsent: the file has nothing at this path: then a refused key beside it may be the one that was
    ///   meant, or one that would make it superfluous.
    func isFollowUp(_ path: NodePath, isAbsent: Bool = false) -> Bool {
        guard !failed.isEmpty else { return false }
        if failedContainers.contains(path.description) { return true }
        if isAbsent, failedContainers.contains(path.container.description) { return true }
        var path = path
        while true {
            if failed.contains(path.description) { return true }
            let container = path.container
            guard container !== path else { return false }
            path = container
        }
    }
}
