internal import FilterAPI

extension TLS.Settings {
    /// The same with each file as it is to be opened.
    func resolved(_ path: (String) -> String) -> TLS.Settings {
        var copy = self
        copy.certificate = certificate.map(path)
        copy.key = key.map(path)
        copy.passphraseFile = passphraseFile.map(path)
        copy.ocspStaple = ocspStaple.map(path)
        copy.certificates = certificates.map { $0.resolved(path) }
        if ca != "system" { copy.ca = ca.map(path) }
        copy.crl = crl.map(path)
        copy.keyLog = keyLog.map(path)
        return copy
    }

    /// The file with those whose certificates are trusted; nil where nobody's is asked for.
    func authorities(_ side: Side) -> String? {
        if side == .client { return asksClients == .off ? nil : ca }
        return insecure ? nil : ca ?? "system"
    }

    /// All files that are read, and read again when they change.
    func files(_ side: Side) -> [String] {
        var all = pairs.flatMap { [$0.certificate, $0.key] + [$0.passphraseFile, $0.ocspStaple].compactMap { $0 } }
        if let ca = authorities(side) { all.append(TrustStore.path(ca)) }
        if let crl { all.append(crl) }
        return all
    }

    /// The files whose content can expire, in the order of ``TLSMaterial/Content/perishables``.
    func perishableFiles(_ side: Side) -> [String] {
        var all = pairs.map(\.certificate)
        // The system's authorities are the system's business.
        if let ca = authorities(side), ca != "system" { all.append(ca) }
        if let crl { all.append(crl) }
        return all
    }
}

extension TLS.CertificateSettings {
    fileprivate func resolved(_ path: (String) -> String) -> TLS.CertificateSettings {
        var copy = self
        copy.certificate = path(certificate)
        copy.key = path(key)
        copy.passphraseFile = passphraseFile.map(path)
        copy.ocspStaple = ocspStaple.map(path)
        return copy
    }
}
