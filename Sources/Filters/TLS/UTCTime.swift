internal import FilterAPI

/// Times of certificates, as logs write them (RFC 3339).
enum UTCTime {
    static func text(_ seconds: Int64) -> String {
        let days = (seconds >= 0 ? seconds : seconds - 86_399) / 86_400
        let date = CivilDate(daysSince1970: Int(days))
        let rest = Int(seconds - days * 86_400)
        func two(_ number: Int) -> String { number < 10 ? "0\(number)" : "\(number)" }
        return
            "\(date.year)-\(two(date.month))-\(two(date.day))T\(two(rest / 3600)):\(two(rest / 60 % 60)):\(two(rest % 60))Z"
    }
}
