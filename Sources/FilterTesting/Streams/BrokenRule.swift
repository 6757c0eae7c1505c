internal import FilterAPI

/// A rule of the filter contract that a filter has broken, as a fake stream notices it.
///
/// What the host turns into a fault the fake stream does too, and the rule is noted beside it. The rest, which a host
/// would let go by in some way that nobody wants, ends the test with the rule's ``sentence``, unless
/// ``StreamUnderTest/keepsBrokenRules`` says that the test looks at them itself.
public enum BrokenRule: String, Sendable, CaseIterable {
    /// ``/FilterAPI/Step/taken`` for a head.
    case tookHead
    /// ``/FilterAPI/Step/hold`` at the end of a direction, or for bytes, and nothing that would ever let go.
    case heldWithoutToken
    /// More was held than a stream may keep.
    case heldTooMuch
    /// A token was thrown away.
    case droppedToken
    /// A token was taken in a call that did not hold.
    case tokenWithoutHold
    /// Two answers in one call, or one behind the head of a response.
    case secondAnswer
    /// An answer where bytes flow.
    case answerToBytes
    /// Bytes were sent behind the end of their direction.
    case sentAfterEnd
    /// Bytes of a body were sent before its head had gone by.
    case sentBeforeHead
    /// The request was sent anew after a response had begun, or where bytes flow.
    case lateReplay

    /// The rule, in one sentence.
    public var sentence: String {
        switch self {
        case .tookHead: "only bodies and bytes can be taken; a head goes on, is held, or is answered"
        case .heldWithoutToken: "what is held at its end, and all bytes that are held, need a token from `pause()`"
        case .heldTooMuch: "a filter may not hold more than the hold limit in one direction"
        case .droppedToken: "each token from `pause()` is used: resume, reply or fail"
        case .tokenWithoutHold: "who takes a token by `pause()` returns `.hold` from the same call"
        case .secondAnswer: "a request is answered once, and not after a response's head has gone by"
        case .answerToBytes: "there is no request to answer where bytes flow; fail the stream instead"
        case .sentAfterEnd: "nothing is sent after the end of a direction"
        case .sentBeforeHead: "a body's bytes are sent after its head has gone by, not while it is shown"
        case .lateReplay: "a request is not sent anew after a response has begun, and bytes never are"
        }
    }

    /// Whether the host makes a fault of it, so that nobody can miss it.
    var becomesFault: Bool {
        switch self {
        case .tokenWithoutHold, .sentAfterEnd, .sentBeforeHead: false
        default: true
        }
    }
}
