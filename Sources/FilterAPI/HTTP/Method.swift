/// A request's method. Known ones are numbers; of any other the head keeps the text.
public struct Method: Sendable, Equatable {
    /// Which of the known methods, or 0.
    @usableFromInline package var code: UInt8

    @inlinable
    package init(code: UInt8) { self.code = code }

    /// A method that is not among the known ones; see ``RequestHead/methodText``.
    @inlinable public static var other: Method { Method(code: 0) }
    /// `GET`
    @inlinable public static var get: Method { Method(code: 1) }
    /// `HEAD`
    @inlinable public static var head: Method { Method(code: 2) }
    /// `POST`
    @inlinable public static var post: Method { Method(code: 3) }
    /// `PUT`
    @inlinable public static var put: Method { Method(code: 4) }
    /// `DELETE`
    @inlinable public static var delete: Method { Method(code: 5) }
    /// `CONNECT`
    @inlinable public static var connect: Method { Method(code: 6) }
    /// `OPTIONS`
    @inlinable public static var options: Method { Method(code: 7) }
    /// `TRACE`
    @inlinable public static var trace: Method { Method(code: 8) }
    /// `PATCH`
    @inlinable public static var patch: Method { Method(code: 9) }

    /// Whether a request with this method may be sent twice without harm (RFC 9110 section 9.2.2).
    public var isIdempotent: Bool {
        switch code {
        case 1, 2, 4, 5, 7, 8: true
        default: false
        }
    }

    /// Whether a request with this method as a rule has a body, so that none is said by `Content-Length: 0`.
    public var usuallyHasBody: Bool { code == 3 || code == 4 || code == 9 }

    /// The known method with this name, else ``other``. Methods are case-sensitive (RFC 9110 section 9.1).
    public init(named text: borrowing RawSpan) {
        code = 0
        switch text.byteCount {
        case 3:
            if ASCII.equal(text, "GET") { code = 1 } else if ASCII.equal(text, "PUT") { code = 4 }
        case 4:
            if ASCII.equal(text, "POST") { code = 3 } else if ASCII.equal(text, "HEAD") { code = 2 }
        case 5:
            if ASCII.equal(text, "PATCH") { code = 9 } else if ASCII.equal(text, "TRACE") { code = 8 }
        case 6: if ASCII.equal(text, "DELETE") { code = 5 }
        case 7:
            if ASCII.equal(text, "OPTIONS") { code = 7 } else if ASCII.equal(text, "CONNECT") { code = 6 }
        default: break
        }
    }
}
