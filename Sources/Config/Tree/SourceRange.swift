/// A stretch of the config file.
///
/// Lines and columns count from 1; a column is a Unicode scalar, not a byte.
package struct SourceRange: Hashable, Sendable {
    // There are two in each node of a large file; 32 bits are enough for any file within the size limit.
    private let storedLine: Int32
    private let storedColumn: Int32
    private let storedEndLine: Int32
    private let storedEndColumn: Int32

    /// The line of the first character.
    package var line: Int { Int(storedLine) }
    /// The column of the first character.
    package var column: Int { Int(storedColumn) }
    /// The line of the last character.
    package var endLine: Int { Int(storedEndLine) }
    /// The column after the last character.
    package var endColumn: Int { Int(storedEndColumn) }

    /// A range by its two ends.
    package init(line: Int, column: Int, endLine: Int, endColumn: Int) {
        storedLine = Int32(clamping: line)
        storedColumn = Int32(clamping: column)
        storedEndLine = Int32(clamping: endLine)
        storedEndColumn = Int32(clamping: endColumn)
    }

    /// `width` characters on one line.
    package init(line: Int, column: Int, width: Int) {
        self.init(line: line, column: column, endLine: line, endColumn: column + width)
    }
}
