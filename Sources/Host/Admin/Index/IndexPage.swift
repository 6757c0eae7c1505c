/// The page that a person sees first.
extension AdminOffice {
    func index(_ question: AdminQuestion) -> AdminAnswer {
        let format = question["format"] ?? (question.prefersText ? "text" : "html")
        let token = control.plan?.settings.admin?.token
        let visitor = Visitor(
            host: question.host, socket: question.socket,
            right: question.socket != nil ? .unasked : token != nil ? .withToken : .never)
        switch format {
        case "json": return .json(OverviewJSON.value(overview()))
        case "text": return .text(OverviewText.write(overview(), for: visitor))
        case "html": return .html(OverviewPage.write(overview(), for: visitor))
        default: return .badParameter("there is no format `\(format)`; there are html, text and json")
        }
    }
}
