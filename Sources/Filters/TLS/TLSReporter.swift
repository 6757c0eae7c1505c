internal import COpenSSL
internal import FilterAPI

/// Tells in the log what went wrong, in words for whoever has to mend it; not more often than it can be read.
final class TLSReporter {
    /// Between two lines with the same reason, on one worker.
    private static let silence: UInt64 = 1_000_000_000

    private let log: FilterLog
    private let side: Side
    private var told: [UInt: (at: Instant, omitted: Int)] = [:]

    init(_ log: FilterLog, side: Side, isInsecure: Bool) {
        self.log = log
        self.side = side
    }

    /// New files passed the check, and then OpenSSL did not take them.
    func refused(_ fault: ConfigurationFault) {
        log.write(.error, "new certificate files refused, the old ones stay in use", [("error", fault.message)])
    }

    func report(_ fault: Fault, _ session: TLSSession, _ connection: ConnectionFacts, _ now: Instant) {
        let key = unsafe UInt(bitPattern: fault.reason.utf8Start)
        var omitted = 0
        if let last = told[key] {
            if now.nanoseconds < last.at.nanoseconds + Self.silence {
                told[key]?.omitted += 1
                return
            }
            omitted = last.omitted
        }
        told[key] = (now, 0)
        var fields = [
            ("reason", "\(fault.reason)"), (side == .client ? "client" : "endpoint", connection.remoteAddress),
        ]
        if side == .upstream { fields.append(("cluster", connection.listener)) }
        if side == .upstream { fields.append(("host", connection.endpointHost)) }
        if let name = session.serverName { fields.append(("server_name", name)) }
        if let bad = session.badCertificate {
            fields.append(("check", unsafe String(cString: X509_verify_cert_error_string(Int(bad.error)))))
            fields.append(("certificate", bad.subject))
            fields.append(("issuer", bad.issuer))
            fields.append(("depth", String(bad.depth)))
        } else if session.lastError != 0 {
            fields.append(("error", OpenSSLErrors.text(session.lastError)))
        }
        if omitted > 0 { fields.append(("not_shown", String(omitted))) }
        log.write(level(fault), message(session), fields)
    }

    /// What clients do by themselves all day is for those who look for it.
    private func level(_ fault: Fault) -> LogLevel {
        switch "\(fault.reason)" {
        case "tls.closed_without_notify", "tls.closed_in_handshake": .debug
        default: side == .client ? .info : .warning
        }
    }

    private func message(_ session: TLSSession) -> String {
        if session.isOpen { return side == .client ? "TLS with a client broke" : "TLS with an upstream broke" }
        return side == .client ? "TLS handshake with a client failed" : "TLS handshake with an upstream failed"
    }
}
