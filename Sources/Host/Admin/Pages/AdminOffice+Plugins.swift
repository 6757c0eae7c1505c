internal import FilterAPI

/// The plugins of the config in use.
extension AdminOffice {
    func plugins(_ question: AdminQuestion) -> AdminAnswer {
        let reports = control.plugins
        if question["format"] == "json" {
            return .json(.object([("plugins", .array(reports.map(Self.json)))]))
        }
        var text = ""
        for report in reports {
            let module = report.module
            let start = "\(module.name)::"
            text += "\(start)path::\(module.path)\n\(start)filters::\(report.filters.joined(separator: " "))\n"
            text += "\(start)on_fault::\(module.settings.onFault.rawValue)\n\(start)faults::\(module.faultCount)\n"
            text += "\(start)bypassed::\(module.isBypassed)\n"
            if let fault = module.lastFault { text += "\(start)last_fault::\(fault.filter) \(fault.reason)\n" }
        }
        return .text(text)
    }

    private static func json(_ report: PluginReport) -> JSONValue {
        let module = report.module
        return .object([
            ("name", .string(module.name)), ("path", .string(module.path)),
            ("filters", .array(report.filters.map { .string($0) })),
            ("on_fault", .string(module.settings.onFault.rawValue)), ("faults", .int(module.faultCount)),
            ("bypassed", .bool(module.isBypassed)),
            (
                "last_fault",
                module.lastFault.map {
                    .object([("filter", .string($0.filter)), ("reason", .string($0.reason))])
                } ?? .null
            ),
        ])
    }
}
