import Testing

@testable import Host

@Suite("The index page") struct IndexPageTests {
    @Test("Numbers are as people read them") func numbers() {
        for (number, text) in [
            (0, "0"), (7, "7"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567"), (-1234, "-1,234"),
            (Int64.max, "9,223,372,036,854,775,807"),
        ] { #expect(PlainNumber.count(number) == text) }
        for (nanoseconds, text) in [
            (0, "–"), (12, "12 ns"), (1500, "1.50 µs"), (99_960, "100 µs"), (2_345_678, "2.35 ms"), (1e9, "1.00 s"),
            (1.5e12, "1,500 s"),
        ] as [(Double, String)] { #expect(PlainNumber.time(nanoseconds) == text) }
        #expect(PlainNumber.span(1) == "< 1 µs" && PlainNumber.span(0) == "–" && PlainNumber.span(2000) == "2.00 µs")
        for (bytes, text) in [(0, "0 B"), (1023, "1,023 B"), (1024, "1.00 KiB"), (13_841_203, "13.2 MiB")] {
            #expect(PlainNumber.bytes(bytes) == text)
        }
        for (seconds, text) in [
            (0, "0 s"), (59, "59 s"), (60, "1 min 0 s"), (3700, "1 h 1 min"), (273_600, "3 d 4 h"),
        ] as [(UInt64, String)] { #expect(PlainNumber.age(seconds) == text) }
    }

    @Test("All good is said of nothing less than all") func shares() {
        #expect(PlainNumber.good(0, of: 0) == "–" && PlainNumber.good(0, of: 5) == "100 %")
        #expect(PlainNumber.good(1, of: 1_000_000) == "99.99 %" && PlainNumber.good(1, of: 3) == "66.66 %")
        #expect(PlainNumber.good(5, of: 5) == "0.00 %")
    }

    @Test("Text cannot become markup") func escapes() {
        var html = HTMLText()
        html.text("<script>\"&'\u{1}\u{0}é\n")
        html.element("b", "<i>", class: "x")
        html.live("rate", "a\"b", "1")
        html.live("num", "c", "2")
        #expect(
            html.finish() == "&lt;script&gt;&quot;&amp;&#39;\u{FFFD}\u{FFFD}é\n<b class=\"x\">&lt;i&gt;</b>"
                + "<b data-k=\"rate a&quot;b\">1</b><b data-k=\"c\">2</b>")
    }

    @Test("Commands can be pasted into a shell") func commands() {
        let tcp = Visitor(host: "localhost:9901", socket: nil, right: .withToken)
        #expect(tcp.command("/clusters") == "curl -s http://localhost:9901/clusters")
        #expect(tcp.command("/stats?a=b&c") == "curl -s 'http://localhost:9901/stats?a=b&c'")
        #expect(
            tcp.command("/reload", isPost: true)
                == "curl -s -X POST -H \"Authorization: Bearer $TOKEN\" http://localhost:9901/reload")
        let unix = Visitor(host: "x", socket: "/run/it's here", right: .unasked)
        #expect(
            unix.command("/reload", isPost: true)
                == "curl -s -X POST --unix-socket '/run/it'\\''s here' http://localhost/reload")
    }

    @Test("Latencies of several listeners are those of all their values") func latencies() {
        #expect(Latency.sum([]).count == 0 && Latency.sum([Latency(), Latency()]).median == 0)
    }
}
