/// What a filter is called for; five bits of a ``FilterCall``.
enum FilterPhase: UInt, CaseIterable {
    case none, open, requestHead, requestBody, requestTrailers, interimHead, responseHead, responseBody
    case responseTrailers, faultBelow, clusterAttached, endpointPicked, wake, fetched, close, requestBytes
    case responseBytes, decode

    /// In words, for the operator.
    var text: StaticString {
        switch self {
        case .none: "nothing"
        case .open: "the stream's beginning"
        case .requestHead: "the request's head"
        case .requestBody: "the request's body"
        case .requestTrailers: "the request's trailers"
        case .interimHead: "a head with status 1xx"
        case .responseHead: "the response's head"
        case .responseBody: "the response's body"
        case .responseTrailers: "the response's trailers"
        case .faultBelow: "a fault below"
        case .clusterAttached: "the cluster that was chosen"
        case .endpointPicked: "the endpoint that was picked"
        case .wake: "its timer"
        case .fetched: "the answer to its own request"
        case .close: "the stream's end"
        case .requestBytes: "bytes of the client"
        case .responseBytes: "bytes of the upstream"
        case .decode: "bytes to decode"
        }
    }
}
