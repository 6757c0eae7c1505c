/// Writes one finding for people: message, place, snippet, caret.
struct TextRenderer {
    let file: String
    let source: Source?
    let diagnostic: Diagnostic

    /// The most columns of a line that are shown.
    private static let width = 120

    var lines: [String] {
        var lines = [
            "\(diagnostic.severity.rawValue)[\(diagnostic.code.rawValue)]: \(Printable.text(diagnostic.message))"
        ]
        lines += place
        if !diagnostic.accepted.isEmpty {
            lines.append(
                "\(margin) = accepted here: \(diagnostic.accepted.map(Printable.text).joined(separator: ", "))")
        }
        return lines
    }

    /// The margin is as wide as the largest line number.
    private var margin: String {
        let places = [diagnostic.place].compactMap(\.self) + diagnostic.related.map(\.place)
        let largest = places.map(\.range.line).max() ?? 1
        return String(repeating: " ", count: String(largest).count)
    }

    private var place: [String] {
        guard let place = diagnostic.place else {
            let hint = diagnostic.hint.map { ["\(margin) = \(Printable.text($0))"] } ?? []
            return ["\(margin)--> \(Printable.text(file))"] + hint
        }
        let range = place.range
        let path = Printable.text(shownPath(place))
        let position = "\(margin)--> \(Printable.text(file)):\(range.line):\(range.column)"
        var lines = [path.isEmpty ? position : "\(position)   \(path)"]
        lines += snippet(range, mark: "^", label: diagnostic.hint)
        for related in diagnostic.related {
            lines += snippet(related.place.range, mark: "-", label: related.label)
        }
        return lines
    }

    /// A key that is not known has no path: what is shown is where it stands.
    private func shownPath(_ place: Place) -> String {
        (diagnostic.code == .unknownKey ? place.path.container : place.path).description
    }

    private func snippet(_ range: SourceRange, mark: Character, label: String?) -> [String] {
        guard let source else { return label.map { ["\(margin) = \(Printable.text($0))"] } ?? [] }
        let line = Array(source.line(range.line).unicodeScalars)
        let end = range.endLine == range.line ? range.endColumn : line.count + 1
        let window = TextRenderer.window(line.count, around: range.column - 1)
        let column = max(0, min(range.column - 1 - window.lowerBound, window.count))
        let room = max(1, window.count - column)
        let carets = String(repeating: mark, count: max(1, min(end - range.column, room)))
        let number = String(range.line)
        let padding = String(repeating: " ", count: margin.count - number.count)
        let shown = Printable.text(String(String.UnicodeScalarView(line[window])))
        let pointer = "\(margin) | \(String(repeating: " ", count: column))\(carets)"
        return [
            "\(margin) |", shown.isEmpty ? "\(padding)\(number) |" : "\(padding)\(number) | \(shown)",
            label.map { "\(pointer)  \(Printable.text($0))" } ?? pointer,
        ]
    }

    /// The part of a long line that is shown.
    private static func window(_ count: Int, around column: Int) -> Range<Int> {
        guard count > width else { return 0..<count }
        let start = max(0, min(column - width / 2, count - width))
        return start..<(start + width)
    }
}
