public import FilterAPI

/// What happened, as text: one line per event, fields below the head they belong to.
///
/// Pieces of a body that follow each other are joined, so that the text does not depend on how the bytes arrived.
public struct Transcript: CustomStringConvertible, Equatable {
    private var lines: [String] = []
    private var body: [UInt8] = []
    private var bodyIsOpen = false

    /// Nothing has happened.
    public init() {}

    /// The lines, joined by line feeds.
    public var description: String {
        var all = lines
        if bodyIsOpen { all.append(bodyLine) }
        return all.joined(separator: "\n")
    }

    private var bodyLine: String { body.isEmpty ? "body" : "body " + printable(body) }

    /// Adds a line of its own.
    public mutating func note(_ line: String) {
        closeBody()
        lines.append(line)
    }

    /// Adds a piece of a body; `last` where the message ends with it.
    public mutating func body(_ bytes: [UInt8], last: Bool) {
        if !bytes.isEmpty {
            bodyIsOpen = true
            body += bytes
        }
        if last { note("end") }
    }

    /// Adds a fault, by its kind and its word.
    public mutating func fault(_ fault: Fault, _ word: String = "fault") {
        note("\(word) \(fault.kind) \(fault.reason)")
    }

    /// Adds a request's head.
    public mutating func head(_ head: borrowing RequestHead, last: Bool) {
        var line = "request \(printable(head.methodText.copied)) \(printable(head.target.copied)) \(head.version.text)"
        line += Self.length(head.bodyLength)
        if head.wantsUpgrade { line += " upgrade" }
        if head.expectsContinue { line += " expects-continue" }
        note(line)
        fields(head.headers)
        if last { note("end") }
    }

    /// Adds a response's head.
    public mutating func head(_ head: borrowing ResponseHead, last: Bool, isInterim: Bool = false) {
        let word = isInterim ? "interim" : "response"
        note("\(word) \(head.status.code) \(head.version.text)" + (isInterim ? "" : Self.length(head.bodyLength)))
        fields(head.headers)
        if last { note("end") }
    }

    /// Adds trailers, which end a message.
    public mutating func trailers(_ trailers: borrowing Headers) {
        note("trailers")
        fields(trailers)
        note("end")
    }

    private mutating func fields(_ headers: borrowing Headers) {
        for index in 0..<headers.count {
            let name = printable(headers.name(at: index).copied)
            note("  \(name): \(printable(headers.value(at: index).copied))")
        }
    }

    private mutating func closeBody() {
        guard bodyIsOpen else { return }
        lines.append(bodyLine)
        body.removeAll()
        bodyIsOpen = false
    }

    private static func length(_ length: BodyLength) -> String {
        switch length {
        case .none: ""
        case .known(let count): " length=\(count)"
        case .unknown: " length=?"
        }
    }
}
