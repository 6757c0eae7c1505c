extension SyntaxExplainer {
    var misplacedColon: Finding? {
        let line = scalars(problem.line)
        let before = line.prefix(problem.column - 1)
        if let second = firstColonWithSpace(in: before) {
            return Finding(
                message: "two `: ` stand on one line", range: here(),
                hint: second < problem.column ? "put the value in quotes if it contains `: `" : nil)
        }
        if let finding = missingSpace(line: previousLine(before: problem.line)) { return finding }
        return Finding(
            message: "a key cannot stand here", range: word(atIndentation: true),
            hint: "the line above has a value already; check the indentation of both")
    }

    var keyWithoutColon: Finding? {
        if let finding = missingSpace(line: problem.contextLine) { return finding }
        let line = scalars(problem.contextLine)
        let end = line.lastIndex { $0 != " " } ?? line.startIndex
        let width = max(1, end - problem.contextColumn + 2)
        return Finding(
            message: "there is no `:` after this key",
            range: SourceRange(line: problem.contextLine, column: problem.contextColumn, width: width))
    }

    var misplacedInMapping: Finding? {
        if let finding = quote { return finding }
        switch character(at: problem.column) {
        case "]", "}":
            return Finding(message: "this bracket closes nothing", range: here(), hint: "remove it")
        case "-":
            return Finding(
                message: "an element of a list stands among keys", range: here(), hint: "check the indentation")
        default:
            return Finding(
                message: "the indentation of this line fits no line above", range: word(),
                hint: "begin it in the column of the key that it belongs beside")
        }
    }

    /// A quote that was closed by the opening quote of a later value, or text after a closing quote.
    private var quote: Finding? {
        let before = scalars(problem.line).prefix(problem.column - 1)
        guard let last = before.last(where: { $0 != " " }), last == "\"" || last == "'" else { return nil }
        guard before.count(where: { $0 == last }) % 2 == 1 else {
            return Finding(
                message: "text stands after the closing quote", range: word(),
                hint: "put the whole value inside the quotes")
        }
        for line in stride(from: problem.line - 1, through: 1, by: -1) {
            let quotes = scalars(line).indices.filter { scalars(line)[$0] == last }
            guard quotes.count % 2 == 1, let index = quotes.last else { continue }
            return Finding(
                message: "the text in quotes that begins here does not end on its line",
                range: SourceRange(line: line, column: index + 1, width: 1), hint: "the closing quote is missing")
        }
        return nil
    }

    /// `key:value` on that line.
    func missingSpace(line number: Int) -> Finding? {
        let line = scalars(number)
        guard let colon = line.firstIndex(of: ":"), colon + 1 < line.count, line[colon + 1] != " " else { return nil }
        let key = line[..<colon].drop { $0 == " " || $0 == "-" || $0 == "\"" || $0 == "'" }
        let isURL = line[(colon + 1)...].starts(with: "//".unicodeScalars)
        guard !key.isEmpty, !isURL, key.allSatisfy({ $0.properties.isAlphabetic || $0.value < 0x40 || $0 == "_" })
        else { return nil }
        let name = String(String.UnicodeScalarView(key)).filter { $0 != "\"" && $0 != "'" }
        return Finding(
            message: "a space is missing after the `:`",
            range: SourceRange(line: number, column: colon + 1, width: 1), hint: "write `\(name): ...`")
    }

    private func firstColonWithSpace(in line: ArraySlice<Unicode.Scalar>) -> Int? {
        line.indices.first { line[$0] == ":" && ($0 + 1 == line.endIndex || line[$0 + 1] == " ") }
    }

    private func previousLine(before number: Int) -> Int {
        var number = number - 1
        while number > 1, (scalars(number).first { $0 != " " } ?? "#") == "#" { number -= 1 }
        return number
    }
}
