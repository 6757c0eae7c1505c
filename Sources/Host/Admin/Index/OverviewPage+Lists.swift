internal import FilterAPI

/// What is listed below the pictures: faults, certificates, filters, pages.
extension OverviewPage {
    /// So many reasons are shown; the rest is in the statistics.
    private static let mostFaults = 20

    mutating func faults() {
        guard !overview.faults.isEmpty else { return }
        html.markup("<section><h2>faults by reason</h2>")
        command("/stats?filter=" + Self.escaped("^fault\\."))
        html.markup("<table><thead><tr><th>reason<th class=n>count<th class=\"n moving\">/s</tr></thead><tbody>")
        for fault in overview.faults.prefix(Self.mostFaults) {
            // Points part the places in the data.
            let place = fault.reason.split(separator: ".").joined(separator: "/")
            html.markup("<tr><td><code>")
            html.text(fault.reason)
            html.markup("</code>")
            if !fault.meaning.isEmpty {
                html.markup("<p title=\"")
                html.text(fault.advice)
                html.markup("\">")
                html.text(fault.meaning)
                html.markup("</p>")
            }
            html.markup("<td class=n>")
            html.live("num", "faults.\(place).count", PlainNumber.count(fault.count))
            html.markup("<td class=\"n moving\">")
            html.live("rate", "faults.\(place).count")
            html.markup("</tr>")
        }
        html.markup("</tbody></table></section>")
    }

    mutating func certificates() {
        guard !overview.certificates.isEmpty else { return }
        html.markup("<section><h2>certificates</h2>")
        command("/certs")
        html.markup("<div class=scroll><table><thead><tr><th>left<th>names<th>file</tr></thead><tbody>")
        for certificate in overview.certificates {
            html.markup("<tr><td class=left>")
            left(certificate.daysLeft)
            html.markup("<td>")
            let names = certificate.names.isEmpty ? [certificate.subject] : certificate.names
            html.text(names.prefix(6).joined(separator: ", "))
            if names.count > 6 { html.text(" and \(names.count - 6) more") }
            if certificate.isAuthority { html.markup(" <em>authority</em>") }
            html.markup("<td class=address>")
            html.text(certificate.path)
            html.markup("</tr>")
        }
        html.markup("</tbody></table></div></section>")
    }

    private mutating func left(_ days: Int) {
        switch days {
        case ..<0: html.markup("<span class=bad>✕ expired</span>")
        case ..<14:
            html.markup("<span class=warn>▲ ")
            html.text("\(days) days")
            html.markup("</span>")
        default:
            html.markup("<span class=good>●</span> ")
            html.text("\(days) days")
        }
    }

    mutating func filters() {
        html.markup("<section><h2>filters in use</h2><dl>")
        for filter in overview.filters {
            html.markup("<dt>")
            html.text(filter.id)
            if filter.isPlugin { html.markup(" <em>.so</em>") }
            html.markup("<dd>")
            html.text(filter.summary)
        }
        html.markup("</dl></section>")
    }

    mutating func pages() {
        html.markup("<section><h2>pages</h2><dl>")
        for page in AdminOffice.pages where !page.isChange {
            html.markup("<dt><a href=\"")
            html.text(page.path)
            html.markup("\">")
            html.text(page.path)
            html.markup("</a><dd>")
            html.text(page.summary)
            if !page.parameters.isEmpty { html.element("code", page.parameters) }
        }
        html.markup("</dl></section>")
    }

    mutating func changes() {
        html.markup("<section id=changes><h2>changes</h2>")
        command("/logging?level=debug", isPost: true)
        switch visitor.right {
        case .unasked: break
        case .withToken:
            html.markup("<form method=dialog><label>token <input id=token type=password autocomplete=off></label>")
            html.markup(" <small>stays in this page, and goes out with each change only</small></form>")
        case .never:
            html.markup("<p>Not over this address: they need a Unix socket, or a <code>token</code> in the config.</p>")
        }
        html.markup("<noscript><p>These need the script of this page, or the commands.</p></noscript>")
        for page in AdminOffice.pages where page.isChange { change(page) }
        html.markup("<output id=said></output></section>")
    }

    private mutating func change(_ page: AdminOffice.Page) {
        html.markup("<form data-post=\"")
        html.text(page.path)
        html.markup("\"")
        if page.isDrastic { html.markup(" data-ask=1") }
        html.markup(">")
        if page.path == "/logging" {
            html.markup("<select name=level aria-label=level>")
            for level in LogLevel.allCases { html.element("option", level.rawValue) }
            html.markup("</select>")
        }
        html.markup("<button")
        if visitor.right == .never { html.markup(" disabled") }
        html.markup(">")
        html.text(page.path)
        html.markup("</button> <span>")
        html.text(page.summary)
        html.markup("</span></form>")
    }
}
