import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("The settings of gzip")
struct GzipSettingsTests {
    @Test(
        "what cannot work is refused",
        arguments: [
            ("level: 0", "must be between 1 and 9"), ("level: 10", "must be between 1 and 9"),
            ("window_bits: 8", "must be between 9 and 15"), ("window_bits: 16", "must be between 9 and 15"),
            ("memory_level: 0", "must be between 1 and 9"), ("max_ratio: 0", "must be between 1 and 10000"),
            ("max_size: 0", "must be at least one byte"), ("max_bodies: 0", "must be between 1 and 1000000"),
            ("responses: yes please", "is not accepted"), ("requests: inflate", "is not accepted"),
            ("content_types: [ text ]", "is not a type of content"),
            ("content_types: [ text/html;charset=utf-8 ]", "is not a type of content"),
            ("content_types: [ '*' ]", "is not a type of content"),
            ("content_types: [ '*/html' ]", "is not a type of content"),
            ("content_types: [ 'text/h*ml' ]", "is not a type of content"),
        ])
    func refused(config: String, message: String) {
        let error = #expect(throws: ConfigurationFault.self) {
            _ = try FakeWorker().make(Gzip.self, config: config)
        }
        #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }

    @Test("only the directions in which something is done are asked for")
    func interest() throws {
        let worker = FakeWorker()
        let usual = try worker.make(Gzip.self).activeInterest
        #expect(usual.contains(.responseBody) && usual.contains(.requestHead) && !usual.contains(.requestBody))
        let requests = try worker.make(Gzip.self, config: "{ requests: decompress, responses: off }").activeInterest
        #expect(requests.contains(.requestBody) && !requests.contains(.responseHead))
    }

    @Test("what it counts is described")
    func described() throws {
        let worker = FakeWorker()
        _ = try worker.make(Gzip.self)
        #expect(Set(worker.counterNames) == Set(Gzip.manifest.stats.map { "gzip.\($0.name)" }))
    }

    @Test(
        "types are found by patterns",
        arguments: [
            ("text/html", "text/html", true), ("text/html", "TEXT/HTML ; charset=utf-8", true),
            ("text/html", "text/htm", false), ("text/*", "text/css", true), ("text/*", "text/", false),
            ("text/*", "texts/css", false), ("application/*+json", "application/ld+json", true),
            ("application/*+json", "application/json", false), ("application/*+json", "application/+json", false),
            ("*/*", "image/png", true), ("*/*", "application/grpc-web", false), ("*/*", "text/event-stream", false),
            ("text/event-stream", "text/event-stream", true), ("application/grpc", "application/grpc", false),
        ])
    func types(pattern: String, type: String, matches: Bool) {
        var headers = Headers()
        headers.add(.contentType, type)
        #expect(MediaTypeList([pattern]).matches(headers) == matches)
    }

    @Test("states that were not needed for a while are let go")
    func spare() {
        final class Item {}
        var states = SpareStates<Item>()
        var now = Instant(nanoseconds: 1_000_000_000)
        for _ in 0..<40 { states.put(Item(), now: now) }
        #expect(states.count == 16)
        for _ in 0..<3 {
            now.nanoseconds += 11_000_000_000
            let (first, second) = (states.take(), states.take())
            for item in [first, second] { if let item { states.put(item, now: now) } }
        }
        #expect(states.count == 2)
    }
}
