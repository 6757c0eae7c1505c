internal import Engine
internal import Filters

/// The chains of a listener on one worker, of which each client gets one: the first that is for it.
final class ChainList {
    /// A chain and whom it is for; nil for everybody.
    struct Entry {
        let match: ChainMatch?
        let chain: Chain
    }

    /// What is known of a client's chain before it has said anything.
    enum Choice {
        case chain(Chain)
        /// Its first bytes decide.
        case firstBytes
        /// It gets none.
        case none
    }

    private let entries: [Entry]
    /// The chain that all clients get; nil where there is a choice.
    let only: Chain?
    /// Whether it matters which address of the machine a client has connected to.
    let readsDestination: Bool

    init(_ entries: [Entry]) {
        self.entries = entries
        only = entries.count == 1 && entries[0].match == nil ? entries[0].chain : nil
        readsDestination = entries.contains { $0.match?.readsDestination ?? false }
    }

    /// Chooses by addresses, as far as that goes.
    func choose(peer: SocketAddress, local: SocketAddress) -> Choice {
        for entry in entries {
            guard let match = entry.match else { return .chain(entry.chain) }
            guard match.holds(peer: peer, local: local) else { continue }
            return match.readsFirstBytes ? .firstBytes : .chain(entry.chain)
        }
        return .none
    }

    /// Chooses when the first bytes are known; nil as `hello` for a client that does not speak TLS.
    func choose(peer: SocketAddress, local: SocketAddress, hello: ClientHello?) -> Chain? {
        entries.first { entry in
            entry.match.map { $0.holds(peer: peer, local: local) && $0.holds(hello) } ?? true
        }?.chain
    }
}
