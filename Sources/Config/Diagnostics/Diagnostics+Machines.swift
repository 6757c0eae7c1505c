extension Diagnostics {
    /// All findings as an array of objects, one a line.
    var json: String {
        let objects = sorted.map { item in object(item) }
        return objects.isEmpty ? "[]\n" : "[\n\(objects.joined(separator: ",\n"))\n]\n"
    }

    private func object(_ item: Diagnostic) -> String {
        var members = position(item.place?.range).map { ($0.0, String($0.1)) }
        members.append(("path", JSONText.quoted(item.place?.path.description ?? "")))
        members.append(("code", JSONText.quoted(item.code.rawValue)))
        members.append(("message", JSONText.quoted(item.message)))
        members.append(("hint", item.hint.map(JSONText.quoted) ?? "null"))
        members.append(("severity", JSONText.quoted(item.severity.rawValue)))
        if !item.accepted.isEmpty {
            members.append(("accepted", "[\(item.accepted.map(JSONText.quoted).joined(separator: ","))]"))
        }
        if !item.related.isEmpty {
            members.append(("related", "[\(item.related.map(related).joined(separator: ","))]"))
        }
        let text = members.map { "\(JSONText.quoted($0.0)):\($0.1)" }.joined(separator: ",")
        return "  {\"file\":\(JSONText.quoted(file)),\(text)}"
    }

    private func related(_ item: Diagnostic.Related) -> String {
        let numbers = position(item.place.range).map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",")
        return "{\(numbers),\"message\":\(JSONText.quoted(item.label))}"
    }

    /// A finding about the file as a whole stands at its begin.
    ///
    /// The end column is the one after the last character.
    private func position(_ range: SourceRange?) -> [(String, Int)] {
        guard let range else { return [("line", 1), ("column", 1), ("endColumn", 1)] }
        return [("line", range.line), ("column", range.column), ("endColumn", lastColumn(range))]
    }

    private func lastColumn(_ range: SourceRange) -> Int {
        if range.endLine == range.line { return max(range.endColumn, range.column + 1) }
        return source.map { $0.line(range.line).unicodeScalars.count + 1 } ?? range.column + 1
    }

    /// All findings as GitHub's workflow commands.
    var github: String {
        sorted.map { item in
            let range = item.place?.range ?? SourceRange(line: 1, column: 1, width: 1)
            let name = Diagnostics.escaped(file).replacing(":", "%3A").replacing(",", "%2C")
            let message = item.hint.map { "\(item.message): \($0)" } ?? item.message
            return "::\(item.severity.rawValue) file=\(name),line=\(range.line),col=\(range.column)"
                + ",endColumn=\(lastColumn(range)),title=\(item.code.rawValue)::\(Diagnostics.escaped(message))\n"
        }.joined()
    }

    private static func escaped(_ text: String) -> String {
        text.replacing("%", "%25").replacing("\r", "%0D").replacing("\n", "%0A")
    }
}

extension String {
    /// Replaces each occurrence of one ASCII character.
    fileprivate func replacing(_ character: Unicode.Scalar, _ replacement: String) -> String {
        var result = ""
        for scalar in unicodeScalars {
            if scalar == character { result += replacement } else { result.unicodeScalars.append(scalar) }
        }
        return result
    }
}
