internal import FilterAPI

/// Scenarios in other pieces.
extension HTTPScenario {
    /// The events with one of the bodies in other pieces, where its first piece was.
    func cut(into pieces: [[UInt8]], isRequest: Bool) -> [ScriptEvent] {
        func isPiece(_ event: ScriptEvent) -> Bool {
            switch event {
            case .requestBytes: isRequest
            case .responseBytes: !isRequest
            default: false
            }
        }
        guard let last = events.last(where: isPiece) else { return events }
        var ends = false
        switch last {
        case .requestBytes(_, let isLast), .responseBytes(_, let isLast): ends = isLast
        default: break
        }
        let place = (ends ? events.lastIndex(where: isPiece) : events.firstIndex(where: isPiece)) ?? 0
        var cut: [ScriptEvent] = []
        for (index, event) in events.enumerated() {
            if !isPiece(event) { cut.append(event) }
            guard index == place else { continue }
            for (number, piece) in pieces.enumerated() {
                let isLast = ends && number == pieces.count - 1
                cut.append(isRequest ? .requestBytes(piece, last: isLast) : .responseBytes(piece, last: isLast))
            }
        }
        return cut
    }
}
