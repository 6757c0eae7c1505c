extension ReadableValue where Self: FixedWidthInteger {
    static var placeholder: Self { 0 }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        let expected = "a whole number such as `10`"
        guard let scalar = node.scalar else {
            run.refuseType(expected, node)
            return nil
        }
        guard let literal = IntegerLiteral(scalar.text) else {
            run.refuseType(expected, node, hint: scalar.isSecret ? nil : IntegerLiteral.hint(for: scalar.text))
            return nil
        }
        guard scalar.mayBeTyped else {
            run.refuseType(expected, node, hint: "remove the quotes")
            return nil
        }
        if let value = Self(literal.digits, radix: literal.radix) { return value }
        run.refuse(.outOfRange, "\(node.summary) is not within \(Self.min) and \(Self.max)", at: node)
        return nil
    }
}

extension Int: ReadableValue {}
extension Int8: ReadableValue {}
extension Int16: ReadableValue {}
extension Int32: ReadableValue {}
extension Int64: ReadableValue {}
extension UInt: ReadableValue {}
extension UInt8: ReadableValue {}
extension UInt16: ReadableValue {}
extension UInt32: ReadableValue {}
extension UInt64: ReadableValue {}

/// A whole number as YAML 1.2 writes it: `-12`, `0x1F`, `0o17`.
private struct IntegerLiteral {
    let digits: Substring
    let radix: Int

    init?(_ text: String) {
        if text.hasPrefix("0x") {
            self.init(text.dropFirst(2), radix: 16)
        } else if text.hasPrefix("0o") {
            self.init(text.dropFirst(2), radix: 8)
        } else {
            self.init(text[...], radix: 10)
        }
    }

    private init?(_ digits: Substring, radix: Int) {
        let isSigned = radix == 10 && (digits.hasPrefix("-") || digits.hasPrefix("+"))
        let plain = isSigned ? digits.dropFirst() : digits
        let isNumber = plain.utf8.allSatisfy { Character(Unicode.Scalar($0)).hexDigitValue.map { $0 < radix } ?? false }
        guard !plain.isEmpty, isNumber else { return nil }
        self.digits = digits
        self.radix = radix
    }

    static func hint(for text: String) -> String? {
        let plain = text.filter { $0 != "_" && $0 != "," && $0 != " " }
        guard plain != text, IntegerLiteral(plain) != nil else { return nil }
        return "write `\(plain)`"
    }
}

extension ReadableValue where Self: BinaryFloatingPoint & LosslessStringConvertible {
    static var placeholder: Self { 0 }

    static func read(_ node: Node, _ run: DecodingRun) -> Self? {
        let expected = "a number such as `0.5`"
        guard let scalar = node.scalar, isNumber(scalar.text), let value = Self(scalar.text) else {
            run.refuseType(expected, node)
            return nil
        }
        guard scalar.mayBeTyped else {
            run.refuseType(expected, node, hint: "remove the quotes")
            return nil
        }
        guard value.isFinite else {
            run.refuse(.outOfRange, "\(node.summary) is too large", at: node)
            return nil
        }
        return value
    }

    /// Swift's own reading would accept `nan`, `inf` and `0x1p3`.
    private static func isNumber(_ text: String) -> Bool {
        text.utf8.contains { (0x30...0x39).contains($0) }
            && text.utf8.allSatisfy { (0x30...0x39).contains($0) || "+-.eE".utf8.contains($0) }
    }
}

extension Double: ReadableValue {}
extension Float: ReadableValue {}
