internal import Config
internal import FilterAPI
internal import Filters

/// Reads the logs of a listener, or those at the top of the file.
struct AccessLogReader {
    let diagnostics: Diagnostics
    /// To look for slips of the pen; nil while plugins have not been loaded.
    var reasons: ReasonNames?
    /// The logs at the top of the file cannot be told, so nothing is said of what is missing there.
    var usualIsBroken = false

    /// Reads logs whose settings have been decoded.
    ///
    /// - Parameters:
    ///   - settings: one for each, in the order of the file.
    ///   - node: what the key `access_log` has; nil where it is not there.
    ///   - usual: what listeners without a log of their own have.
    func plans(
        _ settings: [AccessLogSettings], _ node: Node?, usual: [AccessLogPlan] = []
    ) -> [AccessLogPlan] {
        guard let node, !node.isNull else { return usual }
        let nodes = node.elements ?? [node]
        for node in nodes where node["when"] != nil { reasons?.check(node["when"], diagnostics) }
        return zip(settings, nodes).compactMap { plan($0, $1, usual) }
    }

    /// Reports what is wrong with the formats of logs whose settings cannot be decoded, so that all is told in one run.
    func checkFormats(_ node: Node?) {
        for entry in node.map({ $0.elements ?? [$0] }) ?? [] where entry.mapping != nil { _ = format(of: entry) }
    }

    /// Whether a listener takes something from the logs at the top of the file.
    static func takesUsual(_ node: Node?) -> Bool {
        guard let node, !node.isNull else { return true }
        return (node.elements ?? [node]).contains { $0.mapping != nil && $0["to"] == nil }
    }

    private func plan(_ settings: AccessLogSettings, _ node: Node, _ usual: [AccessLogPlan]) -> AccessLogPlan? {
        let own = format(of: node)
        let place = node["to"]?.place ?? node.headPlace
        if let to = settings.to {
            guard to != "off", let own else { return nil }
            return AccessLogPlan(to: to, format: own, when: settings.when, place: place)
        }
        // With one log at the top of the file it is clear which one is meant: what is not said is as there.
        guard usual.count == 1, let log = usual.first else {
            if usualIsBroken { return nil }
            diagnostics.error(
                .missingKey, "the key `to` is missing", at: node.headPlace,
                hint: "where the log goes: `stdout`, `off`, or a path")
            return nil
        }
        let format = node["format"] == nil ? log.format : own
        return format.map { AccessLogPlan(to: log.to, format: $0, when: settings.when ?? log.when, place: log.place) }
    }

    // MARK: Formats

    private func format(of entry: Node) -> AccessLogFormat? {
        let omitsEmpty = entry["omit_empty"]?.text == "true"
        let node = entry["format"]
        let format = node == nil || node?.isNull ?? true ? read("text", entry) : node.flatMap { read($0) }
        if let format, format.isConstant, let node {
            diagnostics.error(
                .refusedValue, "there is no variable in this format: all lines would be the same", at: node.place,
                hint: node.text.flatMap { nearest($0.lowercased(), ["text", "json"]) }.map { "did you mean `\($0)`?" }
                    ?? "variables stand between percent signs: `%REQ(:PATH)%`")
            return nil
        }
        guard omitsEmpty, let format else { return format }
        guard case .json(var object) = format else {
            diagnostics.error(
                .refusedValue, "only JSON has members that can be left out",
                at: (entry["omit_empty"] ?? entry).headPlace, hint: "write `format: json`, or a mapping")
            return nil
        }
        object.omitsEmpty = true
        return .json(object)
    }

    private func read(_ node: Node) -> AccessLogFormat? {
        switch node.kind {
        case .scalar: return node.text.flatMap { read($0, node) }
        case .mapping(let mapping) where !mapping.entries.isEmpty:
            var object = JSONFormat()
            return addMembers(mapping, to: &object) ? .json(object) : nil
        default:
            let found = node.mapping == nil ? node.summary : "an empty mapping"
            diagnostics.error(
                .wrongType, "expected `text`, `json`, a line with variables or a mapping, found \(found)",
                at: node.place,
                hint: "for example `format: { path: \"%REQ(:PATH)%\", status: \"%RESPONSE_CODE%\" }`")
            return nil
        }
    }

    private func read(_ text: String, _ node: Node) -> AccessLogFormat? {
        do throws(FormatProblem) { return try AccessLogFormat(text) } catch {
            report(error, text, node)
            return nil
        }
    }

    /// - Returns: whether all of them are good.
    private func addMembers(_ mapping: Mapping, to object: inout JSONFormat) -> Bool {
        var isGood = true
        for entry in mapping.entries where !add(entry.value, name: entry.key, to: &object) { isGood = false }
        return isGood
    }

    private func add(_ node: Node, name: String?, to object: inout JSONFormat) -> Bool {
        switch node.kind {
        case .null: object.append(name: name, word: "null")
        case .scalar(let scalar):
            guard let text = node.text else { return false }
            if scalar.mayBeTyped, Self.isWord(text) {
                object.append(name: name, word: text)
                break
            }
            do throws(FormatProblem) { object.append(name: name, try TextFormat.parse(text)) } catch {
                report(error, text, node)
                return false
            }
        case .sequence(let elements):
            object.open(name: name, isList: true)
            var isGood = true
            for element in elements where !add(element, name: nil, to: &object) { isGood = false }
            object.close(isList: true)
            return isGood
        case .mapping(let mapping):
            object.open(name: name, isList: false)
            defer { object.close(isList: false) }
            return addMembers(mapping, to: &object)
        }
        return true
    }

    /// Whether a text is a number or a truth value, as JSON writes it (RFC 8259 section 6).
    private static func isWord(_ text: String) -> Bool {
        if text == "true" || text == "false" { return true }
        let digits = text.hasPrefix("-") ? text.dropFirst() : text[...]
        let parts = digits.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let isPlain = parts.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        return isPlain && !parts.isEmpty && (parts[0] == "0" || !parts[0].hasPrefix("0"))
    }

    /// Reports a problem at the variable that has it, where the file has the text as it is read; else at the text.
    private func report(_ problem: FormatProblem, _ text: String, _ node: Node) {
        let place = Self.place(of: problem, text, node)
        diagnostics.error(
            .refusedValue, place == nil ? "\(problem.message), at byte \(problem.offset)" : problem.message,
            at: place ?? node.place, hint: problem.hint)
    }

    private static func place(of problem: FormatProblem, _ text: String, _ node: Node) -> Place? {
        guard let scalar = node.scalar, scalar.reference == nil, node.range.line == node.range.endLine else {
            return nil
        }
        let quotes = scalar.style == .quoted ? 1 : 0
        let width = node.range.endColumn - node.range.column
        // Escapes make what is written longer than what is read.
        guard scalar.style != .block, width == text.unicodeScalars.count + 2 * quotes else { return nil }
        let bytes = text.utf8
        let start = bytes.index(bytes.startIndex, offsetBy: min(problem.offset, bytes.count))
        let end = bytes.index(start, offsetBy: min(problem.length, bytes.distance(from: start, to: bytes.endIndex)))
        let before = text.unicodeScalars[..<start].count
        let range = SourceRange(
            line: node.range.line, column: node.range.column + quotes + before,
            width: max(1, text.unicodeScalars[start..<end].count))
        return Place(range: range, path: node.trail)
    }
}
