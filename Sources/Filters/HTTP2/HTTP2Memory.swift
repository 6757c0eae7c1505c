internal import CNGHTTP2

/// Memory for libnghttp2, which allocates some small blocks for every stream: those that it gives back are used again.
///
/// One for each codec on each worker, and used by that worker only.
///
/// SAFETY: a block begins with its size class and its size, in ``header`` bytes that libnghttp2 does not see. A block that
/// is free holds the next one of its class in its first bytes, and nothing else points at it. Whoever has a session made
/// with ``functions`` keeps this object alive.
@safe
final class HTTP2Memory {
    /// Classes are multiples of so many bytes.
    private static let step = 32
    /// How many classes there are; what is larger is not kept.
    private static let classes = 128
    private static let header = 16
    /// Bytes of blocks that nobody uses.
    private static let most = 256 << 10

    /// The first free block of each class; class 0 is none.
    private let free: UnsafeMutablePointer<UnsafeMutableRawPointer?>
    private var held = 0

    init() {
        unsafe free = .allocate(capacity: Self.classes + 1)
        unsafe free.initialize(repeating: nil, count: Self.classes + 1)
    }

    deinit {
        for index in 0...Self.classes {
            while let block = unsafe free[index] {
                unsafe free[index] = Self.next(block)
                unsafe (block - Self.header).deallocate()
            }
        }
        unsafe free.deallocate()
    }

    /// What libnghttp2 calls.
    var functions: nghttp2_mem {
        unsafe nghttp2_mem(
            mem_user_data: Unmanaged.passUnretained(self).toOpaque(),
            malloc: { size, user in unsafe HTTP2Memory.with(user) { unsafe $0.take(size) } },
            free: { block, user in
                guard let block = unsafe block else { return }
                unsafe HTTP2Memory.with(user) { unsafe $0.put(block) }
            },
            calloc: { number, size, user in
                let block = unsafe HTTP2Memory.with(user) { unsafe $0.take(number * size) }
                unsafe block.initializeMemory(as: UInt8.self, repeating: 0, count: number * size)
                return unsafe block
            },
            realloc: { block, size, user in
                unsafe HTTP2Memory.with(user) { memory in
                    guard let block = unsafe block else { return unsafe memory.take(size) }
                    return unsafe memory.grow(block, size)
                }
            })
    }

    @inline(__always)
    private static func with<R>(_ user: UnsafeMutableRawPointer?, _ body: (HTTP2Memory) -> R) -> R {
        unsafe Unmanaged<HTTP2Memory>.fromOpaque(user.unsafelyUnwrapped)._withUnsafeGuaranteedRef(body)
    }

    private static func next(_ block: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        unsafe block.load(as: UnsafeMutableRawPointer?.self)
    }

    private func take(_ size: Int) -> UnsafeMutableRawPointer {
        let index = max(1, (size + Self.step - 1) / Self.step)
        let isKept = index <= Self.classes
        if isKept, let block = unsafe free[index] {
            unsafe free[index] = Self.next(block)
            held -= index * Self.step
            return unsafe block
        }
        let room = isKept ? index * Self.step : size
        let base = UnsafeMutableRawPointer.allocate(byteCount: Self.header + room, alignment: 16)
        unsafe base.storeBytes(of: isKept ? index : 0, as: Int.self)
        unsafe base.storeBytes(of: room, toByteOffset: 8, as: Int.self)
        return unsafe base + Self.header
    }

    private func put(_ block: UnsafeMutableRawPointer) {
        let base = unsafe block - Self.header
        let index = unsafe base.load(as: Int.self)
        guard index > 0, held + index * Self.step <= Self.most else { return unsafe base.deallocate() }
        unsafe block.storeBytes(of: free[index], as: UnsafeMutableRawPointer?.self)
        unsafe free[index] = block
        held += index * Self.step
    }

    private func grow(_ block: UnsafeMutableRawPointer, _ size: Int) -> UnsafeMutableRawPointer {
        let room = unsafe (block - Self.header).load(fromByteOffset: 8, as: Int.self)
        if size <= room { return unsafe block }
        let larger = unsafe take(size)
        unsafe larger.copyMemory(from: block, byteCount: room)
        unsafe put(block)
        return unsafe larger
    }
}
