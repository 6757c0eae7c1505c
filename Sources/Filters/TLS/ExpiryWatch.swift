internal import FilterAPI

/// Tells in time that what is in use expires: once a day when it is near, once an hour when it is past.
struct ExpiryWatch {
    private var toldAt: [Int: Int64] = [:]

    /// There are new files, of which nothing has been told.
    mutating func forget() { toldAt = [:] }

    /// Sets the gauges, which have the order of `all`, and writes what is due.
    ///
    /// - Returns: when to look again; nil where nothing can expire.
    mutating func look(
        _ all: [Perishable], _ warning: Duration, _ moment: Moment, _ gauges: [Gauge], _ log: FilterLog
    ) -> Duration? {
        guard !all.isEmpty else { return nil }
        var next = Int64(3600)
        for (index, one) in all.enumerated() {
            let left = one.notAfter - moment.seconds
            if index < gauges.count { gauges[index].set(left) }
            let early = one.warningTime(warning.components.seconds)
            // At its end, and when a warning is first due.
            for wait in [left, left - early] where wait > 0 { next = min(next, wait) }
            guard left <= early || one.notBefore > moment.seconds else { continue }
            let silence: Int64 = left > 0 ? 86_400 : 3600
            let wasGood = toldAt[index].map { $0 < one.notAfter } ?? true
            if let told = toldAt[index], moment.seconds < told + silence, !(left <= 0 && wasGood) { continue }
            toldAt[index] = moment.seconds
            tell(one, left, moment, log)
        }
        return .seconds(next)
    }

    private func tell(_ one: Perishable, _ left: Int64, _ moment: Moment, _ log: FilterLog) {
        let fields = [
            ("file", one.path), ("subject", one.subject), ("not_before", UTCTime.text(one.notBefore)),
            ("not_after", UTCTime.text(one.notAfter)),
        ]
        if left <= 0 {
            log.write(.error, "\(one.what) in use has expired", fields)
        } else if one.notBefore > moment.seconds {
            log.write(.error, "\(one.what) in use is not yet valid", fields)
        } else {
            log.write(.warning, "\(one.what) in use expires soon", fields + [("seconds_left", String(left))])
        }
    }
}
