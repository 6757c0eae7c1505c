internal import FilterAPI
internal import Filters

/// What a page of the admin interface says.
struct AdminAnswer: Sendable {
    var status = 200
    var contentType = "text/plain; charset=utf-8"
    var body: Body
    /// Fields beside the content type and those of every answer.
    var fields: [(name: HeaderName, value: String)] = []
    /// What follows once the answer is on its way.
    var afterwards: (@Sendable () -> Void)?

    /// What it consists of.
    enum Body: Sendable {
        case text(String)
        /// What takes long to write is written by a thread of its own, before which all others go.
        case later(@Sendable () -> ByteText)
    }

    /// Plain text.
    static func text(_ body: String, status: Int = 200) -> AdminAnswer {
        AdminAnswer(status: status, body: .text(body))
    }

    /// Text that takes long to write.
    static func later(
        contentType: String = "text/plain; charset=utf-8", _ write: @escaping @Sendable () -> ByteText
    ) -> AdminAnswer {
        AdminAnswer(contentType: contentType, body: .later(write))
    }

    static func json(_ value: JSONValue) -> AdminAnswer {
        AdminAnswer(contentType: "application/json", body: .text(value.text + "\n"))
    }

    static func html(_ body: String) -> AdminAnswer {
        AdminAnswer(contentType: "text/html; charset=utf-8", body: .text(body))
    }

    /// Whoever asks has not shown the token.
    static var noToken: AdminAnswer {
        var answer = text("changes need the token: `Authorization: Bearer TOKEN`\n", status: 401)
        answer.fields = AdminGuard.named([("www-authenticate", "Bearer")])
        return answer
    }

    /// The method is another one than those that the page is asked by.
    static func badMethod(_ message: String, allowed: String) -> AdminAnswer {
        var answer = text(message + "\n", status: 405)
        answer.fields = AdminGuard.named([("allow", allowed)])
        return answer
    }

    /// The parameters make no sense.
    static func badParameter(_ message: String) -> AdminAnswer { text(message + "\n", status: 400) }
}
