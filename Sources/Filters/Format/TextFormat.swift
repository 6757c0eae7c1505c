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
        /// Bounds in `literals`, or positions in `fields`, `times`, `spans` or `filterTimes`; -1 for none.
        var first = -1
        var second = -1
    }

    /// What a piece stands for.
    enum Kind: Sendable, Equatable {
        case literal
        case request
        case response
        case trailer
        case time(TimeSource)
        case span
        case filterTime
        case path(RequestPath)
        /// The parameter whose name is in `literals`.
        case parameter
        case grpcStatus(GRPCStatusStyle)
        /// A variable whose value is a number, and one whose value is text.
        case number(FormatVariable)
        case variable(FormatVariable)
    }

    /// The time that a pattern is filled with.
    enum TimeSource: Sendable, Equatable {
        /// When the request began, and when the text is written; here or in the zone of this machine.
        case start(isLocal: Bool)
        case emission(isLocal: Bool)
        /// When a peer's certificate begins to be valid, and when it ceases to be.
        case clientValidFrom
        case clientValidUntil
        case upstreamValidFrom
        case upstreamValidUntil
    }

    var pieces: [Piece] = []
    var literals: [UInt8] = []
    var fields: [FormatField] = []
    var times: [TimePattern] = []
    var spans: [DurationSpan] = []
    var filterTimes: [FilterTimeVariable] = []

    init() {}

    /// Whether the text is the same for every request.
    package var isConstant: Bool { pieces.allSatisfy { $0.kind == .literal } }

    /// The text of a format without variables.
    package var constant: String? { isConstant ? String(decoding: literals, as: UTF8.self) : nil }

    /// Whether rendering needs the time of day.
    package var needsWallClock: Bool {
        pieces.contains {
            switch $0.kind {
            case .time(.start), .time(.emission): true
            default: false
            }
        }
    }

    /// Whether rendering asks for the endpoints of earlier tries.
    package var needsTries: Bool {
        pieces.contains {
            switch $0.kind {
            case .variable(.upstreamHostsAttempted), .variable(.upstreamHostsAttemptedWithoutPort),
                .variable(.upstreamHostNamesAttempted), .variable(.upstreamHostNamesAttemptedWithoutPort):
                true
            default: false
            }
        }
    }

    /// What JSON writes the value as, where the format is one variable and nothing else.
    var type: FormatType {
        guard pieces.count == 1 else { return .text }
        switch pieces[0].kind {
        case .number, .span, .filterTime, .grpcStatus(.number): return .number
        case .variable(let variable): return variable.type
        default: return .text
        }
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
    /// How many bytes of the text are to blame.
    package var length = 1
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
