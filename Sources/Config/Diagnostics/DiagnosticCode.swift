/// The causes that a config can be refused for.
///
/// A code keeps its meaning for ever; new causes get new codes.
package enum DiagnosticCode: String, Sendable, CaseIterable {
    case syntax = "SL0101"
    case unknownKey = "SL0102"
    case duplicateKey = "SL0103"
    case wrongType = "SL0104"
    case outOfRange = "SL0105"
    case badDuration = "SL0106"
    case badSize = "SL0107"
    case unknownWord = "SL0108"
    case noValue = "SL0109"
    case missingKey = "SL0110"
    case refusedValue = "SL0111"
    case doubtfulValue = "SL0112"
    case badEnvironmentReference = "SL0113"
    case badFileReference = "SL0114"
    case notText = "SL0115"
    case unreadableFile = "SL0116"
    case tooLarge = "SL0117"
    case secondDocument = "SL0118"
    case emptyFile = "SL0119"
    case unknownTag = "SL0120"
    case badAlias = "SL0121"
    case badPercentage = "SL0122"

    case unknownCluster = "SL0201"
    case unusedCluster = "SL0202"
    case noListeners = "SL0203"
    case badAddress = "SL0204"
    case unknownFilter = "SL0205"
    case badChain = "SL0206"
    case badPlugin = "SL0207"
    case noPlugins = "SL0208"
    case addressInUse = "SL0210"
    case needsRestart = "SL0211"
    case filterRefused = "SL0212"

    /// The cause in one sentence.
    package var summary: String {
        switch self {
        case .syntax: return "The file is not valid YAML."
        case .unknownKey: return "A key is not known where it stands."
        case .duplicateKey: return "A key is written twice in one mapping."
        case .wrongType: return "A value is not of the kind that its key needs."
        case .outOfRange: return "A number is too small or too large for its key."
        case .badDuration: return "A duration has no unit, or is not a duration."
        case .badSize: return "A size has no unit, or is not a size."
        case .unknownWord: return "A value is not one of the words that its key accepts."
        case .noValue: return "A key has no value."
        case .missingKey: return "A key that must be given is not there."
        case .refusedValue: return "A value cannot be used."
        case .doubtfulValue: return "A value can be used, but is probably not meant."
        case .badEnvironmentReference: return "A reference to the environment cannot be resolved."
        case .badFileReference: return "A value's file cannot be read."
        case .notText: return "The file holds bytes that are not UTF-8 text."
        case .unreadableFile: return "The config file cannot be read."
        case .tooLarge: return "The file is larger or deeper than what is accepted."
        case .secondDocument: return "The file holds more than one YAML document."
        case .emptyFile: return "The file holds no settings."
        case .unknownTag: return "A YAML tag is not known."
        case .badPercentage: return "A percentage is not a number from 0 to 100."
        case .badAlias: return "A YAML alias has no anchor, or stands inside its own anchor."
        default: return hostSummary
        }
    }

    private var hostSummary: String {
        switch self {
        case .unknownCluster: return "A cluster is used that the file does not define."
        case .unusedCluster: return "A cluster is defined that nothing uses."
        case .noListeners: return "The file defines no listener."
        case .badAddress: return "An address cannot be used."
        case .unknownFilter: return "A chain names a filter that does not exist."
        case .badChain: return "The filters of a chain do not fit together."
        case .badPlugin: return "A plugin cannot be loaded."
        case .noPlugins: return "A folder that is named for its plugins has none."
        case .addressInUse: return "Two listeners have the same address."
        case .needsRestart: return "A setting cannot be changed without a restart."
        default: return "A filter refused its settings."
        }
    }

    /// How sure it is that this is a cause and not the result of another mistake: 0 is surest.
    ///
    /// Shown in this order.
    var doubt: Int {
        switch self {
        case .syntax, .notText, .unreadableFile, .tooLarge, .secondDocument, .emptyFile: return 0
        case .missingKey, .refusedValue: return 2
        case .doubtfulValue: return 4
        default: return rawValue >= "SL0200" ? 3 : 1
        }
    }
}
