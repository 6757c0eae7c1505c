internal import Engine
internal import FilterAPI
internal import Filters
internal import Synchronization

/// The process's own log: what the operator did, and what became of it. One line a message, on the error output.
///
/// Not for requests: those have the access log. May be used from any thread; a line is one write.
final class Log: Sendable {
    private let fd: Int32
    private let format: LogFormat
    private let threshold: Atomic<Int>

    init(level: LogLevel, format: LogFormat, fd: Int32 = 2) {
        self.fd = fd
        self.format = format
        threshold = Atomic(level.rank)
    }

    /// The rank of the lowest level that is written.
    var level: Int { threshold.load(ordering: .relaxed) }

    func change(level: LogLevel) { threshold.store(level.rank, ordering: .relaxed) }

    /// Writes a line, if its level is not below the log's.
    func write(_ level: LogLevel, _ message: String, _ fields: [(String, String)] = []) {
        guard level.rank >= threshold.load(ordering: .relaxed) else { return }
        let time = LogTime.text(Syscalls.wallClock())
        var line: String
        switch format {
        case .text:
            let name = level.rawValue.uppercased()
            line = "\(time) \(name)\(String(repeating: " ", count: max(0, 7 - name.utf8.count))) \(escaped(message))"
            for (key, value) in fields { line += " \(key)=\(quoted(value))" }
        case .json:
            line = "{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\",\"message\":\(jsonQuoted(message))"
            for (key, value) in fields { line += ",\(jsonQuoted(key)):\(jsonQuoted(value))" }
            line += "}"
        }
        line += "\n"
        unsafe line.utf8Span.span.bytes.withUnsafeBytes { _ = unsafe Syscalls.write(fd, $0) }
    }

    /// A line stays a line.
    private func escaped(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }

    private func quoted(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 != 0x22 && $0 != 0x3D && $0 < 0x7F }
        return isPlain ? text : jsonQuoted(text)
    }

    private func jsonQuoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            case "\n": out += "\\n"
            case "\t": out += "\\t"
            default:
                if scalar.value < 0x20 || scalar.value == 0x7F || (scalar.value >= 0x2028 && scalar.value <= 0x2029) {
                    let hex = String(scalar.value, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }
}

extension LogLevel {
    /// Place in the order of levels, from the chattiest.
    var rank: Int { LogLevel.allCases.firstIndex(of: self) ?? 0 }
}

/// Times as logs write them (RFC 3339, UTC, milliseconds).
enum LogTime {
    static func text(_ nanoseconds: UInt64) -> String {
        let seconds = Int(nanoseconds / 1_000_000_000)
        let date = CivilDate(daysSince1970: seconds / 86_400)
        let rest = seconds % 86_400
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        let thousandth = Int(nanoseconds / 1_000_000 % 1000)
        let fraction = String(String(1000 + thousandth).dropFirst())
        return "\(date.year)-\(two(date.month))-\(two(date.day))"
            + "T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60)).\(fraction)Z"
    }
}
