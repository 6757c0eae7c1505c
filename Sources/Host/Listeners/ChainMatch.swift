internal import Engine
internal import Filters

/// Which clients get a chain, ready to be asked: all that is said must hold, and of a list one element.
struct ChainMatch: Sendable {
    private let serverNames: [ServerNamePattern]
    private let applicationProtocols: [String]
    private let destinations: [AddressRange]
    private let destinationPorts: [UInt16]
    private let sources: [AddressRange]
    /// Whether the first bytes must be TLS; nil for no matter.
    private let tls: Bool?

    /// From settings that were found good.
    init(_ settings: ChainMatchSettings) {
        serverNames = settings.serverNames.compactMap(ServerNamePattern.init)
        applicationProtocols = settings.applicationProtocols
        destinations = settings.destinations.compactMap { try? AddressRange($0) }
        destinationPorts = settings.destinationPorts.map { UInt16(clamping: $0) }
        sources = settings.sources.compactMap { try? AddressRange($0) }
        // Only TLS clients name a server or a protocol.
        tls = serverNames.isEmpty && applicationProtocols.isEmpty ? settings.tls : true
    }

    /// Whether it is for everybody.
    var matchesAll: Bool { !readsFirstBytes && destinations.isEmpty && destinationPorts.isEmpty && sources.isEmpty }
    /// Whether the client's first bytes must be known.
    var readsFirstBytes: Bool { tls != nil }
    /// Whether it must be known which address of the machine the client connected to.
    var readsDestination: Bool { !destinations.isEmpty }

    /// Whether what is said about addresses holds.
    func holds(peer: SocketAddress, local: SocketAddress) -> Bool {
        (sources.isEmpty || sources.contains { $0.contains(peer) })
            && (destinations.isEmpty || destinations.contains { $0.contains(local) })
            && (destinationPorts.isEmpty || local.port.map(destinationPorts.contains) ?? false)
    }

    /// Whether what is said about the first bytes holds; nil for a client that does not speak TLS.
    func holds(_ hello: ClientHello?) -> Bool {
        guard let tls else { return true }
        guard let hello else { return !tls }
        guard tls else { return false }
        if !serverNames.isEmpty {
            guard let name = hello.serverName, serverNames.contains(where: { $0.matches(name) }) else { return false }
        }
        return applicationProtocols.isEmpty || applicationProtocols.contains(where: hello.applicationProtocols.contains)
    }

    /// Whether everybody whom another one is for is meant here too; where it is not plain, the answer is no.
    func covers(_ other: ChainMatch) -> Bool {
        func covers<Item>(_ own: [Item], _ others: [Item], _ test: (Item, Item) -> Bool) -> Bool {
            own.isEmpty || !others.isEmpty && others.allSatisfy { other in own.contains { test($0, other) } }
        }
        return (tls == nil || tls == other.tls)
            && covers(serverNames, other.serverNames) { $0.covers($1) }
            && covers(applicationProtocols, other.applicationProtocols, ==)
            && covers(destinations, other.destinations) { $0.contains($1) }
            && covers(destinationPorts, other.destinationPorts, ==)
            && covers(sources, other.sources) { $0.contains($1) }
    }
}
