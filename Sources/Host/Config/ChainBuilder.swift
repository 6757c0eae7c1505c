internal import Config
internal import FilterAPI

/// Makes the filters of a chain for one worker. Runs on the control thread, before anything is put in place.
struct ChainBuilder {
    let decoder = SettingsDecoder()
    let file: String

    /// Makes a chain.
    ///
    /// - Parameter owner: the name of the listener or cluster that it belongs to.
    /// - Throws: the filter's refusal, with the stage that it came from.
    func build(
        _ plan: ChainPlan, of owner: String, side: Side, services: any WorkerServices
    ) throws(Refusal) -> Chain {
        var filters: [any Filter] = []
        for stage in plan.stages {
            do throws(ConfigurationFault) {
                filters.append(try make(stage, of: plan, owner, side, services))
            } catch {
                throw Refusal(stage: stage.name, fault: error)
            }
        }
        return Chain(
            plan: plan, filters: filters, owner: "\(side == .client ? "listener" : "cluster") \(owner)")
    }

    /// A filter said no.
    struct Refusal: Error {
        let stage: String
        let fault: ConfigurationFault
    }

    private func make(
        _ stage: StagePlan, of plan: ChainPlan, _ owner: String, _ side: Side, _ services: any WorkerServices
    ) throws(ConfigurationFault) -> any Filter {
        func open<F: Filter>(_ type: F.Type) throws(ConfigurationFault) -> any Filter {
            guard let settings = stage.settings as? F.Settings else {
                throw ConfigurationFault("the settings are of another type than the filter's")
            }
            let builder = self
            var context = WorkerContext(
                services: services, identity: StageIdentity(type, stage: stage.name, owner: owner, side: side),
                applicationProtocols: plan.applicationProtocols,
                decodeRoute: { raw throws(ConfigurationFault) in try builder.routeSettings(raw, plan) },
                places: { key in stage.spot?.text(of: key, file: builder.file) ?? "" })
            return try F(settings, on: &context)
        }
        return try open(stage.type)
    }

    /// Decodes what a route sets for other filters, by their place among the HTTP stages.
    private func routeSettings(
        _ raw: RawRouteSettings, _ plan: ChainPlan
    ) throws(ConfigurationFault) -> RouteSettingsTable? {
        guard let node = raw.node as? Node, let mapping = node.mapping, !mapping.entries.isEmpty else { return nil }
        let stages = plan.stages.filter { $0.role == .httpFilter || $0.role == .httpTerminal }
        var table: [RouteSettingsBox?] = Array(repeating: nil, count: stages.count)
        for entry in mapping.entries {
            guard let index = stages.firstIndex(where: { $0.name == entry.key }) else {
                throw ConfigurationFault(
                    "there is no filter `\(entry.key)` in this chain", key: entry.key,
                    hint: nearest(entry.key, stages.map(\.name)).map { "did you mean `\($0)`?" })
            }
            table[index] = try decode(stages[index].type, entry.value, entry.key)
        }
        return RouteSettingsTable(byStage: table)
    }

    private func decode(
        _ type: any Filter.Type, _ node: Node, _ key: String
    ) throws(ConfigurationFault) -> RouteSettingsBox {
        func open<F: Filter>(_ type: F.Type) throws(ConfigurationFault) -> RouteSettingsBox {
            let diagnostics = Diagnostics(file: file)
            guard let decoded = decoder.decode(F.RouteSettings.self, from: node, into: diagnostics) else {
                let first = diagnostics.sorted.first
                throw ConfigurationFault(first?.message ?? "cannot be read", key: key, hint: first?.hint)
            }
            return TypedRouteSettings(decoded.value)
        }
        return try open(type)
    }
}
