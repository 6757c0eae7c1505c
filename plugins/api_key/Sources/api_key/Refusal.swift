import FilterAPI

/// Why a request is turned away.
enum Refusal: Int, CaseIterable {
    case missing, unknown, notAllowed

    /// The label of the counter.
    var name: String {
        switch self {
        case .missing: "missing"
        case .unknown: "unknown"
        case .notAllowed: "not_allowed"
        }
    }

    var reason: StaticString {
        switch self {
        case .missing: "api_key.missing"
        case .unknown: "api_key.unknown"
        case .notAllowed: "api_key.not_allowed"
        }
    }

    /// 401 is for those who may come in once they say who they are, 403 for those who have.
    var status: Status { self == .notAllowed ? 403 : 401 }

    var body: String {
        switch self {
        case .missing: "a key is needed\n"
        case .unknown: "this is no key\n"
        case .notAllowed: "this key is not for that\n"
        }
    }

    static let descriptions: [ReasonDescription] = [
        .init(
            "\(Refusal.missing.reason)", [], "A request came without a key.",
            lookAt: "The client; `header`, `bearer` and `query` of the filter.", outcome: "401", origin: .client),
        .init(
            "\(Refusal.unknown.reason)", [], "A request showed something that is none of the keys, or two of them.",
            lookAt: "Whether the client has an old key; `keys` and `file` of the filter.", outcome: "401",
            origin: .client),
        .init(
            "\(Refusal.notAllowed.reason)", [], "A request showed a key whose name may not come in there.",
            lookAt: "`names` of the filter or the route.", outcome: "403", origin: .client),
    ]
}
