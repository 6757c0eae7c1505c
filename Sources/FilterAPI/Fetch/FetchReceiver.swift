/// Who reads an answer piece by piece as it comes; on the worker's thread.
package protocol FetchReceiver: AnyObject {
    /// Whether nothing more is wanted for now; the upstream is not read from meanwhile.
    var isFull: Bool { get }
    func fetchedHead(_ head: inout ResponseHead, last: Bool)
    func fetchedBody(_ chunk: consuming ByteChunk, last: Bool)
    /// There is no answer, or not all of it. The last call.
    func fetchFailed(_ fault: Fault)
}

/// A request that is under way, as far as its receiver has a say in it; on the worker's thread.
package protocol FetchLine: AnyObject {
    /// The receiver is not full any more.
    func readOn()
    /// Nobody wants the answer any more: nothing more is said to the receiver.
    func cancel()
}
