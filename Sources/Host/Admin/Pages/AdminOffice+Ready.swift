/// Whether the process serves.
extension AdminOffice {
    /// 200 only while each listener of the config accepts at all of its addresses, on all workers, and nothing drains.
    ///
    /// The first line is the state. That a config was refused does not make the one in use serve worse, so it is only
    /// said.
    func ready() -> AdminAnswer {
        let state = control.state
        var text = state.text + "\n"
        for line in control.unready { text += "\(line)\n" }
        if let refused = control.lastRejection {
            text += "config refused, the one before is in use: \(refused.place): \(refused.message)\n"
        }
        return .text(text, status: state == .live ? 200 : 503)
    }
}
