/// `sluice filter inspect`: what a shared object says of itself, without running its code.
struct FilterInspection: Equatable {
    enum Format: String, CaseIterable {
        case text
        case json
    }

    /// The shared object.
    var path: String
    var format = Format.text

    static func read(_ arguments: [String]) throws(UsageError) -> FilterInspection {
        var path: String?
        var format = Format.text
        var rest = arguments[...]
        while let argument = rest.popFirst() {
            if argument == "--format" || argument.hasPrefix("--format=") {
                let text = argument == "--format" ? rest.popFirst() : String(argument.dropFirst("--format=".count))
                guard let word = text.flatMap(Format.init) else {
                    throw UsageError(message: "`--format` is one of text, json")
                }
                format = word
            } else if argument.hasPrefix("-") {
                throw UsageError(message: "`filter inspect` does not know `\(argument)`")
            } else if path == nil {
                path = argument
            } else {
                throw UsageError(message: "`filter inspect` takes one file")
            }
        }
        guard let path else { throw UsageError(message: "`filter inspect` needs a file, for example libhello.so") }
        return FilterInspection(path: path, format: format)
    }

    /// Runs the command.
    ///
    /// - Returns: the exit code: 0 where this Sluice would load the file, 1 where not.
    func run() -> Int32 {
        do throws(PluginRefusal) {
            let inspection = try PluginInspection(path: path)
            let text = InspectionText(inspection)
            Terminal.output(format == .json ? text.json : text.text)
            return inspection.refusal == nil ? 0 : 1
        } catch {
            Terminal.error("sluice: \(path) is no plugin: \(error.message)\n")
            return 1
        }
    }
}
