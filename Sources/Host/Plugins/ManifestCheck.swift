internal import FilterAPI

/// What a plugin says of its filters, looked at before any of it is used: a name that cannot be written, or that two
/// things have, would show much later, in a chain or in a statistic, where nobody can tell any more whose doing it is.
struct ManifestCheck {
    private let type: any Filter.Type
    private let manifest: Manifest

    /// Looks at all filters of a plugin.
    static func check(_ types: [any Filter.Type]) throws(PluginRefusal) {
        if types.isEmpty { throw PluginRefusal("it brings no filters", hint: "name them in `filters` of the `Plugin`") }
        var ids: Set<String> = []
        for type in types {
            let check = ManifestCheck(type)
            try check.role()
            try check.id()
            // A listener's codec and a cluster's may share a name: they never stand in the same chain.
            let isCluster = Role(of: type) == .clientCodec
            guard ids.insert(isCluster ? "\(check.manifest.id) of clusters" : check.manifest.id).inserted else {
                throw PluginRefusal(
                    "two of its filters are called `\(check.manifest.id)`", hint: "give each an id of its own")
            }
            try check.interest()
            try check.stats()
            try check.reasons()
        }
    }

    private init(_ type: any Filter.Type) {
        self.type = type
        manifest = type.manifest
    }

    private func role() throws(PluginRefusal) {
        switch roles.count {
        case 1: return
        case 0:
            throw PluginRefusal(
                "its filter `\(type)` has no role that Sluice knows",
                hint: "conform to a role such as HTTPFilter, of the FilterAPI that is a shared library")
        default:
            throw PluginRefusal(
                "its filter `\(type)` has several roles: \(roles.joined(separator: ", "))",
                hint: "a filter has one; make a type for each")
        }
    }

    private var roles: [String] {
        var roles: [String] = []
        if type is any ByteFilter.Type { roles.append("ByteFilter") }
        if type is any ServerCodec.Type { roles.append("ServerCodec") }
        if type is any ClientCodec.Type { roles.append("ClientCodec") }
        if type is any HTTPFilter.Type { roles.append("HTTPFilter") }
        if type is any HTTPTerminal.Type { roles.append("HTTPTerminal") }
        if type is any ByteTerminal.Type { roles.append("ByteTerminal") }
        return roles
    }

    private func id() throws(PluginRefusal) {
        if manifest.id.isEmpty {
            throw PluginRefusal(
                "its filter `\(type)` has an empty id", hint: "chains name a filter by the id of its manifest")
        }
        guard let first = manifest.id.utf8.first, Self.isLetter(first), manifest.id.utf8.allSatisfy(Self.isOfID) else {
            throw PluginRefusal(
                "the id of its filter `\(type)` is `\(manifest.id)`, which cannot be named",
                hint: "an id has lower-case letters, digits and `_`, and begins with a letter")
        }
    }

    private func interest() throws(PluginRefusal) {
        guard let type = type as? any EventFilter.Type else { return }
        let unknown = type.interest.subtracting(.all)
        if unknown.isEmpty { return }
        throw PluginRefusal(
            "its filter `\(manifest.id)` is interested in events that there are not (0x\(String(unknown.rawValue, radix: 16)))",
            hint: "make `interest` of what `Interest` names")
    }

    private func stats() throws(PluginRefusal) {
        try names(manifest.stats.map(\.name), of: "statistic")
    }

    private func reasons() throws(PluginRefusal) {
        try names(manifest.reasons.map(\.reason), of: "reason")
    }

    /// Names of one sort: each can be written, and stands for one thing.
    private func names(_ names: [String], of sort: String) throws(PluginRefusal) {
        var seen: Set<String> = []
        for name in names {
            guard !name.isEmpty, name.utf8.allSatisfy({ Self.isOfID($0) || $0 == UInt8(ascii: ".") }) else {
                throw PluginRefusal(
                    "its filter `\(manifest.id)` has a \(sort) of the name `\(name)`, which cannot be written",
                    hint: "such a name has lower-case letters, digits, `_` and `.`")
            }
            guard seen.insert(name).inserted else {
                throw PluginRefusal("its filter `\(manifest.id)` says of the \(sort) `\(name)` twice what it is")
            }
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }

    private static func isOfID(_ byte: UInt8) -> Bool {
        isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
    }
}
