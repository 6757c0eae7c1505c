internal import FilterAPI

/// The command line, read.
enum Command: Equatable {
    case run(RunOptions)
    case demo(RunOptions)
    case check(file: String, format: String)
    case explain(ExplainCommand)
    case stats(format: String)
    case filter(FilterCommand)
    case drain(process: Int)
    case version
    case help(topic: String)
}

/// What `run` and `demo` can be told.
struct RunOptions: Equatable {
    var file: String?
    var workers: Int?
    var to: String?
    var listen: String?
    var logFormat: LogFormat?
    var logLevel: LogLevel?
}

/// The command line does not make sense.
struct UsageError: Error {
    let message: String
}

/// Reads the command line. Small, and our own: the usual package links Foundation, which weighs more than all of Sluice.
struct OptionReader {
    private var rest: ArraySlice<String>

    static func read(_ arguments: [String]) throws(UsageError) -> Command {
        var reader = OptionReader(rest: arguments[...])
        return try reader.command()
    }

    private mutating func command() throws(UsageError) -> Command {
        guard let verb = rest.popFirst() else { return .help(topic: "") }
        let own = rest.prefix { $0 != "--" }
        if own.contains("--help") || own.contains("-h") { return .help(topic: try topic(verb)) }
        switch verb {
        case "version", "--version", "-V": return .version
        case "help", "--help", "-h":
            guard let first = rest.popFirst() else { return .help(topic: "") }
            return .help(topic: try topic(first))
        default: break
        }
        switch try known(verb) {
        case "run": return .run(try runOptions(verb, Self.serving + ["-c", "--config", "--to", "--listen"]))
        case "demo": return .demo(try runOptions(verb, Self.serving))
        case "explain": return .explain(try explain())
        case "stats": return .stats(format: try statsFormat())
        case "drain": return .drain(process: try process())
        case "filter": return .filter(try FilterCommand.read(Array(rest)))
        default: return try check()
        }
    }

    /// What help is asked for, where the verb is followed by one of its own or not.
    private func topic(_ verb: String) throws(UsageError) -> String {
        guard try known(verb) == "filter", let next = rest.first, FilterCommand.verbs.contains(next) else {
            return verb
        }
        return "filter \(next)"
    }

    private func known(_ verb: String) throws(UsageError) -> String {
        let commands = ["run", "demo", "check", "explain", "stats", "filter", "drain", "version", "help"]
        if commands.contains(verb) { return verb }
        let near = nearest(verb, commands)
        throw UsageError(message: "there is no command `\(verb)`" + (near.map { "; did you mean `\($0)`?" } ?? ""))
    }

    /// What every command that serves can be told.
    private static let serving = ["--workers", "--log-level", "--log-format"]

    private mutating func runOptions(_ verb: String, _ accepted: [String]) throws(UsageError) -> RunOptions {
        var options = RunOptions()
        while let argument = rest.popFirst() {
            let (name, inline) = split(argument)
            guard accepted.contains(name) else { throw unknown(argument, verb, accepted) }
            switch name {
            case "-c", "--config": options.file = try value(name, inline)
            case "--workers":
                let text = try value(name, inline)
                guard let count = Int(text), count >= 1, count <= 1024 else {
                    throw UsageError(message: "`--workers` needs a number from 1 to 1024, not `\(text)`")
                }
                options.workers = count
            case "--to": options.to = try value(name, inline)
            case "--listen": options.listen = try value(name, inline)
            case "--log-format": options.logFormat = try word(name, try value(name, inline))
            default: options.logLevel = try word(name, try value(name, inline))
            }
        }
        if options.to != nil && options.file != nil {
            throw UsageError(message: "`--to` and `--config` exclude each other")
        }
        if options.listen != nil && options.to == nil { throw UsageError(message: "`--listen` needs `--to`") }
        return options
    }

    private mutating func process() throws(UsageError) -> Int {
        guard let argument = rest.popFirst() else { return 1 }
        if argument.hasPrefix("-") { throw unknown(argument, "drain", []) }
        guard rest.isEmpty else { throw UsageError(message: "`drain` takes one process") }
        guard let id = Int(argument), id > 0, id <= Int(Int32.max) else {
            throw UsageError(message: "`drain` needs the number of a process, not `\(argument)`")
        }
        return id
    }

    private mutating func statsFormat() throws(UsageError) -> String {
        guard let argument = rest.popFirst() else { return "text" }
        let (name, inline) = split(argument)
        guard name == "--format" else { throw unknown(argument, "stats", ["--format"]) }
        let format = try value(name, inline)
        if format == "text" || format == "markdown" { return format }
        throw UsageError(message: "`--format` is one of text, markdown, not `\(format)`")
    }

    private mutating func check() throws(UsageError) -> Command {
        var file: String?
        var format = "text"
        while let argument = rest.popFirst() {
            let (name, inline) = split(argument)
            if name == "--format" {
                format = try value(name, inline)
                guard ["text", "json", "github"].contains(format) else {
                    throw UsageError(message: "`--format` is one of text, json, github, not `\(format)`")
                }
            } else if name == "-c" || name == "--config" {
                file = try value(name, inline)
            } else if name.hasPrefix("-") && name != "-" {
                throw unknown(argument, "check", ["--format", "--config"])
            } else if file == nil {
                file = argument
            } else {
                throw UsageError(message: "`check` takes one file")
            }
        }
        if let file { return .check(file: file, format: format) }
        return .check(file: try ConfigFile.find(), format: format)
    }

    private mutating func explain() throws(UsageError) -> ExplainCommand {
        var command = ExplainCommand()
        while let argument = rest.popFirst() {
            let (name, inline) = split(argument)
            switch name {
            case "--format": command.format = try word(name, try value(name, inline))
            case "-c", "--config": command.file = try value(name, inline)
            case "--all": break
            default:
                if name.hasPrefix("-") { throw unknown(argument, "explain", ["--format", "--config", "--all"]) }
                guard command.code == nil else { throw UsageError(message: "`explain` takes one code") }
                command.code = argument
            }
        }
        return command
    }

    private func split(_ argument: String) -> (name: String, value: String?) {
        guard argument.hasPrefix("--"), let equals = argument.firstIndex(of: "=") else { return (argument, nil) }
        return (String(argument[..<equals]), String(argument[argument.index(after: equals)...]))
    }

    private mutating func value(_ name: String, _ inline: String?) throws(UsageError) -> String {
        if let inline { return inline }
        guard let next = rest.popFirst() else { throw UsageError(message: "`\(name)` needs a value") }
        return next
    }

    private func word<W: RawRepresentable & CaseIterable>(
        _ name: String, _ text: String
    ) throws(UsageError) -> W where W.RawValue == String {
        if let word = W(rawValue: text) { return word }
        let words = W.allCases.map(\.rawValue).joined(separator: ", ")
        throw UsageError(message: "`\(name)` is one of \(words), not `\(text)`")
    }

    private func unknown(_ argument: String, _ verb: String, _ known: [String]) -> UsageError {
        if !argument.hasPrefix("-"), known.contains("-c") {
            return UsageError(message: "`\(verb)` takes its file behind `-c`: sluice \(verb) -c \(argument)")
        }
        let near = nearest(argument, known)
        return UsageError(
            message: "`\(verb)` does not know `\(argument)`" + (near.map { "; did you mean `\($0)`?" } ?? ""))
    }
}

/// Where a config file is looked for if none is named.
enum ConfigFile {
    static let places = ["sluice.yaml", "/etc/sluice/sluice.yaml"]

    static func find() throws(UsageError) -> String {
        for place in places where FileProbe.exists(place) { return place }
        throw UsageError(
            message: "no config file: neither ./sluice.yaml nor /etc/sluice/sluice.yaml is there; name one with -c")
    }
}
