internal import FilterAPI

/// One worker's statistics of TLS in the chains of a listener, or of a cluster.
///
/// Its group is made with the first handshake: most listeners and clusters have none.
final class TLSStats {
    private let registry: StatRegistry
    private let scope: StatScope
    private let worker: Int
    private lazy var group = registry.group(scope, TLSStat.schema)
    private lazy var slots = StatSlots<TLSStat>(group, slot: worker)
    private var ciphers: [String: FilterAPI.Counter] = [:]

    init(_ registry: StatRegistry, _ owner: StatScope, worker: Int) {
        self.registry = registry
        scope = owner.part("ssl")
        self.worker = worker
    }

    /// A handshake is over.
    func secured(_ facts: TLSFacts) {
        slots.add(.handshake)
        if facts.isResumed { slots.add(.sessionReused) }
        if facts.peer == nil { slots.add(.noCertificate) }
        slots.add(facts.version == .tls12 ? .versionTLS12 : .versionTLS13)
        let counter = ciphers[facts.cipher] ?? registry.counter(scope, TLSStat.cipher(facts.cipher), slot: worker)
        ciphers[facts.cipher] = counter
        counter.add()
    }

    /// A connection has failed in its byte filters.
    func failed(_ fault: Fault) {
        guard let key = Self.key(of: "\(fault.reason)") else { return }
        slots.add(key)
    }

    private static func key(of reason: String) -> TLSStat? {
        switch reason {
        case "tls.no_client_certificate": .failVerifyNoCert
        case "tls.wrong_name", "tls.name_not_accepted": .failVerifySAN
        case "tls.unknown_ca", "tls.certificate_expired", "tls.certificate_not_yet_valid", "tls.certificate_revoked",
            "tls.wrong_purpose", "tls.chain_too_long", "tls.no_crl", "tls.crl_expired", "tls.certificate_refused":
            .failVerifyError
        default: reason.hasPrefix("tls.") ? .connectionError : nil
        }
    }
}
