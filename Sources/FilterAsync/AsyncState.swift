/// What an asynchronous filter keeps per stream; the adaptor's own.
public struct AsyncState {
    var exchange: Exchange?
}
