import CYAML

/// libyaml's event parser over a file in memory.
///
/// Sound because: the parser and the copy of the input are owned by the instance, are freed only when it goes, and
/// never leave it; each event is copied into Swift values and deleted before `next` returns.
@safe final class YAMLReader {
    private let parser: UnsafeMutablePointer<yaml_parser_t>
    private let input: UnsafeMutableBufferPointer<UInt8>

    /// - Parameter bytes: the file, checked to be UTF-8 without a byte order mark.
    init(_ bytes: [UInt8]) {
        // SAFETY: see the type's comment. The only way for initialize to fail is that memory has run out.
        unsafe input = .allocate(capacity: max(1, bytes.count))
        _ = unsafe input.initialize(from: bytes)
        unsafe parser = .allocate(capacity: 1)
        let isReady = unsafe yaml_parser_initialize(parser)
        precondition(isReady == 1, "out of memory")
        unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
        unsafe yaml_parser_set_input_string(parser, input.baseAddress, bytes.count)
    }

    deinit {
        // SAFETY: both were made by init and are used by nobody else.
        unsafe yaml_parser_delete(parser)
        unsafe parser.deallocate()
        unsafe input.deallocate()
    }

    /// The next event.
    ///
    /// Must not be called again after the stream's end or a problem.
    func next() throws(YAMLProblem) -> YAMLEvent {
        // SAFETY: libyaml fills the event or leaves it empty; it is deleted after the copy was made.
        var event = unsafe yaml_event_t()
        guard unsafe yaml_parser_parse(parser, &event) == 1 else { throw problem() }
        defer { unsafe yaml_event_delete(&event) }
        return unsafe YAMLReader.copy(event)
    }

    private func problem() -> YAMLProblem {
        // SAFETY: libyaml's texts are static, NUL-terminated strings.
        let context = unsafe parser.pointee.context.map { unsafe String(cString: $0) }
        let text = unsafe parser.pointee.problem.map { unsafe String(cString: $0) } ?? "out of memory"
        let mark = unsafe parser.pointee.problem_mark
        let contextMark = unsafe parser.pointee.context_mark
        return YAMLProblem(
            problem: text, line: Int(mark.line) + 1, column: Int(mark.column) + 1, context: context,
            contextLine: Int(contextMark.line) + 1, contextColumn: Int(contextMark.column) + 1)
    }

    private static func copy(_ event: yaml_event_t) -> YAMLEvent {
        // SAFETY: the member of the union that belongs to the event's type is read, and no other.
        let start = unsafe event.start_mark
        let end = unsafe event.end_mark
        let range = SourceRange(
            line: Int(start.line) + 1, column: Int(start.column) + 1, endLine: Int(end.line) + 1,
            endColumn: Int(end.column) + 1)
        var copy = YAMLEvent(kind: .streamEnd, range: range)
        switch unsafe event.type {
        case YAML_SCALAR_EVENT:
            let scalar = unsafe event.data.scalar
            copy.kind = .scalar(
                text: unsafe text(scalar.value, scalar.length), style: unsafe style(scalar.style))
            copy.tag = unsafe optionalText(scalar.tag)
            copy.anchor = unsafe optionalText(scalar.anchor)
        case YAML_MAPPING_START_EVENT:
            copy.kind = .mappingStart
            copy.tag = unsafe optionalText(event.data.mapping_start.tag)
            copy.anchor = unsafe optionalText(event.data.mapping_start.anchor)
        case YAML_SEQUENCE_START_EVENT:
            copy.kind = .sequenceStart
            copy.tag = unsafe optionalText(event.data.sequence_start.tag)
            copy.anchor = unsafe optionalText(event.data.sequence_start.anchor)
        case YAML_ALIAS_EVENT:
            copy.kind = .alias(unsafe optionalText(event.data.alias.anchor) ?? "")
        case YAML_MAPPING_END_EVENT: copy.kind = .mappingEnd
        case YAML_SEQUENCE_END_EVENT: copy.kind = .sequenceEnd
        case YAML_STREAM_START_EVENT: copy.kind = .streamStart
        case YAML_DOCUMENT_START_EVENT: copy.kind = .documentStart
        case YAML_DOCUMENT_END_EVENT: copy.kind = .documentEnd
        default: break
        }
        return copy
    }

    private static func style(_ style: yaml_scalar_style_t) -> Scalar.Style {
        switch style {
        case YAML_SINGLE_QUOTED_SCALAR_STYLE, YAML_DOUBLE_QUOTED_SCALAR_STYLE: return .quoted
        case YAML_LITERAL_SCALAR_STYLE, YAML_FOLDED_SCALAR_STYLE: return .block
        default: return .plain
        }
    }

    private static func text(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> String {
        // SAFETY: libyaml says how many bytes there are.
        unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: count), as: UTF8.self)
    }

    private static func optionalText(_ bytes: UnsafePointer<UInt8>?) -> String? {
        // SAFETY: NUL-terminated by libyaml.
        guard let bytes = unsafe bytes else { return nil }
        return unsafe String(cString: bytes)
    }
}
