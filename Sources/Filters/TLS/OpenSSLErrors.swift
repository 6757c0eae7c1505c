internal import COpenSSL

/// The errors that OpenSSL has put on this thread's queue.
///
/// The queue is cleared before each call: what an earlier one left would be taken for the outcome of a later one.
enum OpenSSLErrors {
    /// The first error of the queue, which is nearest to the cause; 0 where there is none. Empties the queue.
    static func take() -> UInt {
        let code = ERR_get_error()
        ERR_clear_error()
        return code
    }

    /// An error in words.
    static func text(_ code: UInt) -> String {
        guard let text = unsafe ERR_reason_error_string(code) else { return "unknown error" }
        return unsafe String(cString: text)
    }
}
