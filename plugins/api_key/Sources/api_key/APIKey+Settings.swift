public import FilterAPI

extension APIKey {
    /// What a chain sets for it: `api_key: { keys: { reports: "${API_KEY}" } }`.
    public struct Settings: FilterSettings {
        /// Keys by the names of those who have them.
        public var keys: [String: String] = [:]
        /// A file with a line `name: key` for each further one; read again when it changes.
        public var file: String?
        /// The field that has the key.
        public var header = "x-api-key"
        /// Whether `Authorization: Bearer KEY` is accepted too.
        public var bearer = false
        /// The parameter of the query that may have the key; nil for none.
        public var query: String?
        /// The names that may come in; nil for all.
        public var names: [String]?
        /// The field in which upstreams and logs are told the name; empty for none.
        public var nameHeader = "x-api-key-name"
        /// Whether the key itself goes on to the upstream.
        public var forwardKey = false
        /// What clients are told that the key is for.
        public var realm = "api"

        /// No keys yet.
        public init() {}

        /// Checks keys and names; says nothing of a key but its length.
        public func validate(_ check: inout SettingsCheck) {
            if keys.isEmpty, file == nil {
                check.error(
                    "keys", "there is no key, so nobody could come in",
                    hint: "for example `keys: { reports: \"${API_KEY}\" }`, or `file: keys.txt`")
            }
            for (name, key) in keys {
                if let problem = Key.problem(name: name, key: key) { check.error("keys.\(name)", problem) }
                if key.utf8.count < Key.shortest { check.warning("keys.\(name)", Key.weakness(key)) }
            }
            if Set(keys.values).count < keys.count { check.error("keys", "two names have the same key") }
            if HeaderName(header) == nil { check.error("header", "is not the name of a header field") }
            if header.lowercased() == "authorization" {
                check.error("header", "`authorization` has a scheme in front of the key", hint: "set `bearer: true`")
            }
            if !nameHeader.isEmpty, HeaderName(nameHeader) == nil {
                check.error("name_header", "is not the name of a header field")
            }
            if let query, query.isEmpty || !query.utf8.allSatisfy(QueryParameter.isPlain) {
                check.error("query", "must be letters, digits, `-`, `.`, `_` or `~`")
            }
            if !realm.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C }) {
                check.error("realm", "must be ASCII without quotes or backslashes")
            }
            checkNames(&check)
        }

        private func checkNames(_ check: inout SettingsCheck) {
            // The file may have any name.
            guard let names, file == nil else { return }
            for (index, name) in names.enumerated() where keys[name] == nil {
                check.error("names[\(index)]", "there is no key of the name `\(name)`")
            }
        }
    }

    /// What a route may set for itself: `filters: { api_key: { enabled: false } }`.
    public struct RouteSettings: FilterSettings {
        /// Whether a key is needed here.
        public var enabled = true
        /// The names that may come in here; nil for those of the chain.
        public var names: [String]?

        /// As the chain has it.
        public init() {}
    }
}
