/// Where the values of one stream are that codecs work on.
///
/// The memory stays where it is as long as the stream lives, and its handle is never given to another stream; so a copy
/// of this may be kept and compared by the handle.
///
/// SAFETY: the host fills it with pointers to initialised memory of the stream.
@unsafe
@usableFromInline
package struct StreamMemory {
    @usableFromInline package let handle: StreamHandle
    @usableFromInline package let requestHead: UnsafeMutablePointer<RequestHead>
    @usableFromInline package let responseHead: UnsafeMutablePointer<ResponseHead>
    @usableFromInline package let facts: UnsafeMutablePointer<StreamFacts>
    @usableFromInline package let state: UnsafeMutableRawPointer

    package init(
        handle: StreamHandle, requestHead: UnsafeMutablePointer<RequestHead>,
        responseHead: UnsafeMutablePointer<ResponseHead>, facts: UnsafeMutablePointer<StreamFacts>,
        state: UnsafeMutableRawPointer
    ) {
        unsafe self.handle = handle
        unsafe self.requestHead = requestHead
        unsafe self.responseHead = responseHead
        unsafe self.facts = facts
        unsafe self.state = state
    }

    /// Of no stream; its pointers are never followed, since no codec asks for ``StreamHandle/none``.
    static var none: StreamMemory {
        let nothing = unsafe UnsafeMutableRawPointer(bitPattern: 64).unsafelyUnwrapped
        return unsafe StreamMemory(
            handle: .none, requestHead: nothing.assumingMemoryBound(to: RequestHead.self),
            responseHead: nothing.assumingMemoryBound(to: ResponseHead.self),
            facts: nothing.assumingMemoryBound(to: StreamFacts.self), state: nothing)
    }
}
