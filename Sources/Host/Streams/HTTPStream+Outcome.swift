internal import FilterAPI

/// How tries end, for clusters that look for outliers: each is noted once, where it is first known.
///
/// Answers that filters make are no outcomes, and a client that goes away is nobody's failure.
extension HTTPStream {
    /// Notes how the present try has ended, if that is still to be noted.
    func noteOutcome(_ outcome: Outcome) {
        guard awaitsOutcome else { return }
        awaitsOutcome = false
        lastEndpoint?.outcomes?.note(outcome)
    }

    /// The final head has come. A gRPC call says how it went in its trailers.
    func noteOutcome(ofHead last: Bool) {
        if let outcome = unsafe Outcome.of(responseMemory.pointee, last: last) { noteOutcome(outcome) }
    }

    func noteOutcomeOfTrailers() {
        guard let trailers = unsafe responseTrailersMemory else { return }
        if let status = unsafe GRPCStatus(in: trailers.pointee) { noteOutcome(Outcome(status)) }
    }

    /// The try is given up. That speaks against the endpoint only where it has let its time go by without an answer.
    func noteGivenUp(_ fault: Fault?) {
        if let fault, isLate(fault) {
            if isWaiting { unsafe awaited?.endpoint.outcomes?.note(.localFailure) }
            noteOutcome(.localFailure)
        }
        awaitsOutcome = false
    }

    private func isLate(_ fault: Fault) -> Bool {
        switch fault.kind {
        // The deadline of a client is its own affair.
        case .upstreamTimeout: fault.origin == .upstream && !flags.contains(.responseStarted)
        case .idleTimeout: !flags.contains(.responseStarted) && flags.contains(.upstreamRequestEnded)
        default: false
        }
    }
}
