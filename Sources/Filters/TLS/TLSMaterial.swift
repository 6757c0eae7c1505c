internal import FilterAPI
internal import Synchronization

/// What a filter's files hold: read and checked on the control thread, used by every worker, read again when they change.
///
/// What cannot be used leaves what is there in place.
final class TLSMaterial: WatchedState {
    /// The content of the files, as a whole.
    final class Content: Sendable {
        let credentials: [Credential]
        let trust: TrustStore?
        let number: Int
        /// What can expire of it, pairs first.
        let perishables: [Perishable]

        init(credentials: [Credential], trust: TrustStore?, number: Int) {
            self.credentials = credentials
            self.trust = trust
            self.number = number
            perishables = credentials.map(\.perishable) + (trust?.perishables ?? [])
        }
    }

    let settings: TLS.Settings
    let side: Side
    let tickets: TicketKeys
    private let log: FilterLog
    private let gauges: MaterialGauges
    private let content: Mutex<Content>
    /// Grows with each new content; read by workers without a lock.
    private let latest = Atomic<Int>(0)
    private let expiry = Mutex<ExpiryWatch>(ExpiryWatch())

    /// Reads the files for the first time.
    ///
    /// - Throws: what is wrong with them; the config is refused.
    init(
        _ settings: TLS.Settings, side: Side, tickets: TicketKeys, log: FilterLog, gauges: MaterialGauges
    ) throws(ConfigurationFault) {
        self.settings = settings
        self.side = side
        self.tickets = tickets
        self.log = log
        self.gauges = gauges
        do throws(CredentialProblem) {
            content = Mutex(try Self.read(settings, side, number: 0))
        } catch {
            throw ConfigurationFault(error.problem.message, key: error.key, hint: error.problem.hint)
        }
        let moment = Moment(seconds: WallClock.seconds())
        _ = watchExpiry(moment)
        describe("certificate loaded")
    }

    /// The content in force.
    var current: Content { content.withLock { $0 } }
    /// The number of the content in force.
    var number: Int { latest.load(ordering: .acquiring) }

    private static func read(
        _ settings: TLS.Settings, _ side: Side, number: Int
    ) throws(CredentialProblem) -> Content {
        var credentials: [Credential] = []
        for (index, pair) in settings.pairs.enumerated() {
            do throws(CredentialProblem) { credentials.append(try Credential(pair)) } catch {
                let position = index - (settings.certificate == nil ? 0 : 1)
                let key = position < 0 ? error.key : "certificates[\(position)].\(error.key)"
                throw CredentialProblem(key: key, error.problem)
            }
        }
        return Content(credentials: credentials, trust: try readTrust(settings, side), number: number)
    }

    private static func readTrust(_ settings: TLS.Settings, _ side: Side) throws(CredentialProblem) -> TrustStore? {
        try settings.authorities(side).map { ca throws(CredentialProblem) in
            try TrustStore(
                ca: TrustStore.path(ca), crl: settings.crl, namesAuthorities: side == .client,
                isSystem: ca == "system")
        }
    }

    var certificates: [CertificateSummary] {
        let content = current
        let own = content.credentials.map {
            CertificateSummary($0.facts, path: $0.path, notAfter: $0.perishable.notAfter, isAuthority: false)
        }
        guard let trust = content.trust, let ca = settings.authorities(side), ca != "system" else { return own }
        return own
            + trust.authorities(in: ca).map {
                CertificateSummary($0, path: ca, notAfter: $0.notAfter, isAuthority: true)
            }
    }

    // MARK: Watching

    var files: [String] { settings.files(side) }

    func refresh(_ moment: Moment) -> Duration? {
        let old = current
        do throws(CredentialProblem) {
            let fresh = try Self.read(settings, side, number: old.number + 1)
            if !Self.isSame(old, fresh) { try replace(old, by: fresh, moment) }
        } catch {
            gauges.failures.set(gauges.failures.value + 1)
            log.write(
                .error, "new certificate files refused, the old ones stay in use",
                [("setting", error.key), ("error", error.problem.message)])
        }
        return watchExpiry(moment)
    }

    private func replace(_ old: Content, by fresh: Content, _ moment: Moment) throws(CredentialProblem) {
        for (before, after) in zip(old.credentials, fresh.credentials)
        where after.facts.notAfter <= moment.seconds && after.facts.notAfter <= before.facts.notAfter {
            throw CredentialProblem(key: "certificate", FileProblem(after.path, "has expired"))
        }
        content.withLock { $0 = fresh }
        latest.store(fresh.number, ordering: .releasing)
        expiry.withLock { $0.forget() }
        gauges.reloads.set(gauges.reloads.value + 1)
        describe("certificate files read again")
        if fresh.credentials.isEmpty, let ca = settings.authorities(side) {
            log.write(.info, "certificate files read again", [("file", ca)])
        }
    }

    private static func isSame(_ old: Content, _ fresh: Content) -> Bool {
        old.trust?.fingerprint == fresh.trust?.fingerprint
            && old.credentials.count == fresh.credentials.count
            && zip(old.credentials, fresh.credentials).allSatisfy {
                $0.facts.chainPEM == $1.facts.chainPEM && $0.facts.fingerprint == $1.facts.fingerprint
                    && $0.staple == $1.staple && $0.chainCount == $1.chainCount
            }
    }

    private func describe(_ message: String) {
        for credential in current.credentials {
            log.write(
                .info, message,
                [
                    ("file", credential.path), ("subject", credential.facts.subject),
                    ("names", credential.names.joined(separator: ",")),
                    ("not_after", UTCTime.text(credential.facts.notAfter)),
                ])
        }
    }

    /// Sets the gauges, and warns of certificates that will expire.
    ///
    /// - Returns: when to look again.
    private func watchExpiry(_ moment: Moment) -> Duration? {
        let all = current.perishables
        return expiry.withLock { watch in watch.look(all, settings.expiryWarning, moment, gauges.secondsLeft, log) }
    }
}

extension CertificateSummary {
    fileprivate init(_ facts: PeerCertificate, path: String, notAfter: Int64, isAuthority: Bool) {
        let names =
            facts.dnsNames.map { "DNS:\($0)" } + facts.uris.map { "URI:\($0)" }
            + facts.ipAddresses.map { "IP Address:\($0)" } + facts.emailAddresses.map { "email:\($0)" }
        self.init(
            path: path, subject: facts.subject, serialNumber: facts.serialNumber, names: names,
            notBefore: facts.notBefore, notAfter: notAfter, isAuthority: isAuthority)
    }
}

/// Where a material shows how it is.
struct MaterialGauges: Sendable {
    /// How often new files were taken into use.
    let reloads: Gauge
    /// How often new files were refused.
    let failures: Gauge
    /// Seconds until each pair, the authorities and the lists of revocations expire; negative afterwards.
    let secondsLeft: [Gauge]
}
