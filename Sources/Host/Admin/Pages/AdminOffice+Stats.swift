internal import FilterAPI
internal import Filters

/// Statistics.
extension AdminOffice {
    func stats(_ question: AdminQuestion) -> AdminAnswer {
        let format = question["format"] ?? (question.has("prometheus") ? "prometheus" : "text")
        if format == "prometheus" { return prometheus(question) }
        guard format == "text" || format == "json" else {
            return .badParameter("there is no format `\(format)`; there are text, json and prometheus")
        }
        var choice = StatLines.Choice()
        choice.onlyUsed = question.has("usedonly")
        if let kind = question["type"], kind.lowercased() != "all" {
            guard let found = Self.kinds[kind.lowercased()] else {
                return .badParameter("there is no type `\(kind)`; there are counters, gauges and histograms")
            }
            choice.kind = found
        }
        if let filter = question["filter"], !filter.isEmpty {
            do throws(Pattern.Problem) {
                choice.pattern = Handover(try Pattern(filter))
            } catch {
                return .badParameter("`\(filter)` is not an RE2 expression: \(error.message)")
            }
        }
        gather()
        let (registry, chosen) = (registry, choice)
        if format == "json" {
            return .later(contentType: "application/json") { StatLines.json(registry.groups, chosen) }
        }
        return .later { StatLines.text(registry.groups, chosen) }
    }

    private static let kinds: [String: StatDescription.Kind] = [
        "counters": .counter, "gauges": .gauge, "histograms": .histogram,
    ]

    func prometheus(_ question: AdminQuestion) -> AdminAnswer {
        gather()
        let (registry, onlyUsed) = (registry, question.has("usedonly"))
        return .later(contentType: "text/plain; version=0.0.4; charset=utf-8") {
            PrometheusText.render(registry.groups, onlyUsed: onlyUsed)
        }
    }

    /// Sets what is only worked out when somebody looks.
    func gather() {
        let server = control.serverStats
        let state = control.state
        server.set(.live, state == .live ? 1 : 0)
        server.set(.state, state.rawValue)
        server.set(.uptime, Int(process.uptime / 1_000_000_000))
        let heap = process.heap
        server.set(.memoryAllocated, heap.inUse)
        server.set(.memoryHeap, heap.fromSystem)
        server.set(.connections, control.connectionCount)
        let now = Int64(control.wallClock / 1_000_000_000)
        if let first = control.certificates.map(\.notAfter).min() {
            server.set(.certificateDays, Int(max(0, (first - now) / 86_400)))
            server.set(.certificateEnd, Int(first))
        }
        let own = control.processStats
        own.set(.cpu, Int(process.cpuTime))
        own.set(.residentMemory, process.residentMemory)
        own.set(.openDescriptors, process.openDescriptors)
        own.set(.maxDescriptors, control.descriptorLimit)
        own.set(.startTime, Int(process.startedAt / 1_000_000_000))
        control.gatherGeneration()
    }
}
