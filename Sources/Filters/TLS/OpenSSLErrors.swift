internal import COpenSSL

/// The errors that OpenSSL has put on this thread's queue.
///
/// The queue is cleared before each call: what an earlier one left would be taken for the outcome of a later one.
enum OpenSSLErrors {
    /// The first error of the queue, which is nearest to the cause; 0 where there is none. Empties the queue.
    ///
    /// What the part of OpenSSL that speaks TLS has said goes before what is below it: a cipher that fails only knows that
    /// it failed.
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
