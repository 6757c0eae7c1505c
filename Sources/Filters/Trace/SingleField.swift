internal import FilterAPI

/// Where a field is that may be there once.
enum SingleField: Equatable {
    case absent
    case repeated
    /// At this position.
    case at(Int)
}

extension Headers {
    func single(_ name: HeaderName) -> SingleField {
        let first = index(of: name)
        if first < 0 { return .absent }
        return index(of: name, from: first + 1) < 0 ? .at(first) : .repeated
    }
}
