internal import FilterAPI
internal import FilterTesting
internal import Filters
internal import Host

/// Writing one request to an access log: the usual line of text, and the usual object of JSON.
enum LogBenches {
    static func run(_ measure: Measure) {
        let head = RequestHead.fake(
            "GET", "/wiki/Special:Search?search=proxy&go=Go", host: "en.wikipedia.example",
            fields: [
                "Host": "en.wikipedia.example",
                "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
                "Accept": "text/html", "X-Request-Id": "11111111-2222-4333-8444-555555555555",
                "X-Forwarded-For": "192.0.2.17",
            ])
        var response = ResponseHead()
        response.status = 200
        response.headers.add(.server, "up")
        let facts = facts()
        let connection = FakeConnection().facts
        for (name, setting) in [("line of text", "text"), ("object of JSON", "json")] {
            guard let format = try? AccessLogFormat(setting) else { continue }
            var text = ByteText(capacity: 65536)
            measure.run("write the usual \(name) to a log") { count in
                for index in 0..<count {
                    let moment = FormatMoment(
                        now: facts.responseEnd, wallClock: 1_709_210_097_789_123_456 + UInt64(index) * 10_000,
                        occasion: .stream)
                    text.removeAll()
                    // SAFETY: all of them outlive the call.
                    unsafe withUnsafePointer(to: head) { head in
                        unsafe withUnsafePointer(to: response) { response in
                            unsafe withUnsafePointer(to: facts) { facts in
                                unsafe format.render(
                                    into: &text,
                                    FormatSubject(
                                        request: head, response: response, facts: facts, connection: connection,
                                        at: moment))
                            }
                        }
                    }
                    keep(text.count)
                }
            }
        }
    }

    private static func facts() -> StreamFacts {
        var facts = StreamFacts()
        facts.start = Instant(nanoseconds: 10_000_000_000)
        facts.upstreamFirstByte = Instant(nanoseconds: 10_020_000_000)
        facts.responseEnd = Instant(nanoseconds: 10_031_000_000)
        facts.responseBodyBytes = 3456
        facts.status = 200
        facts.attempts = 1
        facts.cluster = FactName("app")
        facts.endpoint = FactName("10.0.0.1:8080")
        return facts
    }
}
