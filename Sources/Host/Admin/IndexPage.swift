/// The page that a person sees first.
enum IndexPage {
    /// Of the script in the page, which is the only one that browsers run there.
    static let scriptHash = "sha256-none"
}

extension AdminOffice {
    func index(_ question: AdminQuestion) -> AdminAnswer { .text("see /help\n") }
}
