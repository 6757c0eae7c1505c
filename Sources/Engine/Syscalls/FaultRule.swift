internal import CLinux

/// One scheduled failure: the nth call of a kind, counted from when the rule was armed, fails with an errno.
public struct FaultRule: Sendable, Equatable {
    /// The call that fails.
    public let call: Syscalls.Call
    /// Which one of these calls fails first, counted from 1.
    public let nth: Int
    /// What it fails with.
    public let errno: Int32
    /// How many calls in a row fail.
    public let count: Int

    /// A rule; `nth` and `count` are at least 1.
    public init(_ call: Syscalls.Call, nth: Int, errno: Int32, count: Int = 1) {
        self.call = call
        self.nth = max(nth, 1)
        self.errno = errno
        self.count = max(count, 1)
    }

    /// Reads rules of the form `call:nth:ERRNO` or `call:nth:ERRNO:count`, separated by commas.
    ///
    /// A count of `*` is for ever.
    public static func parse(_ text: String) throws(FaultRuleError) -> [FaultRule] {
        var rules: [FaultRule] = []
        for part in text.split(separator: ",") { rules.append(try rule(String(part))) }
        return rules
    }

    private static func rule(_ text: String) throws(FaultRuleError) -> FaultRule {
        let fields = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard fields.count == 3 || fields.count == 4 else {
            throw FaultRuleError(message: "fault '\(text)': expected call:nth:ERRNO or call:nth:ERRNO:count")
        }
        guard let call = Syscalls.Call(rawValue: fields[0]) else {
            let known = Syscalls.Call.allCases.map(\.rawValue).joined(separator: ", ")
            throw FaultRuleError(message: "fault '\(text)': no call is named '\(fields[0])'; known: \(known)")
        }
        guard let nth = Int(fields[1]), nth >= 1 else {
            throw FaultRuleError(message: "fault '\(text)': '\(fields[1])' is not a number from 1")
        }
        guard let errno = (Int32(1)...133).first(where: { SystemFault.name(of: $0) == fields[2] }) else {
            throw FaultRuleError(message: "fault '\(text)': no error is named '\(fields[2])'")
        }
        guard fields.count == 4, fields[3] != "*" else {
            return FaultRule(call, nth: nth, errno: errno, count: fields.count == 4 ? .max : 1)
        }
        guard let count = Int(fields[3]), count >= 1 else {
            throw FaultRuleError(message: "fault '\(text)': count '\(fields[3])' is neither a number from 1 nor '*'")
        }
        return FaultRule(call, nth: nth, errno: errno, count: count)
    }
}

/// A fault schedule that was not understood.
public struct FaultRuleError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A sentence that says what is wrong and what was expected.
    public let message: String
    /// The same sentence.
    public var description: String { message }
}
