internal import Engine
internal import FilterAPI
internal import Glibc

/// Hands queued chunks to the kernel without copying them together.
enum SendVector {
    /// Chunks per call. More would not make the call cheaper.
    static let limit = 64

    /// Sends what the queue starts with.
    static func send(_ fd: Int32, _ queue: borrowing ChunkQueue) -> IOResult {
        if queue.count == 1 {
            var result = IOResult.wouldBlock
            unsafe queue.forEachMemory(limit: 1) { memory in result = unsafe Syscalls.send(fd, memory) }
            return result
        }
        return unsafe withUnsafeTemporaryAllocation(of: iovec.self, capacity: limit) { vector in
            var count = 0
            unsafe queue.forEachMemory(limit: limit) { memory in
                unsafe vector[count] = iovec(
                    iov_base: UnsafeMutableRawPointer(mutating: memory.baseAddress), iov_len: memory.count)
                count += 1
            }
            guard let base = unsafe vector.baseAddress else { return .wouldBlock }
            return unsafe Syscalls.sendv(fd, base, count)
        }
    }
}
