internal import FilterAPI

/// A filter of a chain, as the filters beside it see it.
protocol FakeNeighbour: AnyObject {
    /// Something has gone past the filter beside this one.
    func comesBy(_ event: FakeEvent, isRequest: Bool)
    /// A head with status 1xx has gone past the filter below.
    func showInterim()
    /// The filter below has failed, or what is below it.
    ///
    /// - Returns: whether the fault was taken in hand.
    func showFault(_ fault: Fault) -> Bool
    /// The filter above sends the request anew.
    func reopen()
    /// The filter above gives up what is below it, and does not yet know what to do.
    func closeForReplay()
    /// The stream's fault, if it has one, is about to become an answer.
    ///
    /// - Returns: whether the filter is to see it, since the fault was one of below.
    func forgetFault() -> Bool
    /// Does what was asked for by tokens, and by time that has gone by.
    func look()
    /// Ends the stream.
    func close(_ ending: Ending)
}

extension FakeNeighbour {
    /// Shows the filter what the host answers in place of an upstream that has failed.
    func showHostsAnswer(_ status: Status, _ memory: FakeMemory) {
        let text = Array("no healthy upstream\n".utf8)
        memory.isRequestDropped = true
        unsafe memory.facts.pointee.isLocalReply = true
        memory.setResponse(
            status, [("content-type", "text/plain; charset=utf-8"), ("content-length", "\(text.count)")], last: false)
        comesBy(.head(last: false), isRequest: false)
        comesBy(.body(text, last: true), isRequest: false)
    }
}
