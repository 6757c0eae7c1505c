internal import FilterAPI

/// Faults by their reason: one scope for each, so that all of them are one family.
enum FaultStat {
    static let entry = StatSchema.Entry(
        .counter("", "Faults of this reason; `sluice explain REASON` tells what it is."), prometheus: "faults_total")
}
