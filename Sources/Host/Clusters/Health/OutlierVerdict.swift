internal import Engine

/// What the detector has found about one endpoint, and what is to be done.
enum OutlierVerdict: Equatable {
    /// It is put aside.
    ///
    /// - Parameters:
    ///   - time: for how long.
    ///   - times: how many times the base time that is, before the upper limit and the jitter.
    case eject(OutlierFinding, time: Nanoseconds, times: Int)
    /// It is bad, and stays.
    case keep(OutlierFinding, OutlierBound)
    /// It is bad, and by the settings nothing is done about it this time.
    case notice(OutlierFinding)
    /// It comes back.
    case release(SocketAddress, OutlierRelease)
}

/// By what an endpoint was found to be bad.
struct OutlierFinding: Equatable {
    let address: SocketAddress
    let kind: OutlierKind
    /// Failures in a row, or a share in per cent.
    let measured: Double
    /// From where on it is too many, or too few.
    let limit: Double
    /// The tries that a share is of; 0 for failures in a row.
    var requests: UInt64 = 0
}

/// Why a bad endpoint stays. The words are for the log.
enum OutlierBound: String {
    /// As many are put aside as may be.
    case maxEjectionPercent = "max_ejection_percent"
    /// Too few would be left: it is the last one, or one of those that `min_serving` asks for.
    case floor
}

/// Why an endpoint comes back. The words are for the log.
enum OutlierRelease: String {
    case timeIsOver = "time is over"
    case checkSucceeded = "health check succeeded"
    /// Endpoints have gone, and too large a share of the rest was put aside.
    case tooFewLeft = "too few left"
}
