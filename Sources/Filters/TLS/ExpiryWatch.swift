internal import FilterAPI

/// Tells in time that certificates expire: once a day when it is near, once an hour when it is past.
struct ExpiryWatch {
    private var toldAt: [Int: Int64] = [:]

    /// There are new certificates, of which nothing has been told.
    mutating func forget() { toldAt = [:] }

    /// - Returns: when to look again.
    mutating func look(
        _ credentials: [Credential], _ warning: Duration, _ moment: Moment, _ gauges: MaterialGauges, _ log: FilterLog
    ) -> Duration? {
        guard !credentials.isEmpty else { return nil }
        var next = Int64(3600)
        for (index, credential) in credentials.enumerated() {
            let left = credential.facts.notAfter - moment.seconds
            if index < gauges.secondsLeft.count { gauges.secondsLeft[index].set(left) }
            if left > 0 { next = min(next, max(1, left)) }
            guard left <= warning.components.seconds || credential.facts.notBefore > moment.seconds else { continue }
            let silence: Int64 = left > 0 ? 86_400 : 3600
            let wasValid = toldAt[index].map { $0 < credential.facts.notAfter } ?? true
            if let told = toldAt[index], moment.seconds < told + silence, !(left <= 0 && wasValid) { continue }
            toldAt[index] = moment.seconds
            tell(credential, left, moment, log)
        }
        return .seconds(next)
    }

    private func tell(_ credential: Credential, _ left: Int64, _ moment: Moment, _ log: FilterLog) {
        let fields = [
            ("file", credential.path), ("subject", credential.facts.subject),
            ("not_before", UTCTime.text(credential.facts.notBefore)),
            ("not_after", UTCTime.text(credential.facts.notAfter)),
        ]
        if left <= 0 {
            log.write(.error, "a certificate in use has expired", fields)
        } else if credential.facts.notBefore > moment.seconds {
            log.write(.error, "a certificate in use is not yet valid", fields)
        } else {
            log.write(.warning, "a certificate in use expires soon", fields + [("days_left", String(left / 86_400))])
        }
    }
}
