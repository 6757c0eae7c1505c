internal import Engine
internal import FilterAPI
internal import Synchronization

/// Where workers hand in what they are asked on admin listeners, and the control thread answers.
///
/// A scrape of large statistics is written there: no request waits for it.
final class AdminDesk: Sendable {
    private let poster: LoopPoster
    private let office = Mutex<Handover<AdminOffice>?>(nil)
    private let scribe: Scribe

    init(_ poster: LoopPoster, _ log: Log) {
        self.poster = poster
        scribe = Scribe(log)
    }

    /// The control thread is ready to answer.
    func open(_ office: AdminOffice) {
        let handover = Handover(office)
        self.office.withLock { $0 = handover }
    }

    /// Has a question answered; any thread.
    func ask(_ question: AdminQuestion, _ token: consuming Resumption) {
        let letter = Letter(token)
        poster.post { [self] in
            // SAFETY: the office is used on the control thread only, which this is.
            guard let office = office.withLock({ $0 }), let token = letter.open() else { return }
            let answer = unsafe office.value.answer(question)
            var fields = [(name: HeaderName.contentType, value: answer.contentType)]
            fields += answer.fields + AdminGuard.fields
            switch answer.body {
            case .text(let body): token.reply(Status(answer.status), body: body, fields: fields)
            case .later(let write): scribe.write(Status(answer.status), write, fields, Letter(token))
            }
            answer.afterwards?()
        }
    }
}

/// Carries a token through a closure that could be called twice, and is not.
final class Letter: Sendable {
    private let token: Mutex<Resumption?>

    init(_ token: consuming Resumption) { self.token = Mutex(consume token) }

    func open() -> Resumption? { token.withLock { token in token.take() } }
}
