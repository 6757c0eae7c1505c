internal import FilterAPI
internal import Glibc

extension TextFormat {
    /// Reads a format.
    package static func parse(_ text: String) throws(FormatProblem) -> TextFormat {
        var parser = FormatParser(text: Array(text.utf8))
        return try parser.parse()
    }
}

/// Reads a format from left to right.
struct FormatParser {
    let text: [UInt8]
    private var index = 0
    private var format = TextFormat()
    private var literalStart = 0

    init(text: [UInt8]) { self.text = text }

    /// One variable as written.
    private struct Call {
        var name: String
        var argument: String?
        var limit: Int
        var offset: Int
    }

    mutating func parse() throws(FormatProblem) -> TextFormat {
        while index < text.count {
            let byte = text[index]
            if byte != UInt8(ascii: "%") {
                format.literals.append(byte)
                index += 1
            } else if index + 1 < text.count, text[index + 1] == UInt8(ascii: "%") {
                format.literals.append(byte)
                index += 2
            } else {
                try add(try call())
            }
        }
        endLiteral()
        return format
    }

    private mutating func endLiteral() {
        guard format.literals.count > literalStart else { return }
        format.pieces.append(.init(kind: .literal, first: literalStart, second: format.literals.count))
        literalStart = format.literals.count
    }

    // MARK: The form

    /// `%NAME(argument):limit%`
    private mutating func call() throws(FormatProblem) -> Call {
        var call = Call(name: "", argument: nil, limit: .max, offset: index)
        index += 1
        let start = index
        while index < text.count, Self.isNameByte(text[index]) { index += 1 }
        call.name = String(decoding: text[start..<index], as: UTF8.self)
        if take("(") {
            let start = index
            while index < text.count, text[index] != UInt8(ascii: ")") { index += 1 }
            call.argument = String(decoding: text[start..<index], as: UTF8.self)
            guard take(")") else { throw problem("`%\(call.name)(` has no `)`", at: call.offset) }
        }
        if take(":") { call.limit = try limit(call) }
        guard take("%"), !call.name.isEmpty else {
            throw problem(
                call.name.isEmpty ? "a `%` begins a variable" : "`%\(call.name)` is not closed by a `%`",
                at: call.offset, hint: "write `%%` for a percent sign")
        }
        return call
    }

    private mutating func limit(_ call: Call) throws(FormatProblem) -> Int {
        let start = index
        while index < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[index]) { index += 1 }
        guard let limit = Int(String(decoding: text[start..<index], as: UTF8.self)), limit > 0 else {
            throw problem("the length behind `:` in `%\(call.name)%` is not a positive number", at: start)
        }
        return limit
    }

    private mutating func take(_ byte: Unicode.Scalar) -> Bool {
        guard index < text.count, text[index] == UInt8(ascii: byte) else { return false }
        index += 1
        return true
    }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private func problem(_ message: String, at offset: Int, hint: String? = nil) -> FormatProblem {
        FormatProblem(message: message, hint: hint, offset: offset)
    }

    /// What is wrong with a variable that has been read to its end.
    private func problem(_ message: String, of call: Call, hint: String? = nil) -> FormatProblem {
        FormatProblem(message: message, hint: hint, offset: call.offset, length: index - call.offset)
    }

    // MARK: The meaning

    private mutating func add(_ call: Call) throws(FormatProblem) {
        switch call.name {
        case "REQ", "REQUEST_HEADER": try addFields(.request, call)
        case "RESP", "RESPONSE_HEADER": try addFields(.response, call)
        case "TRAILER", "RESPONSE_TRAILER": try addFields(.trailer, call)
        case "START_TIME": try addTime(.start(isLocal: false), call)
        case "START_TIME_LOCAL": try addTime(.start(isLocal: true), call)
        case "EMIT_TIME": try addTime(.emission(isLocal: false), call)
        case "EMIT_TIME_LOCAL": try addTime(.emission(isLocal: true), call)
        case "DOWNSTREAM_PEER_CERT_V_START": try addTime(.clientValidFrom, call)
        case "DOWNSTREAM_PEER_CERT_V_END": try addTime(.clientValidUntil, call)
        case "UPSTREAM_PEER_CERT_V_START": try addTime(.upstreamValidFrom, call)
        case "UPSTREAM_PEER_CERT_V_END": try addTime(.upstreamValidUntil, call)
        case "COMMON_DURATION": try addSpan(call)
        case "FILTER_TIME": try addFilterTime(call)
        case "PATH": try addPath(call) { argument throws(ArgumentProblem) in try RequestPath(argument) }
        case "QUERY_PARAMS":
            try addPath(call) { argument throws(ArgumentProblem) in try RequestPath(queryFrom: argument) }
        case "QUERY_PARAM": try addParameter(call)
        case "GRPC_STATUS": try addGRPCStatus(call)
        case "HOSTNAME": addText(HostName.text, call)
        case "ENVIRONMENT": addText(Self.environment(call.argument ?? ""), call)
        default: try addVariable(call)
        }
    }

    private mutating func append(_ piece: TextFormat.Piece) {
        endLiteral()
        format.pieces.append(piece)
    }

    private mutating func addVariable(_ call: Call) throws(FormatProblem) {
        guard let variable = FormatVariable(rawValue: call.name) else { throw unknown(call) }
        guard call.argument == nil else { throw problem("`%\(call.name)%` takes no argument", of: call) }
        append(.init(kind: variable.isCounted ? .number(variable) : .variable(variable), limit: call.limit))
    }

    private func unknown(_ call: Call) -> FormatProblem {
        if let hint = ForeignVariable.hint(for: call.name) {
            return problem(
                "`%\(call.name)%` is a variable of Envoy that Sluice does not have", of: call, hint: hint)
        }
        return problem(
            "unknown variable `%\(call.name)%`", of: call,
            hint: NearestName.match(for: call.name, among: FormatVariable.names).map { "did you mean `%\($0)%`?" })
    }

    private mutating func addSpan(_ call: Call) throws(FormatProblem) {
        do throws(ArgumentProblem) {
            format.spans.append(try DurationSpan(call.argument ?? ""))
        } catch { throw problem(error, of: call) }
        append(.init(kind: .span, limit: call.limit, first: format.spans.count - 1))
    }

    private mutating func addFilterTime(_ call: Call) throws(FormatProblem) {
        do throws(ArgumentProblem) {
            format.filterTimes.append(try FilterTimeVariable(call.argument))
        } catch { throw problem(error, of: call) }
        append(.init(kind: .filterTime, limit: call.limit, first: format.filterTimes.count - 1))
    }

    private mutating func addPath(
        _ call: Call, _ read: (String?) throws(ArgumentProblem) -> RequestPath
    ) throws(FormatProblem) {
        let path: RequestPath
        do throws(ArgumentProblem) { path = try read(call.argument) } catch { throw problem(error, of: call) }
        append(.init(kind: .path(path), limit: call.limit))
    }

    private mutating func addParameter(_ call: Call) throws(FormatProblem) {
        guard let name = call.argument, !name.isEmpty else {
            throw problem("`%QUERY_PARAM%` needs a parameter's name", of: call, hint: "write `%QUERY_PARAM(name)%`")
        }
        endLiteral()
        let start = format.literals.count
        format.literals += Array(name.utf8)
        literalStart = format.literals.count
        format.pieces.append(
            .init(kind: .parameter, limit: call.limit, first: start, second: format.literals.count))
    }

    private mutating func addGRPCStatus(_ call: Call) throws(FormatProblem) {
        guard let style = GRPCStatusStyle(rawValue: call.argument ?? "CAMEL_STRING") else {
            throw problem(
                ArgumentProblem(
                    "does not know `\(call.argument ?? "")`",
                    hint: "there are `CAMEL_STRING`, `SNAKE_STRING` and `NUMBER`"),
                of: call)
        }
        append(.init(kind: .grpcStatus(style), limit: call.limit))
    }

    private func problem(_ problem: ArgumentProblem, of call: Call) -> FormatProblem {
        self.problem("`%\(call.name)(…)%` \(problem.message)", of: call, hint: problem.hint)
    }

    /// `X?Y` is Y where there is no X.
    private mutating func addFields(_ kind: TextFormat.Kind, _ call: Call) throws(FormatProblem) {
        let names = (call.argument ?? "").split(separator: "?", omittingEmptySubsequences: false)
        guard names.count <= 2, names.allSatisfy({ !$0.isEmpty }) else {
            throw problem(
                "`%\(call.name)%` needs the name of a header field", of: call,
                hint: "write `%\(call.name)(name)%` or `%\(call.name)(name?other)%`")
        }
        var piece = TextFormat.Piece(kind: kind, limit: call.limit)
        piece.first = try field(String(names[0]), kind, call)
        if names.count == 2 { piece.second = try field(String(names[1]), kind, call) }
        append(piece)
    }

    private mutating func field(_ name: String, _ kind: TextFormat.Kind, _ call: Call) throws(FormatProblem) -> Int {
        let field: FormatField?
        switch (name.uppercased(), kind) {
        case (":METHOD", .request): field = .method
        case (":PATH", .request): field = .path
        case (":AUTHORITY", .request): field = .authority
        case (":SCHEME", .request): field = .scheme
        case (":STATUS", .response): field = .status
        default: field = HeaderName(name).map { .header($0) }
        }
        guard let field else {
            throw problem(
                "`\(name)` in `%\(call.name)(…)%` cannot be the name of a header field", of: call,
                hint: name.hasPrefix(":") ? Self.pseudoHint(kind) : nil)
        }
        format.fields.append(field)
        return format.fields.count - 1
    }

    private static func pseudoHint(_ kind: TextFormat.Kind) -> String? {
        switch kind {
        case .request: "there are `:METHOD`, `:PATH`, `:AUTHORITY` and `:SCHEME`"
        case .response: "there is `:STATUS`"
        default: nil
        }
    }

    private mutating func addTime(_ source: TextFormat.TimeSource, _ call: Call) throws(FormatProblem) {
        let isLocal = source == .start(isLocal: true) || source == .emission(isLocal: true)
        let usual = isLocal ? TimePattern.standardLocal : TimePattern.standard
        do throws(ArgumentProblem) {
            format.times.append(try TimePattern(call.argument ?? usual))
        } catch { throw problem(error.message, of: call, hint: error.hint) }
        append(.init(kind: .time(source), limit: call.limit, first: format.times.count - 1))
    }

    /// Text that is known already is as good as written in the format.
    private mutating func addText(_ text: String, _ call: Call) {
        format.literals += text.isEmpty ? Array("-".utf8) : Array(text.utf8.prefix(call.limit))
    }

    private static func environment(_ name: String) -> String {
        // SAFETY: getenv's text is copied at once; nothing in this process changes the environment.
        guard let value = unsafe getenv(name) else { return "" }
        return unsafe String(cString: value)
    }
}

/// The name of this machine.
enum HostName {
    static let text: String = {
        var buffer: [CChar] = Array(repeating: 0, count: 256)
        // SAFETY: the size is the buffer's, less one byte that stays 0.
        guard unsafe gethostname(&buffer, buffer.count - 1) == 0 else { return "" }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }()
}
