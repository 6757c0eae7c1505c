internal import FilterAPI

/// The series that requests have had lately, in a table of fixed size: a request whose kind came by before finds its own
/// by a comparison.
struct SeriesCache {
    private static let size = 64

    private struct Entry {
        let key: SeriesKey
        let series: Histogram
        /// Keeps the object whose identity the key has.
        let route: FactName?
    }

    private var entries: [Entry?] = Array(repeating: nil, count: Self.size)

    func find(_ key: SeriesKey) -> Histogram? {
        guard let entry = entries[key.hash & (Self.size - 1)], entry.key == key else { return nil }
        return entry.series
    }

    /// Takes the place of what was there.
    mutating func keep(_ series: Histogram, for key: SeriesKey, route: FactName?) {
        entries[key.hash & (Self.size - 1)] = Entry(key: key, series: series, route: route)
    }
}
