internal import FilterAPI

/// What operators change while the process runs.
extension AdminOffice {
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
