internal import FilterAPI

/// An object of JSON whose values are formats: a line of an access log for programs.
///
/// A value that is one variable keeps its type, and is `null` where there is none; any other is text. Parsed once, when the
/// config is read; rendering makes no allocation beyond the text that it fills.
package struct JSONFormat: Sendable {
    /// One part of the object.
    enum Part: Sendable {
        /// Text that is the same in each line: bounds in ``text``.
        case literal(Int, Int)
        /// A member's name, or nothing for an element: bounds in ``text``; then a value: bounds in the format's pieces.
        case value(name: (Int, Int), pieces: (Int, Int), FormatType, isWhole: Bool)
        /// The beginning of a member or an element that is an object or a list.
        case open(name: (Int, Int), UInt8)
        case close(UInt8)
    }

    var parts: [Part] = []
    var text: [UInt8] = []
    /// All values, one behind the other.
    var values = TextFormat()
    /// Whether members without a value are left out.
    package var omitsEmpty = false

    /// Whether the object is the same for every request.
    package var isConstant: Bool { values.isConstant }
    /// Whether rendering needs the time of day.
    package var needsWallClock: Bool { values.needsWallClock }
    /// Whether rendering asks for the endpoints of earlier tries.
    package var needsTries: Bool { values.needsTries }

    /// An object without members, to be filled by ``append(name:_:)`` and its like.
    package init() {}

    /// Adds a member, or an element where the name is nil.
    package mutating func append(name: String?, _ format: TextFormat) {
        let first = values.pieces.count
        values.append(contentsOf: format)
        parts.append(
            .value(
                name: store(name), pieces: (first, values.pieces.count), format.type,
                isWhole: format.pieces.count == 1 && format.pieces[0].kind != .literal))
    }

    /// Adds a member or an element that is the same in each line: a number, `true`, `false` or `null`.
    package mutating func append(name: String?, word: String) {
        let (start, end) = store(name)
        text.removeSubrange(end..<text.count)
        text += Array(word.utf8)
        parts.append(.literal(start, text.count))
    }

    /// Begins a member or an element that is an object, or a list.
    package mutating func open(name: String?, isList: Bool) {
        parts.append(.open(name: store(name), UInt8(ascii: isList ? "[" : "{")))
    }

    /// Ends what was begun last.
    package mutating func close(isList: Bool) { parts.append(.close(UInt8(ascii: isList ? "]" : "}"))) }

    /// Keeps `"name":`.
    private mutating func store(_ name: String?) -> (Int, Int) {
        let start = text.count
        if let name {
            var quoted = ByteText()
            quoted.append("\"")
            // SAFETY: the string outlives the span.
            quoted.append(escapedForJSON: unsafe name.utf8Span.span.bytes)
            quoted.append("\":")
            text += quoted.copy()
        }
        return (start, text.count)
    }

    /// Appends the object.
    package func render(into output: inout ByteText, _ subject: borrowing FormatSubject) {
        output.append(UInt8(ascii: "{"))
        // Whether a comma is due; nesting needs no memory, as an object that ends is itself something to part from.
        var isFirst = true
        for part in parts {
            switch part {
            case .literal(let start, let end):
                begin(&isFirst, (start, end), &output)
            case .value(let name, let pieces, let type, let isWhole):
                append(name, pieces.0..<pieces.1, type, isWhole, &isFirst, &output, subject)
            case .open(let name, let bracket):
                begin(&isFirst, name, &output)
                output.append(bracket)
                isFirst = true
            case .close(let bracket):
                output.append(bracket)
                isFirst = false
            }
        }
        output.append(UInt8(ascii: "}"))
    }

    @inline(__always)
    private func begin(_ isFirst: inout Bool, _ name: (Int, Int), _ output: inout ByteText) {
        if !isFirst { output.append(UInt8(ascii: ",")) }
        isFirst = false
        // SAFETY: bytes have no padding.
        unsafe output.append(text.span.extracting(name.0..<name.1).bytes)
    }

    private func append(
        _ name: (Int, Int), _ pieces: Range<Int>, _ type: FormatType, _ isWhole: Bool, _ isFirst: inout Bool,
        _ output: inout ByteText, _ subject: borrowing FormatSubject
    ) {
        let before = output.count
        let wasFirst = isFirst
        begin(&isFirst, name, &output)
        if type == .text { output.append(UInt8(ascii: "\"")) }
        let start = output.count
        values.render(pieces, into: &output, subject, unset: isWhole ? "" : "-")
        if isWhole, output.count == start {
            if omitsEmpty {
                output.truncate(to: before)
                isFirst = wasFirst
                return
            }
            output.truncate(to: type == .text ? start - 1 : start)
            return output.append("null")
        }
        guard type == .text else { return }
        output.escapeForJSON(from: start)
        output.append(UInt8(ascii: "\""))
    }
}

extension TextFormat {
    /// Adds the pieces of another format behind those of this one.
    fileprivate mutating func append(contentsOf other: TextFormat) {
        for var piece in other.pieces {
            switch piece.kind {
            case .literal, .parameter:
                piece.first += literals.count
                piece.second += literals.count
            case .request, .response, .trailer:
                piece.first += fields.count
                if piece.second >= 0 { piece.second += fields.count }
            case .time: piece.first += times.count
            case .span: piece.first += spans.count
            case .filterTime: piece.first += filterTimes.count
            case .path, .grpcStatus, .number, .variable: break
            }
            pieces.append(piece)
        }
        literals += other.literals
        fields += other.fields
        times += other.times
        spans += other.spans
        filterTimes += other.filterTimes
    }
}
