/// Where something stands: in the file, and in the tree.
package struct Place: Sendable {
    /// Where in the file.
    package var range: SourceRange
    /// Where in the tree.
    package var path: NodePath

    /// A place by its parts.
    package init(range: SourceRange, path: NodePath) {
        self.range = range
        self.path = path
    }
}
