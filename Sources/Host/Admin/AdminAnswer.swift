internal import FilterAPI
internal import Filters

/// What a page of the admin interface says.
struct AdminAnswer: Sendable {
    var status = 200
    var contentType = "text/plain; charset=utf-8"
    var body: Body
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

    /// The parameters make no sense.
    static func badParameter(_ message: String) -> AdminAnswer { text(message + "\n", status: 400) }
}
