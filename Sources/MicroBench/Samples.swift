/// The messages that are measured.
enum Samples {
    /// A browser's request: ten fields, 500 bytes.
    static let request = Array(
        """
        GET /wiki/Special:Search?search=proxy&go=Go HTTP/1.1\r
        Host: en.wikipedia.example\r
        User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r
        Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r
        Accept-Language: en-GB,en;q=0.5\r
        Accept-Encoding: gzip, deflate, br\r
        Referer: https://en.wikipedia.example/wiki/Main_Page\r
        Cookie: session=8f14e45fceea167a5a36dedd4bea2543\r
        Upgrade-Insecure-Requests: 1\r
        Cache-Control: max-age=0\r
        X-Client-Tag: 7c1f\r
        \r

        """.utf8)

    /// A small service's request: three fields.
    static let small = Array("GET /healthz HTTP/1.1\r\nHost: app.internal:8080\r\nAccept: */*\r\n\r\n".utf8)

    /// An origin's response: nine fields and a small body.
    static let response = Array(
        """
        HTTP/1.1 200 OK\r
        Date: Mon, 23 Nov 2026 08:00:00 GMT\r
        Content-Type: application/json; charset=utf-8\r
        Content-Length: 13\r
        Connection: keep-alive\r
        Keep-Alive: timeout=5\r
        ETag: W/"d-ZQkMSLjL1JpmKbRkyKLiRzrVm5o"\r
        Cache-Control: private, max-age=0\r
        Vary: Accept-Encoding\r
        X-Response-Time: 1.2ms\r
        \r
        {"ok": true}

        """.utf8)

    /// 16 KiB in chunks of 1 KiB.
    static let chunks: [UInt8] = {
        var bytes: [UInt8] = []
        for _ in 0..<16 { bytes += Array("400\r\n".utf8) + [UInt8](repeating: 0x78, count: 1024) + Array("\r\n".utf8) }
        return bytes + Array("0\r\n\r\n".utf8)
    }()
}
