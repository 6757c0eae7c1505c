internal import FilterAPI

/// What can be said of a filter before it is made.
extension Conformance {
    static func checkManifest(_ manifest: Manifest, _ report: ConformanceReport) {
        if !isSnakeCase(manifest.id) {
            report.add(.manifest, "the id `\(manifest.id)` is not in snake case, as names in config files are")
        }
        if !isSentence(manifest.summary) {
            report.add(.manifest, "the summary `\(manifest.summary)` is not a sentence with a full stop")
        }
        var names: Set<String> = []
        for stat in manifest.stats {
            if !isSnakeCase(stat.name) { report.add(.manifest, "the statistic `\(stat.name)` is not in snake case") }
            if !isSentence(stat.meaning) {
                report.add(.manifest, "the meaning of the statistic `\(stat.name)` is not a sentence with a full stop")
            }
            if !names.insert(stat.name).inserted {
                report.add(.manifest, "the statistic `\(stat.name)` is described twice")
            }
        }
        checkReasons(manifest.reasons, report)
        for need in manifest.needs where manifest.offers.contains(need) {
            report.add(.manifest, "it needs `\(need)`, which it offers itself")
        }
    }

    private static func checkReasons(_ reasons: [ReasonDescription], _ report: ConformanceReport) {
        var names: Set<String> = []
        for reason in reasons {
            let words = reason.reason.split(separator: ".", omittingEmptySubsequences: false)
            if words.count != 2 || !words.allSatisfy({ isSnakeCase(String($0)) }) {
                report.add(.manifest, "the reason `\(reason.reason)` is not `filter.what_happened`")
            }
            if !isSentence(reason.meaning) {
                report.add(.manifest, "the meaning of the reason `\(reason.reason)` is not a sentence with a full stop")
            }
            if !names.insert(reason.reason).inserted {
                report.add(.manifest, "the reason `\(reason.reason)` is described twice")
            }
        }
    }

    static func checkInterest<F: EventFilter>(_ type: F.Type, _ report: ConformanceReport) {
        if !F.interest.isSubset(of: .all) {
            report.add(.interest, "its interest has bits that mean no event")
        }
        if F.interest.isEmpty { report.add(.interest, "it is not interested in anything, so that it does nothing") }
        if type is any HTTPEvents.Type, F._stateLayout.size > 0, !F.interest.contains(.lifetime) {
            report.add(.interest, "it keeps a state for each stream, and its interest does not have `.lifetime`")
        }
    }

    private static func isSnakeCase(_ text: String) -> Bool {
        guard let first = text.utf8.first, (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(first) else { return false }
        return text.utf8.allSatisfy {
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0)
                || $0 == UInt8(ascii: "_")
        }
    }

    private static func isSentence(_ text: String) -> Bool { text.utf8.count > 3 && text.hasSuffix(".") }
}
