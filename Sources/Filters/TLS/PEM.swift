internal import COpenSSL
internal import FilterAPI

/// Reads the files that certificates and keys come in.
enum PEM {
    /// All certificates of a file, in order; at least one.
    static func certificates(_ path: String) throws(FileProblem) -> [Certificate] {
        let bytes = try FileBytes.read(path)
        var found: [Certificate] = []
        let code = unsafe reading(bytes) { bio in
            while let one = unsafe PEM_read_bio_X509(bio, nil, noPassphrase, nil) {
                unsafe found.append(Certificate(owning: one))
            }
        }
        guard !found.isEmpty, isEnd(code) else { throw unreadable(path, bytes, "certificate", code) }
        return found
    }

    /// Shows all lists of revocations of a file; at least one.
    static func revocations(_ path: String, _ body: (OpaquePointer) -> Void) throws(FileProblem) {
        let bytes = try FileBytes.read(path)
        var count = 0
        let code = unsafe reading(bytes) { bio in
            while let one = unsafe PEM_read_bio_X509_CRL(bio, nil, noPassphrase, nil) {
                unsafe body(one)
                unsafe X509_CRL_free(one)
                count += 1
            }
        }
        guard count > 0, isEnd(code) else { throw unreadable(path, bytes, "list of revoked certificates", code) }
    }

    /// The private key of a file; the caller owns it.
    static func key(_ path: String, passphrase: [UInt8]?) throws(FileProblem) -> OpaquePointer {
        let bytes = try FileBytes.read(path)
        var words = Passphrase(bytes: passphrase)
        var key: OpaquePointer?
        let code = unsafe reading(bytes) { bio in
            unsafe key = withUnsafeMutablePointer(to: &words) { unsafe PEM_read_bio_PrivateKey(bio, nil, ask, $0) }
        }
        if let key = unsafe key { return unsafe key }
        if words.wasAsked {
            throw passphrase == nil
                ? FileProblem(path, "is encrypted", hint: "name a file with its passphrase: `passphrase_file`")
                : FileProblem(path, "cannot be decrypted with this passphrase")
        }
        if bytes.first != 0x30, !hasPrivateKey(bytes) { throw FileProblem(path, "has no private key") }
        throw unreadable(path, bytes, "private key", code)
    }

    private static func hasPrivateKey(_ bytes: [UInt8]) -> Bool {
        bytes.split { $0 == 0x0A || $0 == 0x0D }.contains { line in
            line.starts(with: "-----BEGIN ".utf8) && line.suffix("PRIVATE KEY-----".utf8.count).elementsEqual("PRIVATE KEY-----".utf8)
        }
    }

    /// The first line of a file.
    static func passphrase(_ path: String) throws(FileProblem) -> [UInt8] {
        let bytes = try FileBytes.read(path)
        let line = Array(bytes.prefix { $0 != 0x0A && $0 != 0x0D })
        guard !line.isEmpty, line.count <= 1024 else { throw FileProblem(path, "has no passphrase of 1 to 1024 bytes") }
        return line
    }

    /// A response of OCSP, as it is.
    static func staple(_ path: String) throws(FileProblem) -> [UInt8] {
        let bytes = try FileBytes.read(path)
        let response = unsafe bytes.withUnsafeBufferPointer { buffer in
            var cursor = buffer.baseAddress
            return unsafe d2i_OCSP_RESPONSE(nil, &cursor, buffer.count)
        }
        ERR_clear_error()
        guard let response = unsafe response else { throw FileProblem(path, "is not an OCSP response in DER") }
        defer { unsafe OCSP_RESPONSE_free(response) }
        guard unsafe OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL else {
            throw FileProblem(path, "is an OCSP response that tells of an error")
        }
        return bytes
    }

    /// Lends bytes as OpenSSL reads them.
    ///
    /// - Returns: the last error, which at the end of a file is that there is nothing more.
    private static func reading(_ bytes: [UInt8], _ body: (OpaquePointer) -> Void) -> UInt {
        ERR_clear_error()
        unsafe bytes.withUnsafeBytes { buffer in
            guard let bio = unsafe BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count)) else { return }
            unsafe body(bio)
            unsafe BIO_free(bio)
        }
        let code = ERR_peek_last_error()
        ERR_clear_error()
        return code
    }

    private static func isEnd(_ code: UInt) -> Bool {
        tls_error_library(code) == ERR_LIB_PEM && tls_error_reason(code) == PEM_R_NO_START_LINE
    }

    private static func unreadable(_ path: String, _ bytes: [UInt8], _ kind: String, _ code: UInt) -> FileProblem {
        if bytes.first == 0x30 {
            return FileProblem(
                path, "is not PEM, it looks like DER",
                hint: "`openssl x509 -inform der` or `openssl pkey -inform der` turns it")
        }
        return isEnd(code)
            ? FileProblem(path, "has no \(kind)")
            : FileProblem(path, "has a \(kind) that cannot be read: \(OpenSSLErrors.text(code))")
    }
}

/// What OpenSSL is told when it asks for a passphrase. Without an answer of ours it would ask at the terminal.
private struct Passphrase {
    var bytes: [UInt8]?
    var wasAsked = false
}

private let noPassphrase:
    @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 =
        { _, _, _, _ in -1 }

private let ask: @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = {
    buffer, size, _, words in
    guard let words = unsafe words?.assumingMemoryBound(to: Passphrase.self), let buffer = unsafe buffer else {
        return -1
    }
    unsafe words.pointee.wasAsked = true
    guard let bytes = unsafe words.pointee.bytes, bytes.count <= Int(size) else { return -1 }
    for (index, byte) in bytes.enumerated() { unsafe buffer[index] = CChar(bitPattern: byte) }
    return Int32(bytes.count)
}
