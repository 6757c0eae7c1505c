internal import Config
internal import Engine
internal import FilterAPI

/// The program: reads the command line and does what it says.
package enum SluiceMain {
    /// The version of this program.
    package static var version: String { "\(versionText)" }
    static let versionText: StaticString = "0.1.0"

    /// Runs to the end.
    ///
    /// - Parameters:
    ///   - arguments: without the program's own name.
    ///   - environment: looked up for fault injection in tests.
    /// - Returns: the exit code.
    package static func run(_ arguments: [String], faults: String?) -> Int32 {
        do throws(UsageError) {
            if let faults {
                do throws(FaultRuleError) { try Syscalls.armFaults(from: faults) } catch {
                    throw UsageError(message: "SLUICE_FAULTS: \(error.message)")
                }
            }
            return try run(try OptionReader.read(arguments))
        } catch {
            Terminal.error("sluice: \(error.message)\nsee `sluice --help`\n")
            return 2
        }
    }

    private static func run(_ command: Command) throws(UsageError) -> Int32 {
        switch command {
        case .help(let topic):
            Terminal.output(Help.text(topic))
            return 0
        case .version:
            Terminal.output("sluice \(version) (filter API \(PluginAPI.version))\n")
            return 0
        case .check(let file, let format): return check(file, format)
        case .explain(let command): return command.run()
        case .stats(let format):
            Terminal.output(format == "markdown" ? StatCatalog.markdown : StatCatalog.text)
            return 0
        case .drain(let process): return DrainCommand.run(process)
        case .filter(let command): return try command.run()
        case .demo(let options): return demo(options)
        case .run(let options):
            if let to = options.to {
                return serve(ForwardConfig.text(to: to, listen: options.listen), name: "--to", options)
            }
            if let file = options.file { return serve(file: file, options) }
            return serve(file: try ConfigFile.find(), options)
        }
    }

    private static func check(_ file: String, _ format: String) -> Int32 {
        let diagnostics = Diagnostics(file: file)
        var loader = ConfigLoader(registry: FilterRegistry(BuiltinFilters.types), diagnostics: diagnostics)
        let plan = loader.load(file)
        if let plan { Rehearsal.run(plan, diagnostics) }
        let rendered = diagnostics.rendered(as: Diagnostics.Format(rawValue: format) ?? .text)
        Terminal.output(Terminal.lines(rendered))
        guard let plan, !diagnostics.hasErrors else { return 1 }
        if format == "text" { Terminal.output("ok  \(plan.summary) (\(file))\n") }
        return 0
    }

    private static func serve(file: String, _ options: RunOptions) -> Int32 {
        let diagnostics = Diagnostics(file: file)
        var loader = ConfigLoader(registry: FilterRegistry(BuiltinFilters.types), diagnostics: diagnostics)
        guard let plan = loader.load(file) else { return refused(diagnostics) }
        return Control.serve(plan, file: file, options, warnings: diagnostics)
    }

    private static func demo(_ options: RunOptions) -> Int32 {
        guard let certificates = DemoCertificates.make() else {
            Terminal.error("sluice: the demo's certificates cannot be made; is there room in TMPDIR, or in /tmp?\n")
            return 1
        }
        defer { certificates.remove() }
        return serve(DemoConfig.text(certificates), name: "demo", options, demo: certificates)
    }

    private static func serve(
        _ text: String, name: String, _ options: RunOptions, demo: DemoCertificates? = nil
    ) -> Int32 {
        let diagnostics = Diagnostics(file: name)
        var loader = ConfigLoader(
            registry: FilterRegistry(BuiltinFilters.types + (demo == nil ? [] : DemoConfig.types)),
            diagnostics: diagnostics)
        guard let plan = loader.load(text: text) else { return refused(diagnostics) }
        return Control.serve(plan, file: nil, options, warnings: diagnostics, demo: demo)
    }

    private static func refused(_ diagnostics: Diagnostics) -> Int32 {
        Terminal.error(Terminal.lines(diagnostics.rendered(as: .text)))
        return 1
    }
}

/// Plain writes to where the operator looks.
enum Terminal {
    static func output(_ text: String) { write(1, text) }
    static func error(_ text: String) { write(2, text) }

    /// A text that may not end its last line.
    static func lines(_ text: String) -> String { text.isEmpty || text.hasSuffix("\n") ? text : text + "\n" }

    private static func write(_ fd: Int32, _ text: String) {
        unsafe text.utf8Span.span.bytes.withUnsafeBytes { buffer in
            var rest = unsafe buffer[...]
            while unsafe !rest.isEmpty {
                guard case .bytes(let count) = unsafe Syscalls.write(fd, UnsafeRawBufferPointer(rebasing: rest)) else {
                    return
                }
                unsafe rest = rest.dropFirst(count)
            }
        }
    }
}
