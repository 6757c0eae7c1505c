import FilterAPI

/// What the service says of a request.
enum Verdict {
    /// It may go on, with these fields.
    case allowed([(name: HeaderName, value: String)])
    /// It may not, and the client gets this.
    case denied(Status, [(name: HeaderName, value: String)], body: String)
    /// There is no answer that counts.
    case failed(isTimeout: Bool)
}
