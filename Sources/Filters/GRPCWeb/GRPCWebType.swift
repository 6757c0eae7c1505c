internal import FilterAPI

/// How the bytes of a body of gRPC-Web are written.
enum GRPCWebForm: Equatable {
    /// As they are.
    case binary
    /// In Base64.
    case text

    /// What the field `accept` asks for; nil where it does not say.
    init?(asking list: RawSpan) {
        if ASCII.lists(list, "application/grpc-web-text") || ASCII.lists(list, "application/grpc-web-text+proto") {
            self = .text
        } else if ASCII.lists(list, "application/grpc-web") || ASCII.lists(list, "application/grpc-web+proto") {
            self = .binary
        } else {
            return nil
        }
    }
}

/// A content type of gRPC-Web.
struct GRPCWebType {
    let form: GRPCWebForm
    /// How messages are written: `+proto`, or nothing where that is not said.
    let format: String

    /// - Returns: nil for any other type.
    init?(of value: RawSpan) {
        guard value.byteCount >= 20, ASCII.equalIgnoringCase(value.extracting(0..<20), "application/grpc-web") else {
            return nil
        }
        var rest = value.extracting(droppingFirst: 20)
        form = rest.byteCount >= 5 && ASCII.equalIgnoringCase(rest.extracting(0..<5), "-text") ? .text : .binary
        if form == .text { rest = rest.extracting(droppingFirst: 5) }
        guard rest.isEmpty || Self.ends(rest.byte(at: 0)) || rest.byte(at: 0) == UInt8(ascii: "+") else { return nil }
        format = Self.format(of: rest)
    }

    /// What stands behind the type's name, without parameters.
    static func format(of rest: RawSpan) -> String {
        var end = 0
        while end < rest.byteCount, !ends(rest.byte(at: end)) { end += 1 }
        return ASCII.string(rest.extracting(0..<end))
    }

    private static func ends(_ byte: UInt8) -> Bool { byte == UInt8(ascii: ";") || byte == 0x20 || byte == 0x09 }
}
