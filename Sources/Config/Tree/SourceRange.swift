/// A stretch of the config file. Lines and columns count from 1; a column is a Unicode scalar, not a byte.
package struct SourceRange: Hashable, Sendable {
    /// The line of the first character.
    package var line: Int
    /// The column of the first character.
    package var column: Int
    /// The line of the last character.
    package var endLine: Int
    /// The column after the last character.
    package var endColumn: Int

    /// A range by its two ends.
    package init(line: Int, column: Int, endLine: Int, endColumn: Int) {
        self.line = line
        self.column = column
        self.endLine = endLine
        self.endColumn = endColumn
    }

    /// `width` characters on one line.
    package init(line: Int, column: Int, width: Int) {
        self.init(line: line, column: column, endLine: line, endColumn: column + width)
    }
}
