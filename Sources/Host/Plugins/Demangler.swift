internal import Glibc

/// Turns symbols into what stands in the source, with the Swift runtime's own function.
enum Demangler {
    private typealias Function =
        @convention(c) (
            UnsafePointer<CChar>, Int, UnsafeMutablePointer<CChar>?, UnsafeMutablePointer<Int>?, UInt32
        ) -> UnsafeMutablePointer<CChar>?

    /// The name in the source; the symbol itself where it is no Swift symbol.
    static func text(_ symbol: String) -> String {
        guard let address = unsafe dlsym(nil, "swift_demangle") else { return symbol }
        // SAFETY: the runtime has declared it so since Swift 4; the answer is ours to free, and ends with a zero.
        let demangle = unsafe unsafeBitCast(address, to: Function.self)
        guard let text = unsafe demangle(symbol, symbol.utf8.count, nil, nil, 0) else { return symbol }
        defer { unsafe free(text) }
        return unsafe String(cString: text)
    }
}
