internal import FilterAPI

/// The filter types that config files can name: the built-in ones and those of plugins.
struct FilterRegistry: Sendable {
    private(set) var types: [any Filter.Type]
    private var modules: [ObjectIdentifier: PluginModule] = [:]

    init(_ types: [any Filter.Type]) { self.types = types }

    /// Adds a plugin's type.
    ///
    /// - Returns: the type that has the name already, if any; nothing is added then.
    mutating func add(_ type: any Filter.Type, of module: PluginModule) -> (any Filter.Type)? {
        if let old = find(type.manifest.id, isCluster: Role(of: type) == .clientCodec) { return old }
        types.append(type)
        modules[ObjectIdentifier(type)] = module
        return nil
    }

    /// The plugin that brought a type; nil for a built-in one.
    func module(of type: any Filter.Type) -> PluginModule? { modules[ObjectIdentifier(type)] }

    /// The type with a name that can stand in such a chain.
    ///
    /// The codec of a listener's chain and the one of a cluster's have the same name: both are `http`.
    func find(_ id: String, isCluster: Bool) -> (any Filter.Type)? {
        let named = types.filter { $0.manifest.id == id }
        return named.first { (Role(of: $0) == .clientCodec) == isCluster } ?? named.first
    }

    /// All names that can stand in such a chain.
    func names(isCluster: Bool) -> [String] {
        let fitting = types.filter { type in
            let role = Role(of: type)
            return isCluster ? role == .byteFilter || role == .clientCodec : role != .clientCodec
        }
        return Set(fitting.map { $0.manifest.id }).sorted()
    }
}
