internal import FilterAPI

/// What health checks of a cluster come to.
enum HealthStat: Int, StatKey {
    case attempt, success, failure, networkFailure, passiveFailure, healthy

    static let entries: [StatSchema.Entry] = [
        .init(.counter("attempt", "Health checks that were made.")),
        .init(.counter("success", "Health checks that were passed.")),
        .init(.counter("failure", "Health checks that were not passed.")),
        .init(.counter("network_failure", "Of these: no connection, or no answer in time.")),
        .init(.counter("passive_failure", "Endpoints put aside because an answer of theirs asked for it.")),
        .init(.gauge("healthy", "Endpoints that pass their checks."), isAlwaysShown: true),
    ]

    static let schema = StatSchema(entries)
}

/// What outlier detection of a cluster comes to; each is there from the first time on.
enum OutlierStat {
    static let active = StatSchema.Entry(
        .gauge("ejections_active", "Endpoints that are put aside now."), isAlwaysShown: true)

    /// The entry of a counter.
    static func entry(_ name: String) -> StatSchema.Entry {
        entries.first { $0.description.name == name } ?? .init(.counter(name, ""))
    }

    static let entries: [StatSchema.Entry] =
        [
            .init(.counter("ejections_enforced_total", "Endpoints that were put aside.")),
            .init(.counter("ejections_overflow", "Endpoints that were found, and kept because too few would be left.")),
        ]
        + OutlierKind.allCases.flatMap { kind in
            [("detected", "found"), ("enforced", "put aside")].map { word, text in
                .init(.counter("ejections_\(word)_\(kind.rawValue)", "Endpoints that were \(text) by this mark."))
            }
        }
}
