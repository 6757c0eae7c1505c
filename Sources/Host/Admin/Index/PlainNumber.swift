/// Numbers as people read them; the script of the page writes them alike.
enum PlainNumber {
    /// `12,345`
    static func count(_ number: Int64) -> String {
        var digits = String(number.magnitude)
        var groups: [String] = []
        while digits.utf8.count > 3 {
            groups.insert(String(digits.suffix(3)), at: 0)
            digits.removeLast(3)
        }
        groups.insert(digits, at: 0)
        return (number < 0 ? "-" : "") + groups.joined(separator: ",")
    }

    /// Nanoseconds: `1.2 ms`; a dash for none.
    static func time(_ nanoseconds: Double) -> String {
        switch nanoseconds {
        case ...0: "–"
        case ..<1e3: "\(Int(nanoseconds)) ns"
        case ..<1e6: "\(short(nanoseconds / 1e3)) µs"
        case ..<1e9: "\(short(nanoseconds / 1e6)) ms"
        default: "\(short(nanoseconds / 1e9)) s"
        }
    }

    /// The same of requests, whose clock stands still within one turn of the loop.
    static func span(_ nanoseconds: Double) -> String {
        nanoseconds > 0 && nanoseconds < 1e3 ? "< 1 µs" : time(nanoseconds)
    }

    /// Three digits at most behind which nothing matters: `1.23`, `12.3`, `123`.
    static func short(_ number: Double) -> String {
        let places = number < 9.995 ? 2 : number < 99.95 ? 1 : 0
        return decimal(number, places: places)
    }

    static func decimal(_ number: Double, places: Int) -> String {
        var scale: Int64 = 1
        for _ in 0..<places { scale *= 10 }
        let scaled = Int64((number * Double(scale)).rounded())
        guard places > 0 else { return count(scaled) }
        let fraction = String(String(scale + scaled.magnitudeValue % scale).dropFirst())
        return (scaled < 0 ? "-" : "") + count(scaled.magnitudeValue / scale) + "." + fraction
    }

    /// `13.2 MiB`
    static func bytes(_ number: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var (value, unit) = (Double(number), 0)
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return "\(unit == 0 ? count(Int64(number)) : short(value)) \(units[unit])"
    }

    /// Seconds: `3 d 4 h`, `12 min 3 s`.
    static func age(_ seconds: UInt64) -> String {
        switch seconds {
        case ..<60: "\(seconds) s"
        case ..<3600: "\(seconds / 60) min \(seconds % 60) s"
        case ..<86_400: "\(seconds / 3600) h \(seconds / 60 % 60) min"
        default: "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
        }
    }

    /// The share of good ones in percent, rounded down so that 100 % means all: `99.94 %`; a dash where there were none.
    static func good(_ errors: Int64, of all: Int64) -> String {
        guard all > 0 else { return "–" }
        let share = Double(max(0, all - errors)) / Double(all)
        return errors == 0 ? "100 %" : decimal((share * 10_000).rounded(.down) / 100, places: 2) + " %"
    }
}

extension Int64 {
    /// The magnitude as a number of the same type.
    fileprivate var magnitudeValue: Int64 { self < 0 ? -self : self }
}
