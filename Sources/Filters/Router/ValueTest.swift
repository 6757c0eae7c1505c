internal import FilterAPI

/// A test of the value of a header field, a parameter or a name.
struct ValueTest {
    private enum Kind {
        case exact(String)
        case present
        case prefix(String)
        case suffix(String)
        case contains(String)
        case pattern(Pattern)
    }

    private let kind: Kind
    private let isInverted: Bool

    /// From settings that have passed their check.
    init(_ settings: Router.ValueSettings) throws(Pattern.Problem) {
        var isInverted = settings.invert
        if let text = settings.exact {
            kind = .exact(text)
        } else if let text = settings.prefix {
            kind = .prefix(text)
        } else if let text = settings.suffix {
            kind = .suffix(text)
        } else if let text = settings.contains {
            kind = .contains(text)
        } else if let text = settings.regex {
            kind = .pattern(try Pattern(text))
        } else {
            kind = .present
            if settings.present == false { isInverted.toggle() }
        }
        self.isInverted = isInverted
    }

    /// Whether a value passes.
    func passes(_ value: RawSpan) -> Bool { fits(value) != isInverted }

    /// Whether a value passes.
    ///
    /// SAFETY: the string outlives the span.
    func passes(_ value: String) -> Bool { passes(unsafe value.utf8Span.span.bytes) }

    /// Whether one of several values passes; where the test is inverted, whether none fits.
    ///
    /// SAFETY: the strings outlive the spans.
    func passes(anyOf values: [String]) -> Bool {
        for value in values where fits(unsafe value.utf8Span.span.bytes) { return !isInverted }
        return isInverted
    }

    /// Whether the absence of a value passes.
    var passesAbsence: Bool { isInverted }

    private func fits(_ value: RawSpan) -> Bool {
        // SAFETY (all): the strings outlive the spans.
        switch kind {
        case .exact(let text): ASCII.equal(value, unsafe text.utf8Span.span.bytes)
        case .present: true
        case .prefix(let text): value.starts(with: unsafe text.utf8Span.span.bytes)
        case .suffix(let text): value.ends(with: unsafe text.utf8Span.span.bytes)
        case .contains(let text): value.contains(unsafe text.utf8Span.span.bytes)
        case .pattern(let pattern): pattern.matchesWhole(value)
        }
    }
}

extension Router.ValueSettings {
    /// The same tests with other texts, except for expressions.
    func mappingTexts(_ change: (String) -> String) -> Self {
        var changed = self
        changed.exact = exact.map(change)
        changed.prefix = prefix.map(change)
        changed.suffix = suffix.map(change)
        changed.contains = contains.map(change)
        return changed
    }
}
