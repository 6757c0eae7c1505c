internal import COpenSSL

/// One certificate, by itself.
///
/// SAFETY: an owned reference to an object that nothing writes to after it was read, and that OpenSSL counts atomically.
@safe
final class Certificate: @unchecked Sendable {
    let x509: OpaquePointer

    /// Takes a reference over.
    init(owning x509: OpaquePointer) { unsafe self.x509 = unsafe x509 }

    deinit { unsafe X509_free(x509) }
}
