internal import COpenSSL
internal import FilterAPI

/// The TLS of one connection: a state machine without I/O. Bytes from the peer are lent to it, bytes for the peer are
/// written into memory that it is lent.
///
/// Used by one worker. Every call that can fail clears OpenSSL's queue of errors first.
///
/// SAFETY: `ssl` and `buffers` are made with the object and freed with it, `ssl` first; memory that is lent is good until
/// the call, or the run of calls between ``lend(_:)`` and ``takeBack()``, is over.
@safe
final class TLSSession {
    /// How far a call has come.
    enum Progress {
        /// All that it was asked for.
        case done
        /// It needs more from the peer.
        case needsInput
        /// It needs more room for what goes to the peer.
        case needsRoom
        /// The peer has ended its direction in due form.
        case ended
    }

    let context: TLSContext
    /// Under which name a session with this endpoint is kept.
    let endpoint: String
    private let ssl: OpaquePointer
    private let buffers: UnsafeMutablePointer<TLSBuffers>
    /// The name that the client asked for.
    var serverName: String?
    /// Why a callback has said no.
    var refusal: Fault?
    /// The certificate that was not accepted.
    var badCertificate: BadCertificate?
    /// Whether the handshake is over.
    private(set) var isOpen = false
    /// Whether the peer has said that it will send no more.
    private(set) var peerEnded = false
    private var hasEnded = false
    /// How often the peer has changed its keys, which costs it nothing and us something.
    fileprivate var keyUpdates = 0
    private var bytesFromPeer = 0
    /// The last error of OpenSSL, for messages.
    private(set) var lastError: UInt = 0

    /// - Parameters:
    ///   - host: in a cluster, whom to ask for and to accept.
    init(_ context: TLSContext, host: String = "", endpoint: String = "") throws(Fault) {
        self.context = context
        self.endpoint = endpoint
        ERR_clear_error()
        guard let made = unsafe SSL_new(context.handle) else { throw Fault(.overloaded, "tls.out_of_memory") }
        unsafe ssl = unsafe made
        unsafe buffers = .allocate(capacity: 1)
        unsafe buffers.initialize(to: TLSBuffers())
        guard let bio = unsafe tls_bio_new(buffers) else {
            unsafe SSL_free(ssl)
            unsafe buffers.deallocate()
            throw Fault(.overloaded, "tls.out_of_memory")
        }
        unsafe SSL_set_bio(ssl, bio, bio)
        unsafe SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
        if context.side == .client { unsafe SSL_set_accept_state(ssl) } else { ask(for: host) }
    }

    deinit {
        // A session is good for another connection however this one ended.
        unsafe SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
        unsafe SSL_free(ssl)
        unsafe buffers.deallocate()
    }

    private func ask(for host: String) {
        unsafe SSL_set_connect_state(ssl)
        let isAddress = ServerNameExtension.isAddress(host)
        if !isAddress, !host.isEmpty { _ = unsafe tls_set_host_name(ssl, host) }
        if let session = unsafe context.sessions.find(endpoint) { _ = unsafe SSL_set_session(ssl, session) }
        guard context.content.trust != nil, context.settings.acceptedNames.isEmpty else { return }
        let parameters = unsafe SSL_get0_param(ssl)
        unsafe X509_VERIFY_PARAM_set_hostflags(
            parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
        if isAddress {
            _ = unsafe X509_VERIFY_PARAM_set1_ip_asc(parameters, host)
        } else {
            _ = unsafe X509_VERIFY_PARAM_set1_host(parameters, host, 0)
        }
    }

    /// Whether nothing has come from the peer before what is lent now.
    var isUntouched: Bool { bytesFromPeer == unread }

    // MARK: Memory

    /// Lends bytes from the peer, until ``takeBack()``. All of them are read by then.
    func lend(_ bytes: UnsafeRawBufferPointer) {
        unsafe buffers.pointee.input = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe buffers.pointee.input_count = bytes.count
        bytesFromPeer &+= bytes.count
    }

    func takeBack() {
        unsafe buffers.pointee.input = nil
        unsafe buffers.pointee.input_count = 0
    }

    /// How many bytes for the peer the last call has written.
    var written: Int { unsafe buffers.pointee.output_count }
    /// How many of the lent bytes are left.
    var unread: Int { unsafe buffers.pointee.input_count }

    private func provide(_ room: UnsafeMutableRawBufferPointer) {
        unsafe buffers.pointee.output = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
        unsafe buffers.pointee.output_room = room.count
        unsafe buffers.pointee.output_count = 0
        // To clear the queue takes as long as a tenth of a record, and there is seldom something in it.
        if ERR_peek_error() != 0 { ERR_clear_error() }
    }

    // MARK: Calls

    /// Goes on with the handshake.
    func shakeHands(room: UnsafeMutableRawBufferPointer) throws(Fault) -> Progress {
        unsafe provide(room)
        let result = unsafe SSL_do_handshake(ssl)
        if result == 1 {
            isOpen = true
            if unsafe SSL_version(ssl) == TLS1_3_VERSION { unsafe SSL_set_msg_callback(ssl, countKeyUpdates) }
            return .done
        }
        return try progress(result)
    }

    /// Opens what the peer has sealed.
    ///
    /// - Returns: how far it came; `done` where the memory is full.
    func read(
        into memory: UnsafeMutableRawBufferPointer, count: inout Int, room: UnsafeMutableRawBufferPointer
    ) throws(Fault) -> Progress {
        unsafe provide(room)
        while count < memory.count {
            var part = 0
            let result = unsafe SSL_read_ex(
                ssl, memory.baseAddress.map { unsafe $0 + count }, memory.count - count, &part)
            if keyUpdates > 16 + bytesFromPeer >> 20 {
                throw Fault(context.side == .client ? .clientGone : .upstreamProtocol, "tls.too_many_key_updates")
            }
            guard result == 1 else { return try progress(result) }
            count += part
            // What is left can only be the beginning of a record: asking again costs as much as opening one.
            if unsafe unread == 0 && SSL_pending(ssl) == 0 { return .needsInput }
        }
        return .done
    }

    /// Seals bytes for the peer; called again with the same bytes where there was not room enough.
    func write(_ bytes: UnsafeRawBufferPointer, room: UnsafeMutableRawBufferPointer) throws(Fault) -> Progress {
        unsafe provide(room)
        guard !hasEnded else { return .done }
        var count = 0
        let result = unsafe SSL_write_ex(ssl, bytes.baseAddress, bytes.count, &count)
        return result == 1 ? .done : try progress(result)
    }

    /// Says to the peer that nothing more comes.
    func end(room: UnsafeMutableRawBufferPointer) {
        unsafe provide(room)
        guard !hasEnded, isOpen else { return }
        hasEnded = true
        _ = unsafe SSL_shutdown(ssl)
        ERR_clear_error()
    }

    /// Room for what the lent bytes can hold, and for a record that has begun earlier.
    var readCapacity: Int {
        let isInRecord = unsafe strcmp(SSL_rstate_string(ssl), "RB") == 0
        return max(unsafe Int(SSL_pending(ssl)), unread + (isInRecord ? 16 * 1024 : 0), 1)
    }

    private func progress(_ result: Int32) throws(Fault) -> Progress {
        switch unsafe SSL_get_error(ssl, result) {
        case SSL_ERROR_WANT_READ: return .needsInput
        case SSL_ERROR_WANT_WRITE: return .needsRoom
        case SSL_ERROR_ZERO_RETURN:
            peerEnded = true
            return .ended
        default: throw failure()
        }
    }

    private func failure() -> Fault {
        lastError = OpenSSLErrors.take()
        if let refusal { return refusal }
        let reason = TLSReason.find(
            lastError, verification: badCertificate?.error, isOpen: isOpen, isServer: context.side == .client)
        return Fault(context.side == .client ? .clientGone : isOpen ? .upstreamClosed : .handshakeFailed, reason)
    }

    // MARK: What was agreed on

    /// What filters may know of it.
    func facts() -> TLSFacts {
        var bytes: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(ssl, &bytes, &count)
        let agreed =
            unsafe count == 0
            ? nil
            : String(
                decoding: UnsafeBufferPointer(start: bytes, count: Int(count)), as: UTF8.self)
        let cipher = unsafe SSL_CIPHER_get_name(SSL_get_current_cipher(ssl)).map { unsafe String(cString: $0) }
        let peer = peer()
        return unsafe TLSFacts(
            version: SSL_version(ssl) == TLS1_3_VERSION ? .tls13 : .tls12, cipher: cipher ?? "",
            applicationProtocol: agreed, isResumed: SSL_session_reused(ssl) == 1, peer: peer,
            localURI: peer == nil ? nil : localURI(), group: group())
    }

    /// The group of the key exchange, which TLS 1.2 does not always have.
    private func group() -> String {
        let id = unsafe SSL_ctrl(ssl, SSL_CTRL_GET_NEGOTIATED_GROUP, 0, nil)
        guard id > 0, let name = unsafe SSL_group_to_name(ssl, Int32(id)) else { return "" }
        return unsafe String(cString: name)
    }

    /// By which URI the peer knows us: that of the certificate that the handshake has used.
    private func localURI() -> String? {
        let used = unsafe SSL_get_certificate(ssl)
        return context.content.credentials.first { unsafe $0.leaf.x509 == used }?.facts.uris.first
    }

    private func peer() -> PeerCertificate? {
        guard context.content.trust != nil, let certificate = unsafe SSL_get0_peer_certificate(ssl) else { return nil }
        return unsafe X509Reader.read(certificate, chain: SSL_get_peer_cert_chain(ssl), withPEM: true)
    }
}

/// Sees every message of a handshake, and those after it.
private let countKeyUpdates:
    @convention(c) (Int32, Int32, Int32, UnsafeRawPointer?, Int, OpaquePointer?, UnsafeMutableRawPointer?) -> Void = {
        isSent, _, kind, bytes, count, ssl, _ in
        guard isSent == 0, kind == SSL3_RT_HANDSHAKE, count > 0, let bytes = unsafe bytes else { return }
        guard unsafe bytes.load(as: UInt8.self) == UInt8(SSL3_MT_KEY_UPDATE) else { return }
        unsafe TLSCallbacks.session(ssl)?.keyUpdates += 1
    }
