internal import Config
internal import FilterAPI

/// The config as it was read, without its secrets.
extension AdminOffice {
    func configDump(_ question: AdminQuestion) -> AdminAnswer {
        guard let plan = control.plan else { return .text("there is no config yet\n", status: 503) }
        let updated = JSONValue.string(LogTime.text(control.configTime))
        let top = (plan.root?.mapping?.entries ?? []).filter { $0.key != "listeners" && $0.key != "clusters" }
        func named(_ name: String, _ node: Node) -> JSONValue {
            guard case .object(let members) = ConfigJSON.value(node) else { return .null }
            return .object([("name", .string(name))] + members)
        }
        var configs: [(name: String, value: JSONValue)] = [
            (
                "bootstrap",
                .object([
                    ("@type", .string("type.googleapis.com/envoy.admin.v3.BootstrapConfigDump")),
                    ("bootstrap", .object(top.map { ($0.key, ConfigJSON.value($0.value, key: $0.key)) })),
                    ("last_updated", updated),
                ])
            ),
            (
                "static_clusters",
                .object([
                    ("@type", .string("type.googleapis.com/envoy.admin.v3.ClustersConfigDump")),
                    (
                        "static_clusters",
                        .array(
                            plan.clusters.map {
                                .object([("cluster", named($0.name, $0.node)), ("last_updated", updated)])
                            })
                    ),
                ])
            ),
            (
                "static_listeners",
                .object([
                    ("@type", .string("type.googleapis.com/envoy.admin.v3.ListenersConfigDump")),
                    (
                        "static_listeners",
                        .array(
                            plan.listeners.filter { !$0.isAdmin }.map {
                                .object([("listener", named($0.name, $0.node)), ("last_updated", updated)])
                            })
                    ),
                ])
            ),
        ]
        if let refused = control.lastRejection {
            configs.append(
                (
                    "error_state",
                    .object([
                        ("@type", .string("type.sluice/RefusedConfig")),
                        (
                            "error_state",
                            .object([
                                ("last_update_attempt", .string(LogTime.text(refused.time))),
                                ("place", .string(refused.place)), ("details", .string(refused.details)),
                            ])
                        ),
                    ])
                ))
        }
        if let asked = question["resource"] {
            configs = configs.filter { $0.name == asked }
            if configs.isEmpty { return .text("there is no resource `\(asked)`\n", status: 404) }
        }
        return .json(.object([("configs", .array(configs.map(\.value)))]))
    }
}

/// A part of the config as JSON, with what is secret left out.
enum ConfigJSON {
    static let hidden = JSONValue.string("[redacted]")

    /// - Parameter key: under which it stands.
    static func value(_ node: Node, key: String = "") -> JSONValue {
        switch node.kind {
        case .null: return .null
        case .sequence(let elements): return .array(elements.map { value($0, key: key) })
        case .mapping(let mapping):
            return .object(mapping.entries.map { ($0.key, value($0.value, key: $0.key)) })
        case .scalar(let scalar):
            // What came from elsewhere is shown by where it came from.
            if let reference = scalar.reference { return .string(reference) }
            if scalar.isSecret || isSecret(key, scalar.text) { return hidden }
            return typed(scalar)
        }
    }

    /// Whether a name or a value looks like a secret.
    private static func isSecret(_ key: String, _ text: String) -> Bool {
        let key = key.lowercased()
        let words = ["token", "password", "passphrase", "secret", "authorization", "api_key", "credential"]
        if words.contains(where: { key.hasSuffix($0) || key.hasSuffix("\($0)s") }) { return true }
        let mark = Array("PRIVATE KEY-----".utf8)
        let bytes = Array(text.utf8)
        return bytes.count >= mark.count
            && (0...bytes.count - mark.count).contains { bytes[$0..<$0 + mark.count].elementsEqual(mark) }
    }

    private static func typed(_ scalar: Scalar) -> JSONValue {
        guard scalar.mayBeTyped else { return .string(scalar.text) }
        if let number = Int(scalar.text) { return .int(number) }
        if scalar.text == "true" || scalar.text == "false" { return .bool(scalar.text == "true") }
        return .string(scalar.text)
    }
}
