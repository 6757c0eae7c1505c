internal import COpenSSL
internal import FilterAPI
internal import Glibc

/// Reads what certificates say.
enum X509Reader {
    /// - Parameter chain: what the peer sent with it; nil to leave the certificates themselves out.
    static func read(_ certificate: OpaquePointer, chain: OpaquePointer? = nil, withPEM: Bool = false)
        -> PeerCertificate
    {
        let names = unsafe alternativeNames(certificate)
        let own = unsafe withPEM ? pem(certificate) : ""
        var all = own
        let count = unsafe withPEM ? tls_certificate_count(chain) : 0
        for index in 0..<count {
            guard let next = unsafe tls_certificate_at(chain, index), unsafe X509_cmp(next, certificate) != 0 else {
                continue
            }
            unsafe all += pem(next)
        }
        return unsafe PeerCertificate(
            subject: name(X509_get_subject_name(certificate)), issuer: name(X509_get_issuer_name(certificate)),
            serialNumber: serial(certificate), uris: names.uris, dnsNames: names.dns, ipAddresses: names.addresses,
            emailAddresses: names.mail, fingerprint: fingerprint(certificate),
            notBefore: seconds(X509_get0_notBefore(certificate)), notAfter: seconds(X509_get0_notAfter(certificate)),
            pem: own, chainPEM: all)
    }

    /// A distinguished name as RFC 2253 writes it.
    static func name(_ name: OpaquePointer?) -> String {
        unsafe written { unsafe tls_print_name($0, name) }
    }

    private static func pem(_ certificate: OpaquePointer) -> String {
        unsafe written { unsafe PEM_write_bio_X509($0, certificate) }
    }

    private static func serial(_ certificate: OpaquePointer) -> String {
        guard let number = unsafe X509_get0_serialNumber(certificate) else { return "" }
        let bytes = unsafe UnsafeBufferPointer(start: number.pointee.data, count: Int(number.pointee.length))
        return unsafe hex(bytes)
    }

    private static func fingerprint(_ certificate: OpaquePointer) -> String {
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        guard unsafe X509_digest(certificate, EVP_sha256(), &digest, &count) == 1 else { return "" }
        return unsafe digest.withUnsafeBufferPointer { unsafe hex(UnsafeBufferPointer(rebasing: $0[..<Int(count)])) }
    }

    private static func hex(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        let digits: StaticString = "0123456789abcdef"
        var text: [UInt8] = []
        text.reserveCapacity(bytes.count * 2)
        for index in bytes.indices {
            let byte = unsafe bytes[index]
            unsafe text.append(digits.utf8Start[Int(byte >> 4)])
            unsafe text.append(digits.utf8Start[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func seconds(_ time: UnsafePointer<ASN1_TIME>?) -> Int64 {
        let epoch = unsafe ASN1_TIME_set(nil, 0)
        defer { unsafe ASN1_STRING_free(epoch) }
        var days: Int32 = 0
        var rest: Int32 = 0
        guard unsafe ASN1_TIME_diff(&days, &rest, epoch, time) == 1 else { return 0 }
        return Int64(days) * 86_400 + Int64(rest)
    }

    private static func written(_ body: (OpaquePointer) -> some Any) -> String {
        guard let bio = unsafe BIO_new(BIO_s_mem()) else { return "" }
        defer { unsafe BIO_free(bio) }
        _ = unsafe body(bio)
        var start: UnsafePointer<UInt8>?
        let count = unsafe tls_buffered(bio, &start)
        ERR_clear_error()
        return unsafe String(decoding: UnsafeBufferPointer(start: start, count: max(0, count)), as: UTF8.self)
    }

    // MARK: Alternative names

    private struct Names {
        var uris: [String] = []
        var dns: [String] = []
        var addresses: [String] = []
        var mail: [String] = []
    }

    private static func alternativeNames(_ certificate: OpaquePointer) -> Names {
        var found = Names()
        guard let list = unsafe X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return found }
        let names = OpaquePointer(list)
        defer { unsafe GENERAL_NAMES_free(names) }
        for index in 0..<(unsafe tls_name_count(names)) {
            guard let name = unsafe tls_name_at(names, index) else { continue }
            switch unsafe name.pointee.type {
            case GEN_DNS: if let text = unsafe text(name.pointee.d.dNSName) { found.dns.append(text) }
            case GEN_URI:
                if let text = unsafe text(name.pointee.d.uniformResourceIdentifier) { found.uris.append(text) }
            case GEN_EMAIL: if let text = unsafe text(name.pointee.d.rfc822Name) { found.mail.append(text) }
            case GEN_IPADD: if let text = unsafe address(name.pointee.d.iPAddress) { found.addresses.append(text) }
            default: break
            }
        }
        return found
    }

    /// A name as text; nil where it has bytes that no name has, a NUL before all.
    private static func text(_ string: UnsafeMutablePointer<ASN1_STRING>?) -> String? {
        guard let string = unsafe string else { return nil }
        let bytes = unsafe UnsafeBufferPointer(
            start: ASN1_STRING_get0_data(string), count: Int(ASN1_STRING_length(string)))
        guard unsafe bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    private static func address(_ string: UnsafeMutablePointer<ASN1_STRING>?) -> String? {
        guard let string = unsafe string, let data = unsafe ASN1_STRING_get0_data(string) else { return nil }
        let length = unsafe ASN1_STRING_length(string)
        guard length == 4 || length == 16 else { return nil }
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            let family = length == 4 ? AF_INET : AF_INET6
            guard let text = unsafe inet_ntop(family, data, buffer.baseAddress, 64) else { return nil }
            return unsafe String(cString: text)
        }
    }
}
