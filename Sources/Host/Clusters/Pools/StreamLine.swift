/// Streams that wait, in the order in which they came. A stream stands in one line at most, and is its own link.
///
/// SAFETY: the links are unowned. A stream leaves its line before it ends: see ``ClusterPool/stopWaiting(_:)``.
@safe
struct StreamLine {
    unowned(unsafe) private(set) var first: HTTPStream?
    unowned(unsafe) private var last: HTTPStream?
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    mutating func append(_ stream: HTTPStream) {
        unsafe stream.nextWaiting = nil
        unsafe stream.previousWaiting = last
        if let last = unsafe last { unsafe last.nextWaiting = stream } else { unsafe first = stream }
        unsafe last = stream
        count += 1
    }

    mutating func remove(_ stream: HTTPStream) {
        let next = unsafe stream.nextWaiting
        let previous = unsafe stream.previousWaiting
        if let previous { unsafe previous.nextWaiting = next } else { unsafe first = next }
        if let next { unsafe next.previousWaiting = previous } else { unsafe last = previous }
        unsafe stream.nextWaiting = nil
        unsafe stream.previousWaiting = nil
        count -= 1
    }
}
