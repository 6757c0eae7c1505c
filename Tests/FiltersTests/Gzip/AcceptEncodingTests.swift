import FilterAPI
import FilterTesting
import Testing

@testable import Filters

@Suite("What clients say about codings")
struct AcceptEncodingTests {
    private func read(_ values: [String]) -> AcceptEncoding {
        var headers = Headers()
        headers.fill(values.map { ("accept-encoding", $0) })
        return AcceptEncoding(headers)
    }

    @Test(
        "what follows for gzip",
        arguments: [
            ("gzip", .named), ("GZIP", .named), ("x-gzip", .named), ("gzip;q=1", .named), ("gzip;q=1.000", .named),
            ("gzip;q=0.001", .named), ("gzip; q=0.5", .named), ("gzip ; Q=0.5", .named), ("gzip\t;\tq=0.5", .named),
            ("deflate, gzip", .named), ("br;q=1.0, gzip;q=0.8, *;q=0.1", .named), (",gzip,,", .named),
            ("identity;q=0.5, gzip;q=0.5", .named), ("identity, gzip", .named), ("gzip, *;q=0", .named),
            ("*", .wildcard), ("*;q=0.1", .wildcard), ("br, *", .wildcard), ("identity;q=0, *", .wildcard),
            ("", .identity), (",", .identity), ("identity", .identity), ("br", .identity), ("deflate", .identity),
            ("gzip;q=0", .identity), ("gzip;q=0.000", .identity), ("gzip;q=0, *", .identity), ("*;q=0", .identity),
            ("identity;q=0", .identity), ("identity, gzip;q=0.5", .identity), ("gzip;q=0.2, identity;q=0.3", .identity),
            ("identity, *;q=0.5", .identity), ("gzip, gzip;q=0", .identity), ("x-gzip;q=0, gzip", .identity),
            ("gzipped", .identity), ("gzip2", .identity), ("a gzip", .identity),
            ("gzip;q=x", .notValid), ("gzip;q=", .notValid), ("gzip;q", .notValid), ("gzip;", .notValid),
            ("gzip;q=2", .notValid), ("gzip;q=1.001", .notValid), ("gzip;q=0.1234", .notValid),
            ("gzip;q=-1", .notValid), ("gzip;q=.5", .notValid), ("gzip;q=1e0", .notValid),
            ("gzip;level=1", .notValid), ("gzip;q=0.5;level=1", .notValid), ("gzip;q =1", .notValid),
            ("gzip;q=x, *", .wildcard), ("br;q=x, gzip", .named), ("gzip;q=x, gzip", .named),
            ("br;q=x, gzip;q=0", .identity),
        ] as [(String, AcceptEncoding.Verdict)])
    func verdict(text: String, verdict: AcceptEncoding.Verdict) {
        #expect(read([text]).verdict(for: .gzip) == verdict)
    }

    @Test("several fields are one list")
    func several() {
        #expect(read(["br", "gzip"]).verdict(for: .gzip) == .named)
        #expect(read(["gzip", "gzip;q=0"]).verdict(for: .gzip) == .identity)
        #expect(read([]).verdict(for: .gzip) == .noHeader)
    }

    @Test("deflate is told apart")
    func deflate() {
        #expect(read(["deflate"]).accepts(.deflate) && !read(["deflate"]).accepts(.gzip))
        #expect(read(["*"]).accepts(.deflate) && !read(["deflate;q=0, *"]).accepts(.deflate))
    }

    @Test("brotli is told apart, and a weight for the one is none for the other")
    func brotli() {
        #expect(read(["br;q=0.5, gzip;q=0"]).verdict(for: .brotli) == .named)
        #expect(read(["gzip"]).verdict(for: .brotli) == .identity)
        #expect(read(["*"]).verdict(for: .brotli) == .wildcard)
        #expect(read(["br;q=0, *"]).verdict(for: .brotli) == .identity)
    }
}
