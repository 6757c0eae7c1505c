internal import FilterAPI

/// The points between which `%COMMON_DURATION(START:END)%` measures, by their names in Envoy: the client is downstream
/// (DS), the endpoint upstream (US); CX is the connection, HS its handshake, RX what is read, TX what is written.
enum DurationPoint: String, CaseIterable, Sendable {
    case clientConnected = "DS_CX_BEG"
    case clientClosed = "DS_CX_END"
    case clientHandshakeEnd = "DS_HS_END"
    case requestStart = "DS_RX_BEG"
    case requestEnd = "DS_RX_END"
    case connectStart = "US_CX_BEG"
    case connectEnd = "US_CX_END"
    case handshakeEnd = "US_HS_END"
    case upstreamRequestStart = "US_TX_BEG"
    case upstreamRequestEnd = "US_TX_END"
    case upstreamFirstByte = "US_RX_BEG"
    case upstreamEnd = "US_RX_END"
    case responseStart = "DS_TX_BEG"
    case responseEnd = "DS_TX_END"

    /// When it was; none where it has not been.
    func instant(of subject: borrowing FormatSubject) -> Instant {
        switch self {
        case .clientConnected: subject.connection.start
        // Of a connection with HTTP the end is not known yet when a request of it is logged.
        case .clientClosed: subject.moment.occasion == .connection ? subject.moment.now : .none
        case .clientHandshakeEnd: subject.connection.handshakeEnd
        case .requestStart: subject.facts.start
        case .requestEnd: subject.facts.requestEnd
        case .connectStart: subject.facts.upstream?.start ?? .none
        case .connectEnd: subject.facts.upstream?.connectedAt ?? .none
        case .handshakeEnd: subject.facts.upstream?.handshakeEnd ?? .none
        case .upstreamRequestStart: subject.facts.upstreamReady
        case .upstreamRequestEnd: subject.facts.upstreamRequestEnd
        case .upstreamFirstByte: subject.facts.upstreamFirstByte
        case .upstreamEnd: subject.facts.upstreamEnd
        case .responseStart: subject.facts.responseStart
        case .responseEnd: subject.facts.responseEnd
        }
    }
}

/// `START:END:UNIT`
struct DurationSpan: Sendable {
    let start: DurationPoint
    let end: DurationPoint
    let nanosecondsPerUnit: UInt64

    /// Reads an argument.
    ///
    /// - Throws: what is wrong with it.
    init(_ text: String) throws(ArgumentProblem) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2 || parts.count == 3 else {
            throw ArgumentProblem("needs two points in time", hint: "for example `DS_RX_BEG:US_TX_BEG:us`")
        }
        start = try Self.point(parts[0])
        end = try Self.point(parts[1])
        switch parts.count == 3 ? parts[2] : "ms" {
        case "ms": nanosecondsPerUnit = 1_000_000
        case "us": nanosecondsPerUnit = 1000
        case "ns": nanosecondsPerUnit = 1
        default: throw ArgumentProblem("has no unit `\(parts[2])`", hint: "there are `ms`, `us` and `ns`")
        }
    }

    private static func point(_ name: String) throws(ArgumentProblem) -> DurationPoint {
        if let point = DurationPoint(rawValue: name) { return point }
        let all = DurationPoint.allCases.map(\.rawValue)
        let near = NearestName.match(for: name, among: all)
        throw ArgumentProblem(
            "has no point `\(name)`",
            hint: near.map { "did you mean `\($0)`?" } ?? "there are \(all.joined(separator: ", "))")
    }

    /// The time between both; nil where one has not been, or they came in the other order.
    func value(of subject: borrowing FormatSubject) -> Int? {
        let start = start.instant(of: subject)
        let end = end.instant(of: subject)
        guard start > .none, end >= start else { return nil }
        return Int(clamping: (end.nanoseconds - start.nanoseconds) / nanosecondsPerUnit)
    }
}

/// What is wrong with an argument of a variable, to be told behind its name.
struct ArgumentProblem: Error {
    let message: String
    let hint: String?

    init(_ message: String, hint: String? = nil) {
        self.message = message
        self.hint = hint
    }
}
