internal import FilterAPI

/// Finds the routes whose path or prefix fits a path, in time that depends on the path and not on their number.
///
/// A tree over the paths' bytes per root, with runs of bytes that do not branch kept together. All trees lie in the
/// same few arrays; children are found by a table that spans the bytes that occur.
struct PathIndex {
    struct Node {
        /// Bounds of the bytes that lead to this node, in `labels`.
        var labelStart: Int32 = 0
        var labelEnd: Int32 = 0
        /// Where the children's table begins in `children`, less the first byte that it has an entry for.
        var children: Int32 = 0
        var firstByte: UInt8 = 0
        /// The number of bytes that the table spans.
        var span: UInt16 = 0
        /// Bounds in `orders` of the routes for exactly this path, and behind them of those for this prefix.
        var exactStart: Int32 = 0
        var exactEnd: Int32 = 0
        var prefixEnd: Int32 = 0
    }

    private(set) var nodes: [Node] = []
    private(set) var labels: [UInt8] = []
    private(set) var children: [Int32] = []
    /// Numbers of routes, ascending per node and kind.
    private(set) var orders: [Int32] = []

    /// Adds a tree.
    ///
    /// - Returns: the number of its root.
    mutating func add(_ tree: PathTree) -> Int32 {
        let root = Int32(nodes.count)
        nodes.append(Node())
        var waiting = [(tree, root)]
        var next = 0
        while next < waiting.count {
            let (tree, number) = waiting[next]
            next += 1
            var node = Node()
            node.labelStart = Int32(labels.count)
            labels += tree.label
            node.labelEnd = Int32(labels.count)
            node.exactStart = Int32(orders.count)
            orders += tree.exact.sorted()
            node.exactEnd = Int32(orders.count)
            orders += tree.prefix.sorted()
            node.prefixEnd = Int32(orders.count)
            let bytes = tree.children.keys.sorted()
            if let first = bytes.first, let last = bytes.last {
                node.firstByte = first
                node.span = UInt16(last - first) + 1
                node.children = Int32(children.count)
                children += Array(repeating: -1, count: Int(node.span))
                for byte in bytes {
                    guard let child = tree.children[byte] else { continue }
                    children[Int(node.children) + Int(byte - first)] = Int32(nodes.count)
                    waiting.append((child, Int32(nodes.count)))
                    nodes.append(Node())
                }
            }
            nodes[Int(number)] = node
        }
        return root
    }

    /// Shows the routes that fit a path, as bounds in ``orders``, each kind and node by itself.
    @inline(__always)
    func find(_ path: RawSpan, root: Int32, _ body: (Range<Int>) -> Void) {
        var current = root
        var offset = 0
        let count = path.byteCount
        while true {
            let node = nodes[Int(current)]
            let length = Int(node.labelEnd - node.labelStart)
            guard length <= count - offset else { return }
            for index in 0..<length where labels[Int(node.labelStart) + index] != path.byte(at: offset + index) {
                return
            }
            offset += length
            if node.prefixEnd > node.exactEnd { body(Int(node.exactEnd)..<Int(node.prefixEnd)) }
            guard offset < count else {
                if node.exactEnd > node.exactStart { body(Int(node.exactStart)..<Int(node.exactEnd)) }
                return
            }
            let byte = path.byte(at: offset)
            guard byte >= node.firstByte, UInt16(byte - node.firstByte) < node.span else { return }
            current = children[Int(node.children) + Int(byte - node.firstByte)]
            guard current >= 0 else { return }
        }
    }
}

/// A tree of paths while it is being built.
final class PathTree {
    fileprivate(set) var label: [UInt8]
    fileprivate(set) var children: [UInt8: PathTree] = [:]
    fileprivate(set) var exact: [Int32] = []
    fileprivate(set) var prefix: [Int32] = []

    /// A tree without paths.
    init() { label = [] }

    private init(label: [UInt8]) { self.label = label }

    /// Adds a route for a path, or for all paths that begin with it.
    func add(_ path: String, order: Int32, isPrefix: Bool) {
        let node = node(at: Array(path.utf8)[...])
        if isPrefix { node.prefix.append(order) } else { node.exact.append(order) }
    }

    /// The root's label is always empty, so that a node is split below its parent only.
    private func node(at path: ArraySlice<UInt8>) -> PathTree {
        var node = self
        var rest = path
        while let first = rest.first {
            guard let child = node.children[first] else {
                let leaf = PathTree(label: Array(rest))
                node.children[first] = leaf
                return leaf
            }
            let common = zip(child.label, rest).prefix { $0 == $1 }.count
            if common < child.label.count {
                let middle = PathTree(label: Array(child.label[..<common]))
                child.label.removeFirst(common)
                middle.children[child.label[0]] = child
                node.children[first] = middle
                node = middle
            } else {
                node = child
            }
            rest = rest.dropFirst(common)
        }
        return node
    }
}
