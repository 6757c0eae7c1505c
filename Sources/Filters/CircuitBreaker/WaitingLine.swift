/// A line in which those who wait stand in order, and that anyone may leave at any time, in constant time.
struct WaitingLine<Element> {
    private struct Node {
        var element: Element?
        var previous: Int
        var next: Int
    }

    private var nodes: [Node] = []
    private var head = -1
    private var tail = -1
    private var free = -1
    private(set) var count = 0

    /// Who has waited longest.
    var first: Element? { head < 0 ? nil : nodes[head].element }

    /// Adds to the end.
    ///
    /// - Returns: the place, by which to leave.
    mutating func append(_ element: Element) -> Int {
        let place = free >= 0 ? free : nodes.count
        let node = Node(element: element, previous: tail, next: -1)
        if free >= 0 {
            free = nodes[place].next
            nodes[place] = node
        } else {
            nodes.append(node)
        }
        if tail >= 0 { nodes[tail].next = place } else { head = place }
        tail = place
        count += 1
        return place
    }

    /// Takes out who stands at a place.
    mutating func remove(at place: Int) -> Element? {
        guard nodes.indices.contains(place), let element = nodes[place].element else { return nil }
        let node = nodes[place]
        if node.previous >= 0 { nodes[node.previous].next = node.next } else { head = node.next }
        if node.next >= 0 { nodes[node.next].previous = node.previous } else { tail = node.previous }
        nodes[place] = Node(element: nil, previous: -1, next: free)
        free = place
        count -= 1
        return element
    }

    /// Takes out who has waited longest.
    mutating func popFirst() -> Element? { head < 0 ? nil : remove(at: head) }
}
