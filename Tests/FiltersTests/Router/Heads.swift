import FilterAPI

@testable import Filters

/// A request as a client would send it.
func request(
    _ method: String, _ target: String, host: String = "a", _ fields: [(String, String)] = []
) -> RequestHead {
    var head = RequestHead()
    head.setMethod(method)
    head.setTarget(target)
    if !host.isEmpty { head.setAuthority(host) }
    for (name, value) in fields { if let name = HeaderName(name) { head.headers.add(name, value) } }
    return head
}

extension RouteTable {
    /// The number of the route that a request takes.
    func find(_ method: String, _ target: String, host: String = "a", _ fields: [(String, String)] = []) -> Int {
        match(request(method, target, host: host, fields), on: ConnectionFacts())
    }

    /// The number of the route that a GET on a connection takes.
    func find(on connection: ConnectionFacts) -> Int { match(request("GET", "/"), on: connection) }

    /// The number of the route that a GET takes.
    func find(_ target: String, host: String = "a") -> Int { find("GET", target, host: host) }
}

extension Pattern {
    func whole(_ text: String) -> Bool { whole(Array(text.utf8)) }

    // SAFETY (both): the array outlives the span.
    func whole(_ bytes: [UInt8]) -> Bool { unsafe matchesWhole(bytes.span.bytes) }

    func part(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return unsafe matchesPart(bytes.span.bytes)
    }
}

extension ByteText {
    mutating func append(json text: String) {
        let bytes = Array(text.utf8)
        // SAFETY: the array outlives the span.
        unsafe append(escapedForJSON: bytes.span.bytes)
    }
}
