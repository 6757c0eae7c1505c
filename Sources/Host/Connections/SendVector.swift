internal import Engine
internal import FilterAPI
internal import Glibc

/// Hands queued chunks to the kernel without copying them together.
enum SendVector {
    /// Chunks per call. More would not make the call cheaper.
    static let limit = 64

    /// Sends what the queue starts with.
    ///
    /// - Parameter offered: gets the number of bytes that the kernel was shown. Only where it takes fewer has it no
    ///   more room, and will tell when it has again.
    static func send(_ fd: Int32, _ queue: borrowing ChunkQueue, offered: inout Int) -> IOResult {
        if queue.count == 1 {
            var result = IOResult.wouldBlock
            offered = queue.byteCount
            unsafe queue.forEachMemory(limit: 1) { memory in result = unsafe Syscalls.send(fd, memory) }
            return result
        }
        return unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: limit) { vector in
            var count = 0
            var size = 0
            unsafe queue.forEachMemory(limit: limit) { memory in
                unsafe vector[count] = iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: memory.baseAddress), iov_len: memory.count)
                count += 1
                size += memory.count
            }
            offered = size
            guard let base = vector.baseAddress else { return .wouldBlock }
            return unsafe Syscalls.sendv(fd, base, count: count)
        }
    }
}
