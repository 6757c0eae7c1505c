internal import Engine

/// What a lookup has found.
struct NameAnswer {
    /// Addresses with port 0, each once, in an order of their own: servers turn theirs from answer to answer.
    var addresses: [SocketAddress]
    /// How long they are good, in seconds; nil where the answer came from this machine, which says nothing about it.
    var timeToLive: Int?

    init(_ addresses: [SocketAddress], timeToLive: Int?) {
        self.addresses = Set(addresses).sorted { Self.isBefore($0, $1) }
        self.timeToLive = timeToLive
    }

    private static func isBefore(_ left: SocketAddress, _ right: SocketAddress) -> Bool {
        guard left.family == right.family else { return left.family == .v4 }
        return left.ipNumber ?? (0, 0) < right.ipNumber ?? (0, 0)
    }

    /// The addresses that become endpoints: see ``NameFamily``.
    ///
    /// - Parameter hasRoute: whether this machine has a way to an address.
    func addresses(
        _ family: NameFamily, hasRoute: (SocketAddress) -> Bool = { Syscalls.hasRoute(to: $0) }
    ) -> [SocketAddress] {
        let v4 = addresses.filter { $0.family == .v4 }
        let v6 = addresses.filter { $0.family == .v6 }
        switch family {
        case .v4: return v4
        case .v6: return v6
        case .all: return addresses
        case .auto:
            guard let first = v4.first else { return v6 }
            return v6.isEmpty || hasRoute(first) ? v4 : v6
        }
    }
}

/// Why a lookup has found nothing.
struct NameFault: Error, Equatable {
    let message: String
    var isTimeout = false

    static let timeout = NameFault(message: "no server has answered in time", isTimeout: true)
}
