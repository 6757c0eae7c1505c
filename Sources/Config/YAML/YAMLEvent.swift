/// What libyaml meets in a file, one after the other.
struct YAMLEvent {
    enum Kind {
        case streamStart
        case streamEnd
        case documentStart
        case documentEnd
        case alias(String)
        case scalar(text: String, style: Scalar.Style)
        case sequenceStart
        case sequenceEnd
        case mappingStart
        case mappingEnd
    }

    var kind: Kind
    var range: SourceRange
    var tag: String?
    var anchor: String?
}

/// Why libyaml cannot go on.
///
/// Lines and columns count from 1.
struct YAMLProblem: Error {
    var problem: String
    var line: Int
    var column: Int
    var context: String?
    var contextLine: Int
    var contextColumn: Int
}
