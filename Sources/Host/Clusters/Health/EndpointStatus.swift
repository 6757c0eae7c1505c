internal import Engine

/// What is thought of one endpoint, on the control thread.
///
/// Health checks and outlier detection each have a word of their own and change it by
/// ``EndpointSet/change(_:at:_:)``; the rest follows from these, and is kept by the set.
struct EndpointStatus: Sendable, Equatable {
    /// The active health check says no.
    var failedCheck = false
    /// It has joined others, and has not passed its check once: as long as there are others, it is as if it were not there.
    var awaitsFirstPass = false
    /// Outlier detection has put it aside.
    var isEjected = false
    /// When it became good, on the loop's clock; nil where it has been good since before the process or the cluster
    /// began. A slow start counts from here.
    var healthySince: Nanoseconds?
    /// When it went bad, on the loop's clock; nil where it never did.
    var badSince: Nanoseconds?
    /// Bad, and serves all the same, as too few would be left otherwise.
    var isKept = false

    /// Nobody has a word against it.
    var isGood: Bool { !failedCheck && !isEjected }

    /// How many have a word against it.
    var objections: Int { (failedCheck ? 1 : 0) + (isEjected ? 1 : 0) }
}
