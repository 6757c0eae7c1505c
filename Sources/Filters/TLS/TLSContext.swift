internal import COpenSSL
internal import FilterAPI

/// What the connections of one worker have in common: one worker's view of a ``TLSMaterial``'s content.
///
/// One for each worker: see docs/decisions on why not one for all. Connections that have begun with an older one keep it
/// alive through OpenSSL's own count.
///
/// SAFETY: OpenSSL's objects are owned references. Callbacks find this object through the context, which is not used for
/// new connections after it has gone; `retain` keeps it as long as any connection.
@safe
final class TLSContext {
    let handle: OpaquePointer
    let side: Side
    let settings: TLS.Settings
    let content: TLSMaterial.Content
    let tickets: TicketKeys
    /// Its own: no connection that an older context has verified is taken up again by this one.
    let sessions = SessionStore()
    /// Fetched once: by each use OpenSSL 3 would look it up anew, behind a lock.
    let ticketCipher: OpaquePointer?
    let lifetime: Int64
    /// Wire form of the protocols that are offered or accepted.
    let protocols: [UInt8]
    let names: CertificateNames

    /// - Throws: what OpenSSL does not accept of the settings.
    init(_ material: TLSMaterial) throws(ConfigurationFault) {
        settings = material.settings
        side = material.side
        content = material.current
        tickets = material.tickets
        lifetime = settings.sessionLifetime.components.seconds
        names = CertificateNames(content.credentials)
        protocols = (settings.alpn ?? []).flatMap {
            [UInt8($0.utf8.count)] + $0.utf8
        }
        guard let made = unsafe SSL_CTX_new(side == .client ? TLS_server_method() : TLS_client_method()) else {
            throw ConfigurationFault("OpenSSL is out of memory")
        }
        unsafe handle = unsafe made
        unsafe ticketCipher = EVP_CIPHER_fetch(nil, "AES-256-CBC", nil)
        try setUp()
    }

    deinit {
        unsafe EVP_CIPHER_free(ticketCipher)
        unsafe SSL_CTX_free(handle)
    }

    private func setUp() throws(ConfigurationFault) {
        unsafe SSL_CTX_set_ex_data(handle, 0, Unmanaged.passUnretained(self).toOpaque())
        _ = unsafe SSL_CTX_set_options(
            handle, tls_options())
        // A write may come again with the same bytes elsewhere; buffers are held only while a record is worked on.
        unsafe tls_set_mode(
            handle, Int(SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER) | Int(SSL_MODE_RELEASE_BUFFERS))
        unsafe SSL_CTX_set_max_early_data(handle, 0)
        try setProtocol()
        for credential in content.credentials.prefix(1) { try use(credential) }
        if side == .client { try useSecondKind() }
        setTrust()
        if side == .client { TLSCallbacks.installServer(self) } else { TLSCallbacks.installClient(self) }
        if settings.keyLog != nil { TLSCallbacks.installKeyLog(self) }
        ERR_clear_error()
    }

    private func setProtocol() throws(ConfigurationFault) {
        _ = unsafe tls_set_min_version(handle, settings.minVersion.number)
        _ = unsafe tls_set_max_version(handle, settings.maxVersion.number)
        guard unsafe SSL_CTX_set_cipher_list(handle, settings.ciphers) == 1 else {
            throw ConfigurationFault("no cipher of this list is known to OpenSSL", key: "ciphers")
        }
        guard unsafe SSL_CTX_set_ciphersuites(handle, settings.cipherSuites) == 1 else {
            throw ConfigurationFault("a cipher suite of this list is not known to OpenSSL", key: "cipher_suites")
        }
        guard unsafe tls_set_groups(handle, settings.groups) == 1 else {
            throw ConfigurationFault("a group of this list is not known to OpenSSL", key: "groups")
        }
        if side == .upstream, !protocols.isEmpty {
            _ = unsafe SSL_CTX_set_alpn_protos(handle, protocols, UInt32(protocols.count))
        }
        unsafe SSL_CTX_set_timeout(handle, Int(lifetime))
        if !settings.sessionResumption { _ = unsafe SSL_CTX_set_options(handle, tls_no_tickets()) }
        let client = Int(SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL)
        let isKeeping = side == .upstream && settings.sessionResumption
        unsafe tls_set_cache_mode(handle, isKeeping ? client : Int(SSL_SESS_CACHE_OFF))
        // One ticket for each handshake, where OpenSSL would make two: whoever takes a session up gets the next with it.
        if side == .client { _ = unsafe SSL_CTX_set_num_tickets(handle, settings.sessionResumption ? 1 : 0) }
    }

    /// Gives the context a certificate, its chain and its key; one of each kind of key has place.
    private func use(_ credential: Credential) throws(ConfigurationFault) {
        // A copy of the key: signing takes locks and counts of the key's object, which workers should not share.
        let own = unsafe EVP_PKEY_dup(credential.key)
        defer { unsafe EVP_PKEY_free(own) }
        guard unsafe SSL_CTX_use_certificate(handle, credential.leaf.x509) == 1,
            unsafe SSL_CTX_use_PrivateKey(handle, own) == 1
        else {
            let reason = OpenSSLErrors.text(OpenSSLErrors.take())
            throw ConfigurationFault("`\(credential.path)` is not accepted: \(reason)", key: "certificate")
        }
        unsafe tls_clear_chain(handle)
        for certificate in credential.chain { _ = unsafe tls_add_chain_certificate(handle, certificate.x509) }
    }

    /// Beside the first certificate, the first one of another kind of key with the same names: clients choose.
    private func useSecondKind() throws(ConfigurationFault) {
        guard let first = content.credentials.first else { return }
        let kind = unsafe EVP_PKEY_get_base_id(first.key)
        let second = content.credentials.dropFirst().first {
            unsafe EVP_PKEY_get_base_id($0.key) != kind && Set($0.names) == Set(first.names)
        }
        if let second { try use(second) }
    }

    private func setTrust() {
        unsafe SSL_CTX_set_verify_depth(handle, Int32(settings.verifyDepth))
        guard let trust = content.trust else {
            return unsafe SSL_CTX_set_verify(handle, SSL_VERIFY_NONE, nil)
        }
        unsafe SSL_CTX_set1_cert_store(handle, trust.store)
        var mode = SSL_VERIFY_PEER
        if side == .client {
            if settings.asksClients == .required { mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT }
            for authority in trust.authorities { _ = unsafe SSL_CTX_add_client_CA(handle, authority.x509) }
        }
        unsafe SSL_CTX_set_verify(handle, mode, TLSCallbacks.verify)
    }

    /// Sessions that were made under other demands, or under other trust, are not taken up again.
    func sessionScope() -> [UInt8] {
        var hash = content.trust?.fingerprint ?? 0
        for byte in "\(settings.asksClients) \(settings.acceptedNames) \(settings.verifyDepth)".utf8 {
            hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
        }
        return (0..<8).map { UInt8(truncatingIfNeeded: hash >> ($0 * 8)) }
    }
}

extension TLSVersion {
    /// The number on the wire.
    var number: Int32 { self == .tls12 ? TLS1_2_VERSION : TLS1_3_VERSION }
}
