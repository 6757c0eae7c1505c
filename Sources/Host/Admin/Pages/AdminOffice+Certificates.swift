internal import FilterAPI

/// Certificates in use, in Envoy's form.
extension AdminOffice {
    func certificates() -> AdminAnswer {
        let now = Int64(control.wallClock / 1_000_000_000)
        let all = control.certificates
        func describe(_ certificate: CertificateSummary) -> JSONValue {
            .object([
                ("path", .string(certificate.path)), ("serial_number", .string(certificate.serialNumber)),
                (
                    "subject_alt_names",
                    .array(
                        certificate.names.map { name in
                            let parts = name.split(separator: ":", maxSplits: 1).map(String.init)
                            let kind = ["DNS": "dns", "URI": "uri", "IP Address": "ip_address"][parts[0]] ?? "email"
                            return .object([(kind, .string(parts.count > 1 ? parts[1] : ""))])
                        })
                ),
                ("days_until_expiration", .string("\(max(0, (certificate.notAfter - now) / 86_400))")),
                ("valid_from", .string(LogTime.text(UInt64(max(0, certificate.notBefore)) * 1_000_000_000))),
                ("expiration_time", .string(LogTime.text(UInt64(max(0, certificate.notAfter)) * 1_000_000_000))),
                ("subject", .string(certificate.subject)),
            ])
        }
        let own = all.filter { !$0.isAuthority }
        let authorities = all.filter(\.isAuthority)
        return .json(
            .object([
                (
                    "certificates",
                    .array(
                        own.map { .object([("ca_cert", .array([])), ("cert_chain", .array([describe($0)]))]) }
                            + authorities.map {
                                .object([("ca_cert", .array([describe($0)])), ("cert_chain", .array([]))])
                            })
                )
            ]))
    }
}
