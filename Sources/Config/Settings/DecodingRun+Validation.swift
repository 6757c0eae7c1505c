import FilterAPI

/// What the findings of a value are shown at.
struct Anchor {
    /// The node of the value, or of the nearest one above it that the file has.
    var node: Node?
    /// Where to point if there is no node at all.
    var place: Place?
    /// The way from the node to the value, if the file does not have the value.
    var prefix: String

    /// The anchor of a value that the file does not have.
    func key(_ key: String) -> Anchor {
        Anchor(node: node, place: place, prefix: prefix.isEmpty ? key : "\(prefix).\(key)")
    }

    /// The place of a key of the value, and the node there if the file has it.
    func find(_ key: String) -> (place: Place?, node: Node?) {
        guard let node else { return (place, nil) }
        // The short form has no keys: all that it means stands in the scalar.
        guard node.scalar == nil else { return (node.place, node) }
        let separator = prefix.isEmpty || key.isEmpty || key.hasPrefix("[") ? "" : "."
        let found = node.find(prefix + separator + key)
        return (found.place, found.isExact ? found.node : nil)
    }
}

extension DecodingRun {
    /// Asks a value what it thinks of itself.
    func validate(_ value: any SettingsStruct, at anchor: Anchor) {
        // After thousands of errors it is no longer worth the time to tell which others would only follow from them.
        guard !diagnostics.isFull else { return }
        var check = SettingsCheck(side: side)
        value.validate(&check)
        for finding in check.findings {
            let found = anchor.find(finding.key)
            let place = found.place
            if let place, isFollowUp(place.path, isAbsent: found.node == nil) { continue }
            diagnostics.add(
                Diagnostic(
                    severity: finding.isWarning ? .warning : .error,
                    code: finding.isWarning ? .doubtfulValue : .refusedValue, message: finding.message, place: place,
                    hint: finding.hint))
        }
        for use in check.clusterUses {
            let found = anchor.find(use.key)
            if let place = found.place, isFollowUp(place.path, isAbsent: found.node == nil) { continue }
            clusterUses.append(ClusterReference(cluster: use.cluster, place: found.place, node: found.node))
        }
    }

    /// Asks the nested values that the file does not mention.
    func validateDefaults(of template: Template?, missingIn mapping: Mapping?, at anchor: Anchor) {
        guard let template else { return }
        for (position, value) in template.settings {
            let name = template.keys[position].fileName
            guard mapping?.entry(name) == nil else { continue }
            validateDefaults(of: template.child(at: position), missingIn: nil, at: anchor.key(name))
            validate(value, at: anchor.key(name))
        }
    }
}
