/// The way from the root of the file to a node, such as `listeners.inbound.chain[2].router.to`.
///
/// A linked list from the leaf to the root, so that a file with many nodes pays for the text of a path only where a
/// message shows it.
package final class NodePath: Sendable, CustomStringConvertible {
    private enum Step: Sendable {
        case key(String)
        case index(Int)
    }

    private let parent: NodePath?
    private let step: Step?

    /// The path of the whole file: empty.
    package static let root = NodePath(nil, nil)

    private init(_ parent: NodePath?, _ step: Step?) {
        self.parent = parent
        self.step = step
    }

    /// The path of the value under a key.
    package func key(_ key: String) -> NodePath { NodePath(self, .key(key)) }

    /// The path of an element, counted from 0.
    package func index(_ index: Int) -> NodePath { NodePath(self, .index(index)) }

    /// The path as text; keys that are not plain words stand in quotes.
    package var description: String {
        guard let parent, let step else { return "" }
        let before = parent.description
        switch step {
        case .index(let index):
            return "\(before)[\(index)]"
        case .key(let key):
            let word = NodePath.isWord(key) ? key : "\"\(key)\""
            return before.isEmpty ? word : "\(before).\(word)"
        }
    }

    /// The path of the mapping or sequence that holds this node.
    var container: NodePath { parent ?? self }

    private static func isWord(_ key: String) -> Bool {
        !key.isEmpty && !key.utf8.contains { byte in ".[]\" \n".utf8.contains(byte) }
    }
}
