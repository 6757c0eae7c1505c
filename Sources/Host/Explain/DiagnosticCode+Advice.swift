internal import Config

extension DiagnosticCode {
    /// Whether the config is used all the same.
    var isWarning: Bool {
        switch self {
        case .doubtfulValue, .unusedCluster: true
        default: false
        }
    }

    /// What to do about it.
    var advice: String {
        switch self {
        case .syntax:
            "The line and the lines above it: indentation, a missing space behind a colon, a quote that is not closed."
        case .unknownKey: "The keys that the message lists; keys are in snake case."
        case .duplicateKey: "Both places; keep one."
        case .wrongType: "What the message expects there: text, a number, a list or a mapping."
        case .outOfRange: "The bounds that the message names."
        case .badDuration: "The unit: `250ms`, `5s`, `1m30s`."
        case .badSize: "The unit: `512B`, `16KiB`, `1MiB`."
        case .unknownWord: "The words that the message lists."
        case .noValue: "Write a value, or remove the key for its default."
        case .missingKey: "Add the key that the message names."
        case .refusedValue: "What the message says of the value; its hint shows a good one."
        case .doubtfulValue: "Whether it is meant so."
        case .badEnvironmentReference:
            "Whether the variable is set for the process; `${NAME:-default}` gives a default."
        case .badFileReference: "The path, relative to the config file, and who may read it."
        case .notText: "Save the file as UTF-8."
        case .unreadableFile: "The path, and who may read it."
        case .tooLarge: "What has made the file so large or so deep."
        case .secondDocument: "Remove the line `---` between the two, or one of them."
        case .emptyFile: "Whether it is the right file; `sluice demo` shows a whole one."
        case .unknownTag: "There is `!file`; other tags have no meaning here."
        case .badAlias: "The anchor (`&name`) has to stand above the alias (`*name`)."
        case .badPercentage: "`20%`, `0.5%` or `20`."
        default: hostAdvice
        }
    }

    private var hostAdvice: String {
        switch self {
        case .unknownCluster: "The name under `clusters`."
        case .unusedCluster: "Whether a route was forgotten, or the cluster can go."
        case .noListeners: "Add one under `listeners`."
        case .badAddress:
            "`127.0.0.1:8080`, `[::1]:8080`, `:8080` or `unix:/path`; whether something else listens there."
        case .unknownFilter: "The filter's name; for a filter from a plugin, `plugins`."
        case .badChain: "The order: byte filters, the codec, HTTP filters, one terminal at the end."
        case .noPlugins: "The path, and whether the files are there yet; `sluice filter inspect` looks into one."
        case .badPlugin: "The path; a plugin has to be built for this version of Sluice."
        case .addressInUse: "Give one of them another address."
        case .needsRestart: "Restart the process when it suits; the running value stays until then."
        default: "What the filter says, and its page in the manual."
        }
    }
}
