internal import FilterAPI

/// What has become of one stream.
struct HTTPOutcome {
    var below: Passed
    var above: Passed
    var reply: RecordedReply?
    var fault: String
    var holdsRequest: Bool
    var holdsResponse: Bool
    /// Whether all events have happened.
    var isWhole = true
    var isAbandoned: Bool
    var isDeclined: Bool
    var attached: Bool
    var restarts: Int

    init<F: HTTPEvents>(_ stream: FakeStream<F>) {
        below = stream.below
        above = stream.above
        reply = stream.reply
        fault = stream.fault.map { "\($0.reason)" } ?? ""
        holdsRequest = stream.holdsRequest || stream.isHeldAtCluster
        holdsResponse = stream.holdsResponse
        isAbandoned = stream.isAbandoned
        isDeclined = stream.isDeclined
        attached = stream.attached != nil
        restarts = stream.restarts.count
    }

    /// Whether the filter has ended the stream in its own way.
    var isCut: Bool { reply != nil || !fault.isEmpty }

    /// What must be the same each time: not the values of fields, which may have a date or a number of their own.
    func signature(_ options: ConformanceOptions) -> String {
        func body(_ bytes: [UInt8], _ change: ConformanceOptions.Changes, _ read: (([UInt8]) -> [UInt8]?)?) -> String {
            if !options.changes.contains(change) { return bytes.count > 99 ? "\(bytes.count)" : printable(bytes) }
            guard let read else { return "?" }
            return read(bytes).map(printable) ?? "not readable"
        }
        func names(_ fields: [RecordedField]) -> String { fields.map { $0.name.lowercased() }.joined(separator: " ") }
        return """
            below: \(names(below.fields)) | \(body(below.body, .requestBody, options.readRequest)) \(below.isComplete)
            above: \(above.status) \(names(above.fields)) | \
            \(body(above.body, .responseBody, options.readResponse)) \(above.isComplete)
            answer: \(reply?.status ?? 0), fault: \(fault), tries: \(restarts)
            """
    }
}
