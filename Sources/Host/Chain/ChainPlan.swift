internal import FilterAPI

/// One entry of a chain, as the config says it: which filter, under what name, with what settings.
struct StagePlan: Sendable {
    /// The name in the chain: the filter's id, unless the config gives another.
    let name: String
    let type: any Filter.Type
    let settings: any FilterSettings
    /// The plugin that it comes from; nil for a built-in filter.
    var plugin: PluginModule?
    /// Where it stands in the file; nil for what the host puts into a chain by itself.
    var spot: ConfigSpot?

    var role: Role { Role(of: type) }
}

/// What a filter's type says about what flows into it and out of it.
enum Role: Sendable, Equatable {
    case byteFilter, serverCodec, httpFilter, clientCodec, httpTerminal, byteTerminal, none

    init(of type: any Filter.Type) {
        switch type {
        case is any ByteFilter.Type: self = .byteFilter
        case is any ServerCodec.Type: self = .serverCodec
        case is any ClientCodec.Type: self = .clientCodec
        case is any HTTPTerminal.Type: self = .httpTerminal
        case is any HTTPFilter.Type: self = .httpFilter
        case is any ByteTerminal.Type: self = .byteTerminal
        default: self = .none
        }
    }

    /// In words, for the operator.
    var text: String {
        switch self {
        case .byteFilter: "a byte filter"
        case .serverCodec: "a server codec"
        case .httpFilter: "an HTTP filter"
        case .clientCodec: "a client codec"
        case .httpTerminal: "an HTTP terminal"
        case .byteTerminal: "a byte terminal"
        case .none: "no filter of a known role"
        }
    }
}

/// A chain that was checked, from top (client) to bottom (upstream). Shared by all workers.
final class ChainPlan: Sendable {
    let stages: [StagePlan]
    /// What the config calls it, where a listener has several; else empty.
    let name: String

    init(stages: [StagePlan], name: String = "") {
        self.stages = stages
        self.name = name
    }

    /// Whether the filters are the same code, with the same said of their plugins: a plugin's file may have been replaced,
    /// which its name does not tell.
    func hasSameFilters(as other: ChainPlan) -> Bool {
        stages.elementsEqual(other.stages) { old, new in
            old.type == new.type && old.plugin?.settings == new.plugin?.settings
        }
    }

    /// What its codec can speak, in the words of ALPN; empty where there is none that says so.
    var applicationProtocols: [String] { stages.lazy.compactMap(Self.protocols).first ?? [] }

    private static func protocols(of stage: StagePlan) -> [String]? {
        func server<C: ServerCodec>(_ type: C.Type) -> [String]? {
            (stage.settings as? C.Settings).map { C.applicationProtocols($0) }
        }
        func client<C: ClientCodec>(_ type: C.Type) -> [String]? {
            (stage.settings as? C.Settings).map { C.applicationProtocols($0) }
        }
        switch stage.type {
        case let type as any ServerCodec.Type: return server(type)
        case let type as any ClientCodec.Type: return client(type)
        default: return nil
        }
    }

    /// Whether the chain speaks HTTP, or moves bytes only.
    var isHTTP: Bool { stages.contains { $0.role == .serverCodec } }
}
