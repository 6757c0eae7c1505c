internal import Engine
internal import FilterAPI

/// Where one worker keeps how long the filters of a chain take.
final class ChainTimes {
    /// The histograms of one filter.
    struct Stage {
        let request: Histogram
        let response: Histogram
    }

    /// The HTTP stages, and the byte stages, from the top.
    let http: [Stage]
    let bytes: [Stage]
    let names: [String]
    let clock = TickClock.shared

    init(_ plan: ChainPlan, owner: String, side: Side, _ registry: StatRegistry, worker: Int) {
        func stages(_ roles: [Role]) -> [StagePlan] { plan.stages.filter { roles.contains($0.role) } }
        func make(_ stage: StagePlan) -> Stage {
            func open<F: Filter>(_ type: F.Type) -> Stage {
                let identity = StageIdentity(type, stage: stage.name, owner: owner, side: side)
                let group = registry.lastingGroup(.stage(identity), FilterTimeStat.schema)
                return Stage(
                    request: group.histogram(FilterTimeStat.schema.entries[0], slot: worker),
                    response: group.histogram(FilterTimeStat.schema.entries[1], slot: worker))
            }
            return open(stage.type)
        }
        let named = stages([.httpFilter, .httpTerminal])
        http = named.map(make)
        bytes = stages([.byteFilter, .byteTerminal]).map(make)
        names = named.map(\.name)
    }

    /// Takes what one request has come to: from then on it is in nanoseconds.
    func record(_ times: FilterTimes) {
        times.convert(clock.nanoseconds)
        times.forEach { stage, direction, time in
            guard stage < http.count else { return }
            (direction == .request ? http[stage].request : http[stage].response).record(time)
        }
    }
}

/// How long filters take.
enum FilterTimeStat {
    static let schema = StatSchema([
        .init(
            .histogram(
                "request_time", .time,
                "How long a filter had a request in hand on its way down: its own code, and what it held."),
            prometheus: "duration_seconds", label: "direction=\"request\"", range: .code),
        .init(
            .histogram(
                "response_time", .time,
                "How long a filter had a response in hand on its way up: its own code, and what it held."),
            prometheus: "duration_seconds", label: "direction=\"response\"", range: .code),
    ])
}
