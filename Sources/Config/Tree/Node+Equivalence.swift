extension Node {
    /// Whether both say the same, wherever they stand: used to see what a reload has changed.
    ///
    /// The order of keys does not matter, the order of a list does. Values from the environment and from files are
    /// compared by what they are now.
    package func isEquivalent(to other: Node) -> Bool {
        switch (kind, other.kind) {
        case (.null, .null):
            return true
        case (.scalar(let left), .scalar(let right)):
            return left.text == right.text && left.mayBeTyped == right.mayBeTyped
        case (.sequence(let left), .sequence(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.isEquivalent(to: $1) }
        case (.mapping(let left), .mapping(let right)):
            return left.entries.count == right.entries.count
                && left.entries.allSatisfy { entry in right[entry.key]?.isEquivalent(to: entry.value) ?? false }
        default:
            return false
        }
    }
}
