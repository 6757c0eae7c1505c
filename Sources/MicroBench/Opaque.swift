/// What a benchmark has found out goes here, where anyone might read it.
public nonisolated(unsafe) var sink: UInt64 = 0

/// Uses a result, so that the compiler cannot drop what it took to find it.
@inline(never) @_optimize(none)
func keep<T>(_ value: T) {
    unsafe withUnsafeBytes(of: value) { bytes in
        if let first = unsafe bytes.first { unsafe sink &+= UInt64(first) }
    }
}

/// May change a value, as far as the compiler knows: what is found out about it before is not good after.
@inline(never) @_optimize(none)
func touch<T: ~Copyable>(_ value: inout T) { unsafe sink &+= 1 }
