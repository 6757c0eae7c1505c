internal import Config
internal import Filters

/// Config files.
///
/// A text that is not read is refused for a reason, which can be shown in each format; a comment in front of a text
/// changes nothing about what it says. What filters make of the tree is tried with the settings of two of them.
struct ConfigTarget: FuzzTarget {
    private let decoder = SettingsDecoder()

    func complaint(about input: [UInt8]) -> String? {
        let diagnostics = Diagnostics(file: "fuzz.yaml")
        let document = parse(input, diagnostics)
        if let root = document?.root {
            check(decoder.decode(Router.Settings.self, from: root, into: diagnostics))
            check(decoder.decode(HTTP1ServerCodec.Settings.self, from: root["http"], into: diagnostics))
            check(decoder.decode(TCPProxy.Settings.self, from: root["tcp_proxy"], into: diagnostics))
        } else if !diagnostics.hasErrors {
            return "neither read nor refused"
        }
        for format in Diagnostics.Format.allCases {
            if diagnostics.rendered(as: format).isEmpty, !diagnostics.sorted.isEmpty { return "nothing is shown" }
        }
        return commenting(input, document)
    }

    private func parse(_ input: [UInt8], _ diagnostics: Diagnostics) -> Document? {
        Document.parse(input, name: "fuzz.yaml", into: diagnostics, environment: Environment(["NAME": "value"]))
    }

    /// Only whether it comes back is of interest.
    private func check<Value>(_ value: Decoded<Value>?) {}

    private func commenting(_ input: [UInt8], _ document: Document?) -> String? {
        // A byte order mark is one at the beginning only.
        guard !input.starts(with: [0xEF, 0xBB, 0xBF]) else { return nil }
        let diagnostics = Diagnostics(file: "fuzz.yaml")
        let other = parse(Array("# a comment\n".utf8) + input, diagnostics)
        switch (document, other) {
        case (nil, nil): return nil
        case (let document?, let other?):
            return other.root.isEquivalent(to: document.root) ? nil : "a comment changes what the text says"
        default: return "a comment changes whether the text is read: \(diagnostics.rendered(as: .text))"
        }
    }
}
