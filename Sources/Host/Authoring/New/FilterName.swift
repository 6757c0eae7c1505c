/// The name of a filter that is to be written, in its two forms.
struct FilterName: Equatable {
    /// As config files and the package have it: `api_key`.
    let id: String
    /// As the code has it: `ApiKey`.
    let type: String

    /// What Swift does not take as the name of a module.
    private static let words: Set<String> = [
        "any", "as", "associatedtype", "break", "case", "catch", "class", "continue", "default", "defer", "deinit",
        "do",
        "else", "enum", "extension", "fallthrough", "false", "for", "func", "guard", "if", "import", "in", "init",
        "inout",
        "internal", "is", "let", "nil", "operator", "private", "protocol", "public", "repeat", "rethrows", "return",
        "self",
        "some", "static", "struct", "subscript", "super", "switch", "throw", "throws", "true", "try", "typealias",
        "var",
        "where", "while",
    ]
    /// With `Filter` behind them they are types of FilterAPI.
    private static let taken: Set<String> = ["byte", "event"]
    private static let longest = 40

    /// - Parameter builtins: the names of the filters that Sluice has by itself.
    init(_ text: String, builtins: [String]) throws(UsageError) {
        let snake = Self.snakeCase(text)
        guard text == snake, text.utf8.first.map({ $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }) == true else {
            let isNear = snake.utf8.first.map { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") } == true
            throw UsageError(
                message: "`\(text)` is no name of a filter: small letters, digits and `_`, beginning with a letter"
                    + (isNear ? "; for example `\(snake)`" : ""))
        }
        guard text.utf8.count <= Self.longest else {
            throw UsageError(message: "the name `\(text)` is longer than \(Self.longest) letters")
        }
        if builtins.contains(text) {
            throw UsageError(
                message: "Sluice has a filter `\(text)` already; another name is needed, for example `my_\(text)`")
        }
        if Self.words.contains(text) || Self.taken.contains(text) {
            throw UsageError(
                message: "`\(text)` is a word of Swift's or of FilterAPI; another name is needed, such as `my_\(text)`")
        }
        id = text
        type = text.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    /// What was probably meant: `api_key` for `ApiKey`, `api-key` and `API key`.
    private static func snakeCase(_ text: String) -> String {
        var words: [String] = [""]
        var wasSmall = false
        for character in text {
            guard character.isASCII, character.isLetter || character.isNumber else {
                words.append("")
                wasSmall = false
                continue
            }
            if character.isUppercase && wasSmall { words.append("") }
            words[words.count - 1] += character.lowercased()
            wasSmall = !character.isUppercase
        }
        return words.filter { !$0.isEmpty }.joined(separator: "_")
    }
}
