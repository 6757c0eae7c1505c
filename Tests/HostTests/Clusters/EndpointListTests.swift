import Engine
import FilterAPI
import Testing

@testable import Host

@Suite("Lists of endpoints") struct EndpointListTests {
    private func list(_ entries: (String, Int)...) -> EndpointList {
        var list = EndpointList()
        for (text, weight) in entries {
            if let address = SocketAddress(parsing: text) { list.add(address, weight: weight) }
        }
        return list
    }

    @Test("endpoints that stay are the same objects, with their new weight") func identity() {
        let first = list(("10.0.0.1:80", 1), ("10.0.0.2:80", 1)).merged(into: [])
        let second = list(("10.0.0.2:80", 5), ("10.0.0.3:80", 1)).merged(into: first)
        #expect(second.map(\.name.text) == ["10.0.0.2:80", "10.0.0.3:80"])
        #expect(second[0] === first[1])
        #expect(second.map(\.weight) == [5, 1])
        #expect(first.map(\.isListed) == [false, true])
        #expect(second.allSatisfy { $0.isListed })
    }

    @Test("the same address on another port is another endpoint") func ports() {
        let first = list(("10.0.0.1:80", 1)).merged(into: [])
        let second = list(("10.0.0.1:81", 1)).merged(into: first)
        #expect(second[0] !== first[0])
        #expect(!first[0].isListed)
    }

    @Test("an address that two names lead to is one endpoint with the weight of both") func twice() {
        let endpoints = list(("10.0.0.1:80", 1), ("10.0.0.1:80", 2)).merged(into: [])
        #expect(endpoints.map(\.weight) == [3])
    }

    @Test("an empty list takes all endpoints away") func empty() {
        let first = list(("10.0.0.1:80", 1), ("unix:/run/a.sock", 1)).merged(into: [])
        #expect(EndpointList().merged(into: first).isEmpty)
        #expect(first.allSatisfy { !$0.isListed })
    }
}
