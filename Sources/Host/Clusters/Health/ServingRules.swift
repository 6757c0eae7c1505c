internal import FilterAPI

/// What a cluster's config says about who serves.
struct ServingRules {
    /// Where fewer than this share of a level is good, all of it is used.
    var panicThreshold: Percent
    /// Never fewer than this share of all endpoints serves.
    var minServing: Percent
    /// Nil where whoever becomes good has its full weight at once.
    var slowStart: SlowStart?

    init(_ settings: ClusterSettings) {
        panicThreshold = settings.panicThreshold
        minServing = settings.minServing
        slowStart = settings.slowStart.map(SlowStart.init)
    }

    /// Whether so few are good that nobody can tell what is wrong.
    func isPanic(good: Int, of count: Int) -> Bool { good * 1_000_000 < count * panicThreshold.millionths }

    /// The smallest number of a cluster's endpoints that serve, rounded up.
    func floor(of count: Int) -> Int { (count * minServing.millionths + 999_999) / 1_000_000 }
}
