internal import COpenSSL
internal import FilterAPI
internal import Glibc

/// What OpenSSL asks during handshakes.
///
/// SAFETY (all of these): OpenSSL calls them while one of its functions runs that a ``TLSSession`` has called, on that
/// worker; both the session and its context are alive then.
enum TLSCallbacks {
    static func session(_ ssl: OpaquePointer?) -> TLSSession? {
        guard let pointer = unsafe SSL_get_ex_data(ssl, 0) else { return nil }
        return unsafe Unmanaged<TLSSession>.fromOpaque(pointer).takeUnretainedValue()
    }

    static func installServer(_ context: TLSContext) {
        let handle = unsafe context.handle
        unsafe SSL_CTX_set_client_hello_cb(handle, hello, nil)
        if !context.protocols.isEmpty { unsafe SSL_CTX_set_alpn_select_cb(handle, chooseProtocol, nil) }
        _ = unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(handle, sealTicket)
        if context.content.trust != nil { _ = unsafe SSL_CTX_set_session_ticket_cb(handle, nil, useTicket, nil) }
        if context.content.credentials.contains(where: { $0.staple != nil }) {
            unsafe tls_set_status_callback(handle, staple, nil)
        }
        if context.content.credentials.count > 1 { unsafe SSL_CTX_set_cert_cb(handle, chooseCertificate, nil) }
        let scope = context.sessionScope()
        _ = unsafe SSL_CTX_set_session_id_context(handle, scope, UInt32(scope.count))
    }

    static func installClient(_ context: TLSContext) {
        guard context.settings.sessionResumption else { return }
        unsafe SSL_CTX_sess_set_new_cb(context.handle) { ssl, made in
            guard let session = unsafe TLSCallbacks.session(ssl), let made = unsafe made else { return 0 }
            unsafe session.context.sessions.keep(made, for: session.endpoint)
            return 1
        }
    }

    /// Looks at the name that the client asks for, before anything is agreed on.
    private static let hello: SSL_client_hello_cb_fn = { ssl, alert, _ in
        guard let session = unsafe session(ssl) else { return SSL_CLIENT_HELLO_ERROR }
        var bytes: UnsafePointer<UInt8>?
        var count = 0
        var name: String?
        if unsafe SSL_client_hello_get0_ext(ssl, UInt32(TLSEXT_TYPE_server_name), &bytes, &count) == 1 {
            unsafe name = ServerNameExtension.read(UnsafeBufferPointer(start: bytes, count: count))
        }
        session.serverName = name
        guard session.context.settings.unknownNames == .refuse else { return SSL_CLIENT_HELLO_SUCCESS }
        if let name, session.context.names.find(name) != nil { return SSL_CLIENT_HELLO_SUCCESS }
        session.refusal = Fault(.clientGone, "tls.unknown_name", origin: .client)
        unsafe alert?.pointee = SSL_AD_UNRECOGNIZED_NAME
        return SSL_CLIENT_HELLO_ERROR
    }

    /// Puts the certificates in place that have the name.
    private static let chooseCertificate: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = {
        ssl, _ in
        guard let session = unsafe session(ssl), let name = session.serverName else { return 1 }
        let context = session.context
        // The first one is in place already, perhaps with its like of another kind of key.
        guard let found = context.names.find(name), found.first != 0 else { return 1 }
        unsafe SSL_certs_clear(ssl)
        for index in found {
            let credential = context.content.credentials[index]
            guard unsafe SSL_use_certificate(ssl, credential.leaf.x509) == 1,
                unsafe SSL_use_PrivateKey(ssl, credential.key) == 1
            else { return 0 }
            for certificate in credential.chain {
                _ = unsafe tls_add_connection_chain_certificate(ssl, certificate.x509)
            }
        }
        return 1
    }

    private static let chooseProtocol: SSL_CTX_alpn_select_cb_func = { ssl, out, outCount, offered, offeredCount, _ in
        guard let session = unsafe session(ssl) else { return SSL_TLSEXT_ERR_NOACK }
        let ours = session.context.protocols
        let agreed = unsafe ours.withUnsafeBufferPointer { ours in
            var chosen: UnsafeMutablePointer<UInt8>?
            let outcome = unsafe SSL_select_next_proto(
                &chosen, outCount, ours.baseAddress, UInt32(ours.count), offered, offeredCount)
            // Ours is asked first, so the choice points into ours, which lives as long as the context.
            unsafe out?.pointee = UnsafePointer(chosen)
            return outcome == OPENSSL_NPN_NEGOTIATED
        }
        if agreed { return SSL_TLSEXT_ERR_OK }
        session.refusal = Fault(.clientGone, "tls.no_application_protocol", origin: .client)
        return SSL_TLSEXT_ERR_ALERT_FATAL
    }

    private static let staple: @convention(c) (OpaquePointer?, UnsafeMutableRawPointer?) -> Int32 = { ssl, _ in
        guard let session = unsafe session(ssl), let used = unsafe SSL_get_certificate(ssl) else {
            return SSL_TLSEXT_ERR_NOACK
        }
        let credential = session.context.content.credentials.first { unsafe X509_cmp($0.leaf.x509, used) == 0 }
        guard let bytes = credential?.staple, let copy = unsafe tls_allocate(bytes.count) else {
            return SSL_TLSEXT_ERR_NOACK
        }
        unsafe copy.copyMemory(from: bytes, byteCount: bytes.count)
        unsafe tls_set_staple(ssl, copy.assumingMemoryBound(to: UInt8.self), bytes.count)
        return SSL_TLSEXT_ERR_OK
    }

    private static let sealTicket:
        @convention(c) (
            OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, OpaquePointer?, OpaquePointer?,
            Int32
        ) -> Int32 = { ssl, name, vector, cipher, mac, isSealing in
            guard let session = unsafe session(ssl), let name = unsafe name, let vector = unsafe vector else {
                return -1
            }
            let context = session.context
            let now = WallClock.seconds()
            if isSealing == 1 {
                guard let key = context.tickets.current(now, lifetime: context.lifetime),
                    unsafe RAND_bytes(vector, 16) == 1
                else { return -1 }
                for (index, byte) in key.name.enumerated() { unsafe name[index] = byte }
                guard unsafe EVP_EncryptInit_ex(cipher, context.ticketCipher, nil, key.cipher, vector) == 1 else {
                    return -1
                }
                return unsafe authenticate(mac, key) ? 1 : -1
            }
            let wanted = unsafe UnsafeBufferPointer(start: name, count: 16)
            guard let (key, isCurrent) = unsafe context.tickets.find(wanted, now, lifetime: context.lifetime) else {
                return 0
            }
            guard unsafe EVP_DecryptInit_ex(cipher, context.ticketCipher, nil, key.cipher, vector) == 1,
                unsafe authenticate(mac, key)
            else { return -1 }
            // A ticket that an older key has sealed is good, and is replaced. So is each of TLS 1.3, where clients use one
            // only once (RFC 8446 appendix C.4).
            return unsafe isCurrent && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2
        }

    /// Whether a client whose ticket has been opened needs no other proof of who it is.
    private static let useTicket: SSL_CTX_decrypt_session_ticket_fn = { _, session, _, _, status, _ in
        let isOpened = status == SSL_TICKET_SUCCESS || status == SSL_TICKET_SUCCESS_RENEW
        guard isOpened, let session = unsafe session, unsafe !SessionStore.hasExpired(session) else {
            return SSL_TICKET_RETURN_IGNORE_RENEW
        }
        return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW
    }

    private static func authenticate(_ mac: OpaquePointer?, _ key: TicketKeys.Key) -> Bool {
        var secret = key.mac
        return unsafe secret.withUnsafeMutableBufferPointer { unsafe tls_set_ticket_mac(mac, $0.baseAddress, $0.count) }
            == 1
    }

    /// Asked for each certificate of a peer's chain, the last time for its own.
    static let verify: SSL_verify_cb = { isGood, store in
        let ssl = unsafe X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx())
        guard let session = unsafe session(ssl.map { OpaquePointer($0) }) else { return 0 }
        guard let certificate = unsafe X509_STORE_CTX_get_current_cert(store) else { return isGood }
        let depth = unsafe X509_STORE_CTX_get_error_depth(store)
        if isGood == 1 {
            let accepted = session.context.settings.acceptedNames
            if depth > 0 || accepted.isEmpty { return 1 }
            if accepted.accepts(unsafe X509Reader.read(certificate)) { return 1 }
            unsafe X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION)
        }
        session.badCertificate = unsafe BadCertificate(
            subject: X509Reader.name(X509_get_subject_name(certificate)),
            issuer: X509Reader.name(X509_get_issuer_name(certificate)), depth: Int(depth),
            error: X509_STORE_CTX_get_error(store))
        return 0
    }

    static func installKeyLog(_ context: TLSContext) {
        unsafe SSL_CTX_set_keylog_callback(context.handle) { ssl, line in
            guard let session = unsafe TLSCallbacks.session(ssl), let path = session.context.settings.keyLog,
                let line = unsafe line
            else { return }
            let fd = unsafe open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
            guard fd >= 0 else { return }
            var text = unsafe String(cString: line) + "\n"
            _ = text.withUTF8 { unsafe write(fd, $0.baseAddress, $0.count) }
            close(fd)
        }
    }
}

/// A certificate of a peer that was not accepted.
struct BadCertificate {
    let subject: String
    let issuer: String
    /// Its place in the chain, 0 for the peer's own.
    let depth: Int
    /// What is wrong, as OpenSSL numbers it.
    let error: Int32
}
