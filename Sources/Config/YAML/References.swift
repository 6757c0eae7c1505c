/// Resolves what a scalar takes from elsewhere: `${NAME}`, `${NAME:-default}`, `!file path`.
struct References {
    /// The most bytes that the file of one value may have.
    static let fileLimit = 1 << 20

    let environment: Environment
    /// The config file's folder with a slash at its end, or empty.
    let directory: String

    /// Makes a scalar's node kind; reports what cannot be resolved.
    func scalar(
        _ raw: String, _ style: Scalar.Style, _ event: YAMLEvent, trail: NodePath, in composer: Composer
    ) -> Node.Kind {
        var scalar = Scalar(text: raw, style: style, tag: event.tag)
        let isFile = event.tag == "!file"
        applyTag(to: &scalar, event, trail, composer)
        if style == .plain, scalar.style == .plain, !isFile, isNull(raw) { return .null }
        if raw.utf8.contains(UInt8(ascii: "$")) {
            substitute(in: &scalar, event, trail, composer)
        }
        if isFile, !scalar.isBroken {
            readFile(into: &scalar, raw, event, trail, composer)
        }
        if scalar.isSecret, let reference = scalar.reference {
            composer.diagnostics.hide(scalar.text, behind: reference)
        }
        return .scalar(scalar)
    }

    private func isNull(_ text: String) -> Bool {
        switch text {
        case "", "~", "null", "Null", "NULL": return true
        default: return false
        }
    }

    private func applyTag(to scalar: inout Scalar, _ event: YAMLEvent, _ trail: NodePath, _ composer: Composer) {
        switch event.tag {
        case nil, "!file"?:
            break
        case "!"?, "tag:yaml.org,2002:str"?:
            scalar.style = .quoted
        case "tag:yaml.org,2002:int"?, "tag:yaml.org,2002:float"?, "tag:yaml.org,2002:bool"?, "tag:yaml.org,2002:null"?:
            break
        case let tag?:
            composer.reportTag(tag, event, trail)
            scalar.isBroken = true
        }
    }

    private func substitute(in scalar: inout Scalar, _ event: YAMLEvent, _ trail: NodePath, _ composer: Composer) {
        let raw = scalar.text
        let expansion = EnvironmentExpansion(raw, environment)
        scalar.text = expansion.text
        scalar.isSecret = expansion.usesEnvironment
        if expansion.hasReference { scalar.reference = raw }
        for problem in expansion.problems {
            let range = composer.source.range(of: problem.fragment, within: event.range)
            composer.diagnostics.error(
                .badEnvironmentReference, problem.message, at: Place(range: range, path: trail), hint: problem.hint)
            scalar.isBroken = true
        }
    }

    private func readFile(
        into scalar: inout Scalar, _ raw: String, _ event: YAMLEvent, _ trail: NodePath, _ composer: Composer
    ) {
        let path = scalar.text.hasPrefix("/") ? scalar.text : directory + scalar.text
        scalar.reference = "!file \(raw)"
        scalar.isSecret = true
        do throws(FileReading.Failure) {
            let bytes = try FileReading.read(path, limit: References.fileLimit, onlyRegular: true)
            guard let text = String(validating: bytes, as: UTF8.self) else { throw .system("is not UTF-8 text") }
            scalar.text = References.withoutLineEnd(text)
        } catch {
            scalar.isBroken = true
            let place = Place(range: event.range, path: trail)
            composer.diagnostics.error(
                .badFileReference, "the file `\(raw)` cannot be read: \(reason(error))", at: place,
                hint: raw.hasPrefix("/") || directory.isEmpty ? nil : "relative to the folder of the config file")
        }
    }

    private func reason(_ failure: FileReading.Failure) -> String {
        switch failure {
        case .system(let reason): return reason
        case .notAFile: return "it is not a regular file"
        case .tooLarge(let limit): return "it has more than \(limit >> 10) KiB"
        }
    }

    private static func withoutLineEnd(_ text: String) -> String {
        guard let last = text.last, last.isNewline else { return text }
        return String(text.dropLast())
    }
}
