import COpenSSL

/// A client or a server that may do what none should: OpenSSL as it is, over bytes in memory.
///
/// SAFETY: the objects are made with this one and freed with it; `ssl` owns the two BIOs.
@safe
final class HostilePeer {
    private let context: OpaquePointer
    private let ssl: OpaquePointer
    private let incoming: OpaquePointer
    private let outgoing: OpaquePointer

    /// - Parameters:
    ///   - version: the only version that it speaks.
    ///   - pair: the files of a server's certificate and key; nil for a client.
    init(version: Int32, serving pair: (certificate: String, key: String)? = nil) {
        guard let context = unsafe SSL_CTX_new(pair == nil ? TLS_client_method() : TLS_server_method())
        else { fatalError("OpenSSL is out of memory") }
        if let pair {
            unsafe SSL_CTX_use_certificate_file(context, pair.certificate, SSL_FILETYPE_PEM)
            unsafe SSL_CTX_use_PrivateKey_file(context, pair.key, SSL_FILETYPE_PEM)
        }
        guard let ssl = unsafe SSL_new(context),
            let incoming = unsafe BIO_new(BIO_s_mem()), let outgoing = unsafe BIO_new(BIO_s_mem())
        else {
            fatalError("OpenSSL is out of memory")
        }
        unsafe (self.context, self.ssl, self.incoming, self.outgoing) = unsafe (context, ssl, incoming, outgoing)
        unsafe SSL_set_bio(ssl, incoming, outgoing)
        _ = unsafe SSL_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(version), nil)
        _ = unsafe SSL_ctrl(ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        if pair == nil { unsafe SSL_set_connect_state(ssl) } else { unsafe SSL_set_accept_state(ssl) }
    }

    /// A client of TLS 1.3 that takes up a session of ``takeSession()``, which stays the caller's; and takes it to allow
    /// early data, whatever the server has said.
    convenience init(_ session: OpaquePointer) {
        self.init(version: TLS1_3_VERSION)
        unsafe SSL_SESSION_set_max_early_data(session, 16 * 1024)
        unsafe SSL_set_session(ssl, session)
    }

    deinit {
        unsafe SSL_free(ssl)
        unsafe SSL_CTX_free(context)
    }

    /// Shakes hands as far as it goes; then gives away what is to be sent.
    func shakeHands() -> [UInt8] {
        _ = unsafe SSL_do_handshake(ssl)
        return takeOutput()
    }

    var isOpen: Bool { unsafe SSL_is_init_finished(ssl) == 1 }

    func receive(_ bytes: [UInt8]) { unsafe BIO_write(incoming, bytes, Int32(bytes.count)) }

    /// Seals bytes.
    func seal(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        _ = unsafe SSL_write(ssl, bytes, Int32(bytes.count))
        return takeOutput()
    }

    /// Opens all that has come.
    func open() -> String {
        var bytes = [UInt8](repeating: 0, count: 64 * 1024)
        let count = unsafe SSL_read(ssl, &bytes, Int32(bytes.count))
        return String(decoding: bytes.prefix(max(0, Int(count))), as: UTF8.self)
    }

    /// Changes its keys, and asks for the same of the other side.
    func updateKeys() -> [UInt8] {
        _ = unsafe SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED)
        return shakeHands()
    }

    /// Asks for a new handshake on the open connection.
    func renegotiate() -> [UInt8] {
        _ = unsafe SSL_renegotiate(ssl)
        return shakeHands()
    }

    /// Makes one more ticket, as a server.
    func makeTicket() -> [UInt8] {
        _ = unsafe SSL_new_session_ticket(ssl)
        return shakeHands()
    }

    /// The session; the caller frees it.
    func takeSession() -> OpaquePointer? { unsafe SSL_get1_session(ssl) }

    /// Begins, and sends bytes before the server has said a word.
    func sendEarly(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        var count = 0
        _ = unsafe SSL_write_early_data(ssl, bytes, bytes.count, &count)
        return count == bytes.count ? takeOutput() : []
    }

    var earlyDataWasRefused: Bool { unsafe SSL_get_early_data_status(ssl) == SSL_EARLY_DATA_REJECTED }

    private func takeOutput() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Int(unsafe BIO_ctrl_pending(outgoing)))
        _ = unsafe BIO_read(outgoing, &bytes, Int32(bytes.count))
        return bytes
    }
}
