public import FilterAPI

/// Measures requests by OpenTelemetry's names for HTTP servers: how long they took, by method, status and route, and how
/// large their bodies were.
public final class Stats: HTTPFilter {
    /// Beginning and end only.
    public static let interest: Interest = [.lifetime]

    /// Name, summary and statistics.
    public static let manifest = Manifest(
        id: "stats", summary: "Measures how long requests took and how large they were, by method, status and route.",
        stats: [
            .histogram(
                "request_duration", .time, "From the first byte of a request to the last of its answer.",
                exposedAs: "http_server_request_duration_seconds"),
            .histogram(
                "request_body_size", .bytes, "The size of requests' bodies.",
                exposedAs: "http_server_request_body_size_bytes"),
            .histogram(
                "response_body_size", .bytes, "The size of responses' bodies.",
                exposedAs: "http_server_response_body_size_bytes"),
        ])

    private let durations: StatFamily<Histogram>
    private let requestSizes: Histogram?
    private let responseSizes: Histogram?
    private let labels: [StatsLabel]
    private var cache = SeriesCache()

    /// Asks for the histograms.
    public init(_ settings: Settings, on worker: inout WorkerContext) throws(ConfigurationFault) {
        labels = settings.labels
        durations = worker.histograms("request_duration", labels: labels.map(\.name), most: settings.maxSeries)
        requestSizes = settings.bodySizes ? worker.histogram("request_body_size") : nil
        responseSizes = settings.bodySizes ? worker.histogram("response_body_size") : nil
    }

    /// Notes a request that is over.
    public func close(_ state: inout Void, _ ending: Ending, _ stream: inout Stream) {
        if case .replay = ending { return }
        let now = stream.now.nanoseconds
        let start = stream.facts.start.nanoseconds
        series(of: stream).record(now > start && start > 0 ? now - start : 0)
        requestSizes?.record(UInt64(clamping: stream.facts.requestBodyBytes))
        responseSizes?.record(UInt64(clamping: stream.facts.responseBodyBytes))
    }

    private func series(of stream: borrowing Stream) -> Histogram {
        // A kind of request that is not in the cache costs a look-up by text, and an allocation.
        let key = SeriesKey(stream)
        if let known = cache.find(key) { return known }
        var values: [String] = []
        for label in labels { values.append(label.value(of: stream)) }
        let found = durations.find(values)
        cache.keep(found, for: key, route: stream.facts.route)
        return found
    }
}
