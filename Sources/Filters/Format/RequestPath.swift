internal import FilterAPI

/// The part of a request's target that `%PATH(QUERY:WHICH)%` and `%QUERY_PARAMS(WHICH)%` write.
struct RequestPath: Sendable, Equatable {
    /// Which part of it.
    enum Part: Sendable {
        /// With the query: `WQ`.
        case target
        /// Without it: `NQ`.
        case path
        case query
    }

    /// Where it stands.
    enum Source: String, Sendable, CaseIterable {
        /// As a rewriter has kept it.
        case original = "ORIG"
        case present = "PATH"
        case originalOrPresent = "ORIG_OR_PATH"
    }

    var part = Part.target
    var source = Source.originalOrPresent

    /// Reads `WQ:ORIG` and its like; each may be missing.
    init(_ argument: String?) throws(ArgumentProblem) {
        let words = (argument ?? "").split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard words.count <= 2 else { throw Self.problem(argument ?? "") }
        switch words.first ?? "" {
        case "", "WQ": part = .target
        case "NQ": part = .path
        default: throw Self.problem(argument ?? "")
        }
        guard words.count == 2 else { return }
        guard let source = Source(rawValue: words[1]) else { throw Self.problem(argument ?? "") }
        self.source = source
    }

    /// Reads the argument of `QUERY_PARAMS`.
    init(queryFrom argument: String?) throws(ArgumentProblem) {
        part = .query
        guard let argument else { return }
        guard let source = Source(rawValue: argument) else {
            throw ArgumentProblem("does not know `\(argument)`", hint: "there are `ORIG`, `PATH` and `ORIG_OR_PATH`")
        }
        self.source = source
    }

    private static func problem(_ argument: String) -> ArgumentProblem {
        ArgumentProblem(
            "does not know `\(argument)`",
            hint: "write `WQ` or `NQ` (with or without the query), and behind a colon `ORIG`, `PATH` or `ORIG_OR_PATH`")
    }

    /// Appends it; nothing where there is none.
    func append(_ request: borrowing RequestHead, _ text: inout ByteText) {
        if source != .present {
            let index = request.headers.index(of: .xEnvoyOriginalPath)
            if index >= 0 { return append(part(of: request.headers.value(at: index)), &text) }
        }
        if source != .original { append(part(of: request.target), &text) }
    }

    private func append(_ part: RawSpan, _ text: inout ByteText) { text.append(part) }

    @_lifetime(copy target)
    private func part(of target: RawSpan) -> RawSpan {
        if part == .target { return target }
        let mark = target.firstIndex(of: UInt8(ascii: "?"))
        let end = mark < 0 ? target.byteCount : mark
        return part == .path
            ? target.extracting(0..<end) : target.extracting(min(end + 1, target.byteCount)..<target.byteCount)
    }

    /// Appends the value of the first parameter with a name, as it was sent: it may hold escapes, but no line end.
    static func append(parameter name: RawSpan, of query: RawSpan, _ text: inout ByteText) {
        if let value = QueryText.firstValue(in: query, where: { ASCII.equal($0, name) }) {
            text.append(query.extracting(value))
        }
    }
}
