extension Source {
    /// Where a text stands inside a range; the range itself if it is not there, for example because of escapes.
    func range(of fragment: String, within range: SourceRange) -> SourceRange {
        let wanted = Array(fragment.unicodeScalars)
        for number in range.line...max(range.line, range.endLine) {
            let scalars = Array(line(number).unicodeScalars)
            var column = number == range.line ? range.column : 1
            while column - 1 + wanted.count <= scalars.count {
                if scalars[(column - 1)..<(column - 1 + wanted.count)].elementsEqual(wanted) {
                    return SourceRange(line: number, column: column, width: wanted.count)
                }
                column += 1
            }
        }
        return range
    }
}
