/// Says in plain words what libyaml stumbled over, and points at the cause where libyaml points past it.
struct SyntaxExplainer {
    let problem: YAMLProblem
    let source: Source

    /// The finding, ready to be shown.
    var diagnostic: Diagnostic {
        let finding = tab ?? reference ?? known ?? verbatim
        return Diagnostic(
            severity: .error, code: .syntax, message: finding.message,
            place: Place(range: finding.range, path: .root), hint: finding.hint)
    }

    /// What is wrong, where, and what would be right.
    struct Finding {
        var message: String
        var range: SourceRange
        var hint: String?
    }

    private var verbatim: Finding {
        let context = problem.context.map { " \($0)" } ?? ""
        return Finding(message: "not valid YAML: \(problem.problem)\(context)", range: here())
    }

    private var tab: Finding? {
        guard !isInFlow else { return nil }
        let line = scalars(problem.line)
        let blank = line.prefix { $0 == " " || $0 == "\t" }
        let indentation = blank.firstIndex(of: "\t")
        let column = character(at: problem.column) == "\t" ? problem.column : indentation.map { $0 + 1 }
        guard let column else { return nil }
        return Finding(
            message: "a tab stands where YAML needs spaces",
            range: SourceRange(line: problem.line, column: column, width: 1), hint: "indent with spaces, not with a tab"
        )
    }

    private var reference: Finding? {
        guard character(at: problem.column) == "{", character(at: problem.column - 1) == "$" else { return nil }
        return Finding(
            message: "`${` must be in quotes inside `{ }` and `[ ]`",
            range: SourceRange(line: problem.line, column: problem.column - 1, width: 2),
            hint: "write `\"${NAME}\"`")
    }

    private var known: Finding? {
        switch problem.problem {
        case "mapping values are not allowed in this context": return misplacedColon
        case "could not find expected ':'": return keyWithoutColon
        case "did not find expected key": return misplacedInMapping
        case "did not find expected '-' indicator":
            return Finding(
                message: "a key stands among the elements of a list", range: word(),
                hint: "begin it with `- `, or check the indentation")
        case "did not find expected ',' or ']'": return flow(open: "[", close: "]")
        case "did not find expected ',' or '}'": return flow(open: "{", close: "}")
        case "did not find expected node content": return missingValue
        case "found unexpected end of stream", "found unexpected document indicator":
            return Finding(
                message: "the text in quotes that begins here has no end", range: context(),
                hint: "the closing quote is missing")
        default: return knownStart
        }
    }

    private var knownStart: Finding? {
        switch problem.problem {
        case "found character that cannot start any token":
            let first = character(at: problem.column).map(String.init) ?? ""
            return Finding(
                message: "a value cannot begin with `\(first)`", range: here(), hint: "put the value in quotes")
        case "did not find expected alphabetic or numeric character":
            let first = character(at: problem.contextColumn, line: problem.contextLine).map(String.init) ?? ""
            return Finding(
                message: "text cannot begin with `\(first)`", range: context(),
                hint: "put text that begins with `\(first)` in quotes")
        case "found unknown escape character":
            let letter = character(at: problem.column + 1).map(String.init) ?? ""
            return Finding(
                message: "`\\\(letter)` means nothing in double quotes",
                range: SourceRange(line: problem.line, column: problem.column, width: 2),
                hint: "write `\\\\\(letter)`, or use single quotes")
        case "did not find expected <document start>":
            return missingSpace(line: problem.line)
                ?? Finding(message: "text after the end of the document", range: word())
        case "did not find expected comment or line break":
            return Finding(
                message: "after `|` or `>` the text must begin on the next line", range: context(),
                hint: "put text that begins with `|` or `>` in quotes")
        default: return nil
        }
    }
}

// MARK: Brackets

extension SyntaxExplainer {
    private var isInFlow: Bool { problem.context?.hasPrefix("while parsing a flow") ?? false }

    private func flow(open: String, close: String) -> Finding {
        let openLine = scalars(problem.contextLine)
        let after = openLine.dropFirst(problem.contextColumn).contains { $0 != " " }
        let isLater = problem.line > problem.contextLine
        if character(at: problem.column) == nil || (isLater && after) {
            return Finding(
                message: "this `\(open)` is not closed", range: context(), hint: "a `\(close)` is missing")
        }
        return Finding(
            message: "a `,` or `\(close)` is missing before this", range: here(),
            hint: isLater ? "the `\(open)` is on line \(problem.contextLine)" : nil)
    }

    private var missingValue: Finding {
        let line = scalars(problem.line)
        if character(at: problem.column) == ":", character(at: problem.column - 1) == "[" {
            return Finding(
                message: "an address in brackets must be in quotes",
                range: SourceRange(line: problem.line, column: problem.column - 1, width: 1),
                hint: "write `\"[::1]:80\"`")
        }
        guard problem.column <= line.count else {
            return Finding(message: "a `[` or `{` is not closed at the end of the file", range: here())
        }
        return Finding(message: "a value is missing here", range: here())
    }
}

// MARK: Text of the file

extension SyntaxExplainer {
    func scalars(_ line: Int) -> [Unicode.Scalar] { Array(source.line(line).unicodeScalars) }

    func character(at column: Int, line: Int? = nil) -> Unicode.Scalar? {
        let line = scalars(line ?? problem.line)
        return line.indices.contains(column - 1) ? line[column - 1] : nil
    }

    func here() -> SourceRange { SourceRange(line: problem.line, column: problem.column, width: 1) }

    func context() -> SourceRange {
        SourceRange(line: problem.contextLine, column: problem.contextColumn, width: 1)
    }

    /// The word at the problem, or the first of its line.
    func word(atIndentation: Bool = false) -> SourceRange {
        let line = scalars(problem.line)
        let first = line.firstIndex { $0 != " " } ?? 0
        let start = atIndentation ? first : min(problem.column - 1, line.count)
        let width = line[start...].prefix { $0 != " " && $0 != ":" }.count
        return SourceRange(line: problem.line, column: start + 1, width: max(1, width))
    }
}
