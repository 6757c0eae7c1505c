internal import Config
internal import Glibc

/// What can be known of a plugin's file without running it.
struct PluginInspection {
    struct FoundFilter {
        let type: String
        /// In the words of ``Role/text``.
        let role: String
        /// Whether it is written as one asynchronous function.
        let isAsync: Bool
        let settings: [SwiftReflection.Field]
        let routeSettings: [SwiftReflection.Field]
    }

    let path: String
    let notes: [PluginNote]
    let filters: [FoundFilter]
    /// The libraries that it needs, and whether they would be found.
    let needed: [(name: String, isThere: Bool)]
    /// Why this Sluice would not load it; nil where it would.
    let refusal: PluginRefusal?

    /// - Throws: where it is not even a shared object.
    init(path: String) throws(PluginRefusal) {
        let file = try PluginFile(path: path)
        self.path = path
        notes = file.notes
        filters = (try? SwiftReflection(file)).map(Self.filters) ?? []
        needed = file.dynamic.needed.map { ($0, NeededLibraries.isThere($0, for: file)) }
        refusal = Self.refusal(of: file, needed)
    }

    private static func refusal(of file: PluginFile, _ needed: [(name: String, isThere: Bool)]) -> PluginRefusal? {
        do throws(PluginRefusal) {
            try file.check()
            if let missing = needed.first(where: { !$0.isThere }) {
                throw PluginRefusal(
                    "it needs the library `\(missing.name)`, which is not there",
                    hint: NeededLibraries.advice(missing.name))
            }
            return nil
        } catch {
            return error
        }
    }

    private static func filters(_ reflection: SwiftReflection) -> [FoundFilter] {
        reflection.protocols.sorted { $0.key < $1.key }.compactMap { type, protocols in
            guard let role = Role(ofProtocols: protocols) else { return nil }
            func fields(_ name: String) -> [SwiftReflection.Field] {
                let settings = reflection.associated[type]?[name] ?? ""
                return reflection.fields[settings] ?? []
            }
            return FoundFilter(
                type: type, role: role.text, isAsync: protocols.contains("FilterAsync.AsyncHTTPFilter"),
                settings: fields("Settings"), routeSettings: fields("RouteSettings"))
        }
    }
}

extension Role {
    /// The role of a type that conforms to protocols of these names; nil where it is no filter.
    fileprivate init?(ofProtocols names: Set<String>) {
        let roles: [(String, Role)] = [
            ("ByteFilter", .byteFilter), ("ServerCodec", .serverCodec), ("ClientCodec", .clientCodec),
            ("HTTPTerminal", .httpTerminal), ("HTTPFilter", .httpFilter), ("ByteTerminal", .byteTerminal),
        ]
        guard let role = roles.first(where: { names.contains("FilterAPI.\($0.0)") })?.1 else { return nil }
        self = role
    }
}
