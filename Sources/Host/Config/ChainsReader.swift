internal import Config

/// Reads the chains of a listener: the one under `chain`, or those under `chains` with whom they are for.
struct ChainsReader {
    let registry: FilterRegistry
    let decoder: SettingsDecoder
    let diagnostics: Diagnostics
    private(set) var clusterUses: [ClusterReference] = []

    init(registry: FilterRegistry, decoder: SettingsDecoder, diagnostics: Diagnostics) {
        self.registry = registry
        self.decoder = decoder
        self.diagnostics = diagnostics
    }

    /// Reads what a listener says.
    ///
    /// - Returns: at least one chain; nil where errors were reported.
    mutating func chains(of listener: Node) -> [ChainChoicePlan]? {
        guard let list = listener["chains"] else {
            return chain(of: listener).map { [ChainChoicePlan(match: nil, chain: $0, node: listener)] }
        }
        if let chain = listener["chain"] {
            diagnostics.error(
                .refusedValue, "a listener has either `chain` or `chains`", at: chain.headPlace,
                hint: "make it the last entry of `chains`, without `match`",
                related: [Diagnostic.Related("the other one", at: list.headPlace)])
            return nil
        }
        guard let elements = list.elements, !elements.isEmpty else {
            diagnostics.error(
                .wrongType, "expected a list of chains, found \(list.elements == nil ? list.summary : "an empty list")",
                at: list.place, hint: "for example `- { match: { server_names: a.example.com }, chain: [ … ] }`")
            return nil
        }
        let choices = elements.map { entry($0) }
        let good = choices.compactMap { $0 }
        guard good.count == choices.count, checkOrder(good) else { return nil }
        return good
    }

    private mutating func chain(of owner: Node) -> ChainPlan? {
        var check = ChainCheck(registry: registry, decoder: decoder, diagnostics: diagnostics, isCluster: false)
        let chain = check.chain(owner["chain"], of: owner)
        clusterUses += check.clusterUses
        return chain
    }

    private mutating func entry(_ node: Node) -> ChainChoicePlan? {
        guard node.mapping != nil else {
            diagnostics.error(
                .wrongType, "expected a chain with `match` and `chain`, found \(node.summary)", at: node.place)
            return nil
        }
        let decoded = decoder.decode(ChainEntrySettings.self, from: node, into: diagnostics)
        if node["chain"]?.isNull ?? true {
            diagnostics.error(.missingKey, "there is no `chain` in this entry", at: node.headPlace)
            return nil
        }
        guard let chain = chain(of: node), let settings = decoded?.value else { return nil }
        let match = ChainMatch(settings.match)
        return ChainChoicePlan(match: match.matchesAll ? nil : match, chain: chain, node: node)
    }

    /// The first that matches is taken: whatever stands behind one for everybody is never reached.
    private func checkOrder(_ choices: [ChainChoicePlan]) -> Bool {
        if let first = choices.dropLast().first(where: { $0.match == nil }) {
            diagnostics.error(
                .refusedValue, "this chain is for everybody, and others follow it", at: first.node.headPlace,
                hint: "give it a `match`, or move it to the end")
            return false
        }
        for (index, later) in choices.enumerated() {
            guard let match = later.match,
                let earlier = choices[..<index].first(where: { $0.match?.covers(match) ?? false })
            else { continue }
            diagnostics.warning(
                .doubtfulValue, "no client gets this chain: one above it is for all that it matches",
                at: (later.node["match"] ?? later.node).headPlace,
                hint: "the first that matches is taken; move it up",
                related: [Diagnostic.Related("the one above", at: (earlier.node["match"] ?? earlier.node).headPlace)])
        }
        return true
    }
}
