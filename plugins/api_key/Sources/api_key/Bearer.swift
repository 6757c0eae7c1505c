import FilterAPI

/// `Authorization: Bearer KEY` (RFC 6750 section 2.1).
enum Bearer {
    /// Whether a field's value is of this scheme.
    static func isBearer(_ value: borrowing RawSpan) -> Bool {
        value.byteCount > 7 && ASCII.equalIgnoringCase(value.extracting(0..<7), "bearer ")
    }

    /// The key that a field's value shows: nil where it is of another scheme, and nil inside where it is no key.
    static func token(_ value: borrowing RawSpan, in table: KeyTable) -> Key?? {
        guard isBearer(value) else { return .none }
        return .some(table.find(ASCII.trimmed(value.extracting(7..<value.byteCount))))
    }
}
