internal import FilterAPI

/// Text with variables such as `%REQ(user-agent)%`: lines of access logs and values of header fields.
///
/// Parsed once, when the config is read; rendering makes no allocation beyond the text that it fills.
package struct TextFormat: Sendable {
    /// One part: a piece of `literals`, or a variable.
    struct Piece: Sendable {
        var kind: Kind
        /// The longest that the value may be; longer ones are cut.
        var limit = Int.max
        /// Bounds in `literals`, or positions in `fields` or `times`; -1 for none.
        var first = -1
        var second = -1
    }

    /// What a piece stands for.
    enum Kind: Sendable, Equatable {
        case literal
        case request
        case response
        case startTime
        /// When the client's certificate begins to be valid, and when it ceases to be.
        case peerValidFrom
        case peerValidUntil
        case variable(FormatVariable)
    }

    var pieces: [Piece] = []
    var literals: [UInt8] = []
    var fields: [FormatField] = []
    var times: [TimePattern] = []

    init() {}

    /// Whether the text is the same for every request.
    package var isConstant: Bool { pieces.allSatisfy { $0.kind == .literal } }

    /// The text of a format without variables.
    package var constant: String? { isConstant ? String(decoding: literals, as: UTF8.self) : nil }

    /// Whether rendering needs the time of day.
    package var needsWallClock: Bool { pieces.contains { $0.kind == .startTime } }

    /// Whether the format is one variable and nothing else, whose value is a number: JSON writes it without quotes.
    package var isNumber: Bool {
        guard pieces.count == 1, case .variable(let variable) = pieces[0].kind else { return false }
        return variable.isNumber
    }
}

/// Why a text is not a format.
package struct FormatProblem: Error {
    /// What is wrong, in lower case and without a full stop.
    package var message: String
    /// What was probably meant.
    package var hint: String?
    /// Where in the text, in bytes.
    package var offset: Int
}

/// A field of a message, or a part of its head that access logs call one.
enum FormatField: Sendable, Equatable {
    case method
    case path
    case authority
    case scheme
    case status
    case header(HeaderName)
}
