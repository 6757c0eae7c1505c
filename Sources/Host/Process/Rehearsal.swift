internal import Config
internal import Engine
internal import FilterAPI

/// Makes every filter of a plan once, for nobody: what filters refuse is known before anything is put in place.
enum Rehearsal {
    static func run(_ plan: GenerationPlan, _ diagnostics: Diagnostics) {
        let builder = ChainBuilder(file: diagnostics.file)
        let services = NobodysServices(folder: ConfigFolder(of: diagnostics.file))
        for choice in plan.listeners.flatMap(\.chains) {
            build(choice.chain, .client, choice.node, builder, services, diagnostics)
        }
        for cluster in plan.clusters {
            build(cluster.chain, .upstream, cluster.node, builder, services, diagnostics)
        }
    }

    private static func build(
        _ chain: ChainPlan, _ side: Side, _ node: Node, _ builder: ChainBuilder, _ services: NobodysServices,
        _ diagnostics: Diagnostics
    ) {
        do throws(ChainBuilder.Refusal) {
            _ = try builder.build(chain, of: "", side: side, services: services)
        } catch {
            report(error, node, diagnostics)
        }
    }

    /// Shows a refusal at the filter's entry, or at the key that it names.
    static func report(_ refusal: ChainBuilder.Refusal, _ node: Node, _ diagnostics: Diagnostics) {
        let entry = node["chain"]?.elements?.first { element in
            element.text == refusal.stage || element["name"]?.text == refusal.stage || element[refusal.stage] != nil
        }
        var place = (entry ?? node).place
        if let settings = entry?[refusal.stage], !refusal.fault.key.isEmpty {
            place = settings.find(refusal.fault.key).place
        }
        diagnostics.error(
            .filterRefused, "`\(refusal.stage)`: \(refusal.fault.message)", at: place, hint: refusal.fault.hint)
    }
}

/// Stands in for a worker while a config is only checked.
private final class NobodysServices: WorkerServices {
    private let folder: ConfigFolder

    init(folder: ConfigFolder) { self.folder = folder }

    var index: Int { 0 }
    func counter(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> FilterAPI.Counter { .detached() }
    func gauge(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> Gauge { .detached() }
    func histogram(_ name: String, _ stage: StageIdentity, _ labels: StatLabels?) -> Histogram { .detached() }
    func shared<T: AnyObject & Sendable, E: Error>(_ key: String, _ make: () throws(E) -> T) throws(E) -> T {
        try make()
    }
    func watch(_ state: any WatchedState) {}
    func path(_ text: String) -> String { folder.resolve(text) }
    func filterLog(stage: String) -> FilterLog { FilterLog { _, _, _ in } }
    func cluster(_ name: String) -> ClusterID { ClusterNames.process.id(name) }

    func log(_ level: LogLevel, _ message: String, stage: String) {}
}
