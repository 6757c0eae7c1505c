internal import FilterAPI

/// What becomes of a stream when a filter of a plugin fails it.
extension HTTPStream {
    /// Leaves out the filters of plugins that have failed too often; at the stream's beginning.
    func bypassPlugins() {
        for (stage, module) in chain.plugins.enumerated() where module?.isBypassed ?? false {
            skipped |= 1 << UInt64(stage)
        }
        // Whoever ends a chain cannot be left out.
        skipped &= ~table.terminalMask
    }

    /// Counts a fault that is a plugin's own doing.
    func notePlugin(_ fault: Fault, _ stage: Int) {
        guard table.pluginMask & (1 << UInt64(stage)) != 0, fault.isOfFilter else { return }
        chain.plugins[stage]?.note(fault, filter: chain.httpStageName(stage), on: worker)
    }

    /// Whether the stream goes on without the stage that has just failed it; then it is closed.
    ///
    /// - Parameter holds: whether the caller lets go what the stage holds.
    func excused(_ fault: Fault, at stage: Int, holds: Bool = false) -> Bool {
        let bit = UInt64(1) << UInt64(stage)
        guard table.pluginMask & bit != 0 else { return false }
        calls.end()
        // Who has seen bytes of a body may have changed some of them: without it the rest would be another message.
        guard fault.isOfFilter, flags.contains(.active), holds || (parkedRequest | parkedResponse) & bit == 0,
            (touched | table.terminalMask) & bit == 0,
            let module = chain.plugins[stage], module.settings.onFault == .open
        else { return false }
        module.note(fault, filter: chain.httpStageName(stage), on: worker)
        worker.count(fault)
        dropSent()
        pendingFault = nil
        pendingToken = 0
        skipped |= bit
        requestMask &= ~bit
        responseMask &= ~bit
        if stage < stageTimers.count { stageTimers[stage]?.disarm() }
        cancelFetches { $0 == stage }
        closeStage(stage, .fault(fault))
        return true
    }
}

extension Fault {
    /// Whether it is the filter's own doing, and not what it says of a peer.
    var isOfFilter: Bool { kind == .filterFailed || kind == .filterStalled }
}
