import Testing

@testable import Host

@Suite("The order of calls is that of the pictures in docs/filters.md") struct CallOrderTests {
    private let key = "calls-\(UInt64.random(in: 0...(.max)))"
    private static let beginning = ["upper init", "lower init", "upper open", "lower open"]

    private func calls(
        _ request: String, upper: String = "nothing", lower: String = "nothing", isReachable: Bool = true
    ) throws -> [String] {
        let name = "unix:@sluice-calls-\(UInt64.random(in: 0...(.max)))"
        let bench = try HostBench(
            """
            listeners:
              front:
                bind: 127.0.0.1:0
                chain:
                  - http
                  - upper: { book: \(key), does: \(upper) }
                  - lower: { book: \(key), does: \(lower) }
                  - router: { to: up }
              up: { bind: "\(name)", chain: [ http, origin ] }
            clusters:
              up: { endpoints: [ "\(isReachable ? name : "unix:@sluice-nobody")" ] }
            """, [CallRecorder<UpperPlace>.self, CallRecorder<LowerPlace>.self, Origin.self])
        _ = try bench.exchange("front", request)
        let book = CallBook.of(key)
        #expect(bench.turn { book.calls.last == "upper close" })
        return book.calls
    }

    private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" }

    /// The picture in a place, with how every one but the first begins.
    private func picture(_ index: Int) throws -> [String] {
        let all = try CallPictures.read()
        #expect(all.count == 5)
        return index == 0 ? all[0] : Self.beginning + all[index]
    }

    @Test("A request that an upstream answers")
    func whole() throws {
        let request =
            "POST /echo HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "4\r\nabcd\r\n0\r\nX-T: 1\r\n\r\n"
        #expect(try calls(request) == picture(0))
    }

    @Test("An answer of a filter's own")
    func answer() throws { #expect(try calls(get("/"), lower: "answer") == picture(1)) }

    @Test("A token")
    func hold() throws { #expect(try calls(get("/"), upper: "hold") == picture(2)) }

    @Test("A replay")
    func replay() throws { #expect(try calls(get("/flaky"), upper: "replay") == picture(3)) }

    @Test("A fault that nobody does anything with")
    func fault() throws { #expect(try calls(get("/"), isReachable: false) == picture(4)) }
}
