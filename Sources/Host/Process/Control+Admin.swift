internal import Engine
internal import FilterAPI

/// What the admin interface asks of the control thread.
extension Control {
    var state: ServerState {
        if isDraining || isNotAccepting || isFailedOnPurpose { return .draining }
        guard isInPlace else { return generation.plan == nil ? .preInitializing : .initializing }
        return unready.isEmpty ? .live : .initializing
    }

    /// Which listeners do not accept at all of their sockets, in words.
    var unready: [String] {
        guard isInPlace, !isDraining, !isNotAccepting else { return [] }
        return generation.expectedSockets.compactMap { listener, addresses in
            let wanted = addresses * workers.count
            let found = Int(registry.value(ListenerStat.socketsAccepting, of: .listener(listener)))
            return found < wanted ? "listener \(listener) accepts at \(found) of \(wanted) sockets" : nil
        }
    }

    var plan: GenerationPlan? { generation.plan }
    var plugins: [PluginReport] { generation.plan?.plugins ?? [] }
    var workerCount: Int { workers.count }
    var boundAddresses: [(listener: String, address: String)] { generation.boundAddresses }
    var clusterReports: [ClusterReport] { generation.clusterReports }
    var certificates: [CertificateSummary] { files.certificates }
    var wallClock: UInt64 { Syscalls.wallClock() }
    var descriptorLimit: Int { Syscalls.fileDescriptorLimit(raising: false) }
    var connectionCount: Int { limit.count }
    var logLevel: LogLevel { LogLevel.allCases.first { $0.rank == log.level } ?? .info }

    /// Works out what is not kept while the process runs.
    func gatherGeneration() { generationStats.gather(isDraining: isDraining || isNotAccepting) }

    /// Until the next reload.
    func change(logLevel: LogLevel) {
        log.change(level: logLevel)
        log.write(.info, "log level changed", [("level", logLevel.rawValue)])
    }

    func resetCounters() {
        for worker in workers {
            let handover = Handover(worker)
            worker.loop.poster.post { unsafe handover.value.resetCounters() }
        }
        for group in registry.groups {
            if let slot = group.writers.controlSlot { group.resetCounters(slot: slot) }
        }
    }

    /// Accepts no more; the process goes on.
    func drainListeners(inboundOnly: Bool) {
        isNotAccepting = true
        log.write(.info, "listeners stopped", [("reason", "admin interface")])
        for worker in workers {
            let handover = Handover(worker)
            worker.loop.poster.post { unsafe handover.value.stopListeners(inboundOnly: inboundOnly) }
        }
    }
}
