internal import FilterAPI
internal import Filters

/// What a page of the admin interface says.
struct AdminAnswer: Sendable {
    var status = 200
    var contentType = "text/plain; charset=utf-8"
    var body: String
    /// What follows once the answer is on its way.
    var afterwards: (@Sendable () -> Void)?

    /// Plain text.
    static func text(_ body: String, status: Int = 200) -> AdminAnswer { AdminAnswer(status: status, body: body) }

    /// Text that was rendered.
    static func text(_ text: borrowing ByteText, contentType: String? = nil) -> AdminAnswer {
        var answer = AdminAnswer(body: String(decoding: text.copy(), as: UTF8.self))
        if let contentType { answer.contentType = contentType }
        return answer
    }

    static func json(_ value: JSONValue) -> AdminAnswer {
        AdminAnswer(contentType: "application/json", body: value.text + "\n")
    }

    static func html(_ body: String) -> AdminAnswer { AdminAnswer(contentType: "text/html; charset=utf-8", body: body) }

    /// The parameters make no sense.
    static func badParameter(_ message: String) -> AdminAnswer { text(message + "\n", status: 400) }
}
