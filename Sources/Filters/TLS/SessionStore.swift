internal import COpenSSL

/// The last session with each endpoint, to be taken up again. On one worker.
///
/// SAFETY: each session is an owned reference.
@safe
final class SessionStore {
    private static let limit = 1024
    private var sessions: [String: OpaquePointer] = unsafe [:]

    deinit { removeAll() }

    /// Keeps a session, which it then owns.
    func keep(_ session: OpaquePointer, for endpoint: String) {
        if unsafe sessions[endpoint] == nil, unsafe sessions.count >= Self.limit { removeAll() }
        if let old = unsafe sessions.updateValue(session, forKey: endpoint) { unsafe SSL_SESSION_free(old) }
    }

    /// The session with an endpoint; good until the next call.
    func find(_ endpoint: String) -> OpaquePointer? {
        guard let session = unsafe sessions[endpoint] else { return nil }
        if unsafe Self.hasExpired(session) {
            remove(endpoint)
            return nil
        }
        return unsafe session
    }

    /// Whether the certificate that the peer has shown for a session has expired: nobody looks at it again where the session
    /// is taken up, which could go on for ever.
    static func hasExpired(_ session: OpaquePointer) -> Bool {
        guard let certificate = unsafe SSL_SESSION_get0_peer(session) else { return false }
        return unsafe X509_cmp_current_time(X509_get0_notAfter(certificate)) < 0
    }

    /// Forgets a session that did not serve.
    func remove(_ endpoint: String) {
        if let old = unsafe sessions.removeValue(forKey: endpoint) { unsafe SSL_SESSION_free(old) }
    }

    private func removeAll() {
        while let (_, session) = unsafe sessions.popFirst() { unsafe SSL_SESSION_free(session) }
    }
}
