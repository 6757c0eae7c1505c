package import FilterAPI

/// Finds the first of many routes that matches a request.
///
/// Routes are grouped by their host patterns, and in each group indexed by path. All routes that host and path leave
/// are looked at in the order of the file, and only while they stand before the best one so far: the result is that of
/// trying them one after the other.
///
/// Belongs to one worker, since it holds patterns and memory for values.
package final class RouteTable {
    /// The routes of one host pattern.
    private struct Group {
        /// The root of the tree in `paths`.
        var root: Int32
        /// Routes with an expression for the path, ascending.
        var patterns: [Int32]
    }

    private var hosts = HostIndex()
    private var paths = PathIndex()
    private var groups: [Group] = []
    /// The group of `*`; -1 for none.
    private var everyHost = -1
    private let conditions: [Conditions?]
    private var scratch = ByteText()

    /// Indexes routes; their numbers are their places in the list.
    package init(_ routes: [Router.MatchSettings]) throws(Problem) {
        var conditions: [Conditions?] = []
        for (index, route) in routes.enumerated() {
            do throws(Pattern.Problem) {
                conditions.append(try Conditions(route))
            } catch {
                throw Problem(route: index, message: error.message)
            }
        }
        self.conditions = conditions
        index(routes)
    }

    /// A route that cannot be used.
    package struct Problem: Error {
        /// Its number.
        package var route: Int
        /// What is wrong with it.
        package var message: String
    }

    private func index(_ routes: [Router.MatchSettings]) {
        var numbers: [String: Int] = [:]
        var trees: [PathTree] = []
        for (order, route) in routes.enumerated() {
            for host in Self.patterns(route.host) {
                let number = numbers[host] ?? groups.count
                if numbers[host] == nil {
                    numbers[host] = number
                    groups.append(Group(root: -1, patterns: []))
                    trees.append(PathTree())
                    if host == "*" { everyHost = number } else { hosts.add(host, group: Int32(number)) }
                }
                if route.regex != nil {
                    groups[number].patterns.append(Int32(order))
                } else {
                    trees[number].add(
                        route.path ?? route.prefix ?? "", order: Int32(order), isPrefix: route.path == nil)
                }
            }
        }
        for (number, tree) in trees.enumerated() { groups[number].root = paths.add(tree) }
    }

    /// A pattern that is written twice counts once; a dot at the end means nothing.
    private static func patterns(_ hosts: [String]) -> Set<String> {
        if hosts.isEmpty || hosts.contains("*") { return ["*"] }
        return Set(
            hosts.map { host in
                let text = host.lowercased()
                return text.count > 1 && text.hasSuffix(".") ? String(text.dropLast()) : text
            })
    }

    /// The number of the first route that matches; -1 where none does.
    package func match(_ head: borrowing RequestHead, on connection: ConnectionFacts) -> Int {
        var best = Int32.max
        hosts.find(HostPattern.host(of: head.authority)) { group in search(Int(group), head, connection, &best) }
        if everyHost >= 0 { search(everyHost, head, connection, &best) }
        return best == .max ? -1 : Int(best)
    }

    private func search(
        _ group: Int, _ head: borrowing RequestHead, _ connection: ConnectionFacts, _ best: inout Int32
    ) {
        let path = head.path
        paths.find(path, root: groups[group].root) { range in
            for index in range {
                let order = paths.orders[index]
                if order >= best { return }
                if passes(order, head, connection) {
                    best = order
                    return
                }
            }
        }
        // A path that is no path (`*`, or the target of CONNECT) matches no expression.
        guard !groups[group].patterns.isEmpty, path.byteCount > 0, path.byte(at: 0) == UInt8(ascii: "/") else { return }
        for order in groups[group].patterns {
            if order >= best { return }
            guard let conditions = conditions[Int(order)], let pattern = conditions.pattern else { continue }
            if conditions.pass(head, connection, scratch: &scratch), pattern.matchesWhole(path) {
                best = order
                return
            }
        }
    }

    private func passes(_ order: Int32, _ head: borrowing RequestHead, _ connection: ConnectionFacts) -> Bool {
        guard let conditions = conditions[Int(order)] else { return true }
        return conditions.pass(head, connection, scratch: &scratch)
    }
}
