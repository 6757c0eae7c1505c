internal import FilterAPI

/// Whether the process serves.
extension AdminOffice {
    /// 200 only while each listener of the config accepts at all of its addresses, on all workers, and nothing drains.
    ///
    /// The first line is the state. That a config was refused does not make the one in use serve worse, so it is only
    /// said.
    func ready() -> AdminAnswer {
        let state = control.state
        var text = state.text + "\n"
        for line in control.unready { text += "\(line)\n" }
        if let refused = control.lastRejection {
            text += "config refused, the one before is in use: \(refused.place): \(refused.message)\n"
        }
        return .text(text, status: state == .live ? 200 : 503)
    }

    func serverInfo() -> AdminAnswer {
        let uptime = "\(process.uptime / 1_000_000_000)s"
        let options = control.options
        return .json(
            .object([
                ("version", .string(SluiceMain.version)), ("state", .string(control.state.text)),
                ("hot_restart_version", .string("disabled")),
                (
                    "command_line_options",
                    .object([
                        ("config_path", control.file.map { .string($0) } ?? .null),
                        ("concurrency", .int(control.workerCount)),
                        ("log_level", .string(control.logLevel.rawValue)),
                        ("log_format", options.logFormat.map { .string($0.rawValue) } ?? .null),
                    ])
                ),
                ("uptime_current_epoch", .string(uptime)), ("uptime_all_epochs", .string(uptime)),
                ("filter_api_version", .int(Int(PluginAPI.version))),
                ("config_generation", .int(control.configStats.value(.generation))),
            ]))
    }

    func memory() -> AdminAnswer {
        let heap = process.heap
        // Numbers are text, as JSON's are not exact for all of them.
        return .json(
            .object([
                ("allocated", .string("\(heap.inUse)")), ("heap_size", .string("\(heap.fromSystem)")),
                ("pageheap_unmapped", .string("0")), ("pageheap_free", .string("\(heap.free)")),
                ("total_thread_cache", .string("0")), ("total_physical_bytes", .string("\(process.residentMemory)")),
            ]))
    }

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

    func logging(_ question: AdminQuestion) -> AdminAnswer {
        if let asked = question["level"] ?? question["sluice"] {
            // Envoy's words for two of them.
            let word = ["warn": "warning", "critical": "error"][asked] ?? asked
            guard let level = LogLevel(rawValue: word) else {
                let known = LogLevel.allCases.map(\.rawValue).joined(separator: ", ")
                return .badParameter("there is no level `\(asked)`; there are \(known)")
            }
            control.change(logLevel: level)
        } else if !question.parameters.isEmpty {
            return .badParameter("usage: /logging?level=LEVEL")
        }
        return .text("active loggers:\n  sluice: \(control.logLevel.rawValue)\n")
    }

    func reload() -> AdminAnswer {
        guard let refused = control.reload() else { return .text("OK\n") }
        return .text(refused, status: 400)
    }
}
