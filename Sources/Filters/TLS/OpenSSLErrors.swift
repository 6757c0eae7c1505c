internal import COpenSSL

/// The errors that OpenSSL has put on this thread's queue.
///
/// The queue is cleared before each call: what an earlier one left would be taken for the outcome of a later one.
enum OpenSSLErrors {
    /// The first error of TLS on the queue, else the first of all; 0 where there is none. Empties the queue.
    ///
    /// The first is nearest to the cause. But where a cipher fails, it is before TLS says what that means.
    static func take() -> UInt {
        let first = ERR_get_error()
        var code = first
        while code != 0, tls_error_library(code) != ERR_LIB_SSL { code = ERR_get_error() }
        ERR_clear_error()
        return code == 0 ? first : code
    }

    /// An error in words.
    static func text(_ code: UInt) -> String {
        guard let text = unsafe ERR_reason_error_string(code) else { return "unknown error" }
        return unsafe String(cString: text)
    }
}
