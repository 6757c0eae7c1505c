/// A config file as a tree.
///
/// Immutable.
package struct Document: Sendable {
    /// The most bytes that a config file may have.
    package static let sizeLimit = 16 << 20

    /// The root of the tree: never null.
    package let root: Node
    /// The file's text.
    package let source: Source

    /// Reads a file.
    ///
    /// - Parameters:
    ///   - path: the file as the operator named it; `!file` paths inside are relative to its folder.
    ///   - diagnostics: takes what is wrong. Errors may be reported although a document is returned: then go on with
    ///     it to find more of them, and do not use it.
    ///   - environment: where `${NAME}` is looked up.
    /// - Returns: nil if the file cannot be read or is not YAML; that has been reported.
    package static func read(
        _ path: String, into diagnostics: Diagnostics, environment: Environment = .process
    ) -> Document? {
        do throws(FileReading.Failure) {
            let bytes = try FileReading.read(path, limit: sizeLimit, onlyRegular: false)
            return parse(bytes, name: path, into: diagnostics, environment: environment)
        } catch {
            report(error, into: diagnostics)
            return nil
        }
    }

    /// Reads a file that is in memory already; the parameters are those of ``read(_:into:environment:)``.
    package static func parse(
        _ bytes: [UInt8], name: String, into diagnostics: Diagnostics, environment: Environment = .process
    ) -> Document? {
        guard bytes.count <= sizeLimit else {
            report(.tooLarge(limit: sizeLimit), into: diagnostics)
            return nil
        }
        let hasMark = bytes.starts(with: [0xEF, 0xBB, 0xBF])
        let source = Source(name: name, bytes: hasMark ? Array(bytes.dropFirst(3)) : bytes)
        diagnostics.source = source
        if let problem = TextCheck.firstProblem(in: source.bytes) {
            report(problem, source, into: diagnostics)
            return nil
        }
        let references = References(environment: environment, directory: directory(of: name))
        var composer = Composer(source: source, diagnostics: diagnostics, references: references)
        do throws(Composer.Stop) {
            return Document(root: try composer.document(), source: source)
        } catch {
            return nil
        }
    }

    private static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "" }
        return String(path[...slash])
    }

    private static func report(_ failure: FileReading.Failure, into diagnostics: Diagnostics) {
        switch failure {
        case .system(let reason):
            diagnostics.error(.unreadableFile, "the config file cannot be read: \(reason)", at: nil)
        case .notAFile:
            diagnostics.error(.unreadableFile, "the config file cannot be read: it is not a file", at: nil)
        case .tooLarge(let limit):
            diagnostics.error(.tooLarge, "the config file has more than \(limit >> 20) MiB", at: nil)
        }
    }

    private static func report(_ problem: TextCheck.Problem, _ source: Source, into diagnostics: Diagnostics) {
        let position = source.position(ofByte: problem.offset)
        let range = SourceRange(line: position.line, column: position.column, width: 1)
        diagnostics.error(
            .notText, problem.message, at: Place(range: range, path: .root), hint: problem.hint)
    }
}
