import FilterTesting
import Testing

@testable import Filters

/// Good requests, as filters see them.
@Suite struct RequestReadingTests {
    @Test func aPlainRequestIsPassedOn() {
        #expect(
            reading("GET /a?b=c HTTP/1.1\r\nHost: a.test\r\nAccept:  */* \t\r\nX-Y:\r\n\r\n") == """
                request GET /a?b=c HTTP/1.1
                  Host: a.test
                  Accept: */*
                  X-Y: 
                end
                """)
    }

    @Test func requestsOnOneConnectionFollowEachOther() {
        let text = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
        #expect(
            reading(text + "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n", ends: true) == """
                request GET /1 HTTP/1.1
                  Host: a
                end
                request POST /2 HTTP/1.1 length=3
                  Host: a
                  Content-Length: 3
                body abc
                end
                request GET /3 HTTP/1.1
                  Host: a
                end
                close
                """)
    }
}
