package import FilterAPI

/// Changes to the header fields of a message: removals first, then replacements, then additions.
///
/// Values may hold variables; where a value turns out empty, nothing is added, and what would be replaced is removed.
package struct HeaderEdits: Sendable {
    private enum Action: Sendable {
        case remove
        case set
        case add
    }

    private struct Edit: Sendable {
        var action: Action
        var name: HeaderName
        var format: TextFormat
        var constant: String?
    }

    private var edits: [Edit] = []
    /// Whether a value needs the time of day.
    private var needsWallClock = false

    /// From settings.
    ///
    /// - Returns: nil where there is nothing to do, or the settings would not pass their own check.
    package init?(_ settings: HeaderEditSettings) {
        for name in settings.remove { append(.remove, name, "") }
        for (name, text) in settings.set.sorted(by: { $0.key < $1.key }) { append(.set, name, text) }
        for (name, texts) in settings.add.sorted(by: { $0.key < $1.key }) {
            for text in texts { append(.add, name, text) }
        }
        if edits.isEmpty { return nil }
    }

    private mutating func append(_ action: Action, _ name: String, _ text: String) {
        guard let name = HeaderName(name), let format = try? TextFormat.parse(text) else { return }
        edits.append(Edit(action: action, name: name, format: format, constant: format.constant))
        needsWallClock = needsWallClock || format.needsWallClock
    }

    /// Changes a request.
    ///
    /// - Parameter scratch: memory for values; what is in it is dropped.
    package func apply(
        to head: inout RequestHead, facts: StreamFacts, connection: ConnectionFacts, now: Instant,
        scratch: inout ByteText
    ) {
        let moment = moment(now)
        for edit in edits {
            if edit.action == .remove {
                head.headers.remove(edit.name)
                continue
            }
            scratch.removeAll()
            if let constant = edit.constant {
                scratch.append(constant)
            } else {
                edit.format.render(
                    into: &scratch, request: head, facts: facts, connection: connection, at: moment, unset: "")
            }
            if edit.name == .host {
                if Authority.isValid(scratch.bytes) { head.setAuthority(scratch.bytes) }
            } else {
                Self.put(edit, scratch.bytes, in: &head.headers)
            }
        }
    }

    /// Changes a response.
    ///
    /// - Parameter scratch: memory for values; what is in it is dropped.
    package func apply(
        to head: inout ResponseHead, request: borrowing RequestHead, facts: StreamFacts, connection: ConnectionFacts,
        now: Instant, scratch: inout ByteText
    ) {
        let moment = moment(now)
        for edit in edits {
            if edit.action == .remove {
                head.headers.remove(edit.name)
                continue
            }
            scratch.removeAll()
            if let constant = edit.constant {
                scratch.append(constant)
            } else {
                edit.format.render(
                    into: &scratch, request: request, response: head, facts: facts, connection: connection, at: moment,
                    unset: "")
            }
            Self.put(edit, scratch.bytes, in: &head.headers)
        }
    }

    private func moment(_ now: Instant) -> FormatMoment {
        FormatMoment(now: now, wallClock: needsWallClock ? WallClock.now() : 0)
    }

    private static func put(_ edit: Edit, _ value: RawSpan, in headers: inout Headers) {
        if value.isEmpty, edit.constant == nil {
            if edit.action == .set { headers.remove(edit.name) }
        } else if edit.action == .set {
            // What cannot stand in a field leaves none behind, least of all the one that the client sent.
            if !headers.set(edit.name, value) { headers.remove(edit.name) }
        } else {
            headers.add(edit.name, value)
        }
    }
}
