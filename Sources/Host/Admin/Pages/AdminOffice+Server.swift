internal import FilterAPI

/// What there is to say of the process.
extension AdminOffice {
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
}
