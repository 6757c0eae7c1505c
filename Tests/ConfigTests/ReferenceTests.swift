import FilterAPI
import Glibc
import Testing

@testable import Config

@Suite("Values from elsewhere") struct ReferenceTests {
    @Test(
        "references to the environment are replaced",
        arguments: [
            ("${A}", "one"), ("x${A}y${B}", "xoney"), ("${C:-other}", "other"), ("${B:-other}", "other"),
            ("${A:-other}", "one"),
            ("$$", "$"), ("$${A}", "${A}"), ("a$", "a$"), ("$1 ^x$", "$1 ^x$"), ("${C:-}", ""), ("${C:-a:-b}", "a:-b"),
        ])
    func replaced(raw: String, expected: String) {
        let (root, diagnostics) = tree("v: '\(raw)'", environment: ["A": "one", "B": ""])
        #expect(brief(diagnostics) == [])
        #expect(root?["v"]?.text == expected)
    }

    @Test("a value from the environment is typed like one in the file, even in quotes") func typed() {
        let result = read(
            Sample.self, "workers: ${N}\nlog: { level: \"${L}\" }", environment: ["N": "3", "L": "debug"])
        #expect(result.decoded?.value.workers == 3)
        #expect(result.decoded?.value.log.level == .debug)
    }

    @Test("only what comes from elsewhere is a secret") func secrets() {
        let (root, _) = tree("[a, '${A}', '${C:-x}', '$$']", environment: ["A": "one"])
        #expect(root?.elements?.map(\.isSecret) == [false, true, false, false])
    }

    struct Loud: SettingsStruct {
        var token = ""
        var attempts = 1
        func validate(_ check: inout SettingsCheck) {
            check.error("token", "the token \(token) is worn out", hint: "not (\(token))")
        }
    }

    @Test("a secret is not shown in any form, not even by settings that try") func hidden() {
        let result = read(
            Loud.self, "token: ${TOKEN}\nattempts: '${TOKEN}'", environment: ["TOKEN": "hush-hush"])
        let other = read(Loud.self, "token: ${TOKEN}", environment: ["TOKEN": "hush-hush"])
        for diagnostics in [result.diagnostics, other.diagnostics] {
            #expect(diagnostics.hasErrors)
            for format in Diagnostics.Format.allCases {
                #expect(!diagnostics.rendered(as: format).contains("hush"))
            }
        }
        #expect(brief(other.diagnostics) == ["SL0111 1:8 the token ${TOKEN} is worn out (not (${TOKEN}))"])
    }

    @Test("!file reads a value from beside the config file, without its last line end") func file() {
        let folder = "/tmp/sluice-config-\(getpid())"
        unsafe mkdir(folder, 0o700)
        write("secret one\n\n", to: "\(folder)/token.txt")
        write("7\n", to: "\(folder)/number")
        defer {
            unsafe unlink("\(folder)/token.txt")
            unsafe unlink("\(folder)/number")
            unsafe rmdir(folder)
        }
        let text = "log: { format: !file token.txt }\nworkers: !file \(folder)/${NAME}\n"
        let result = read(Sample.self, text, environment: ["NAME": "number"], name: "\(folder)/sluice.yaml")
        #expect(brief(result.diagnostics) == [])
        #expect(result.decoded?.value.log.format == "secret one\n")
        #expect(result.decoded?.value.workers == 7)
    }

    @Test("a device or a pipe is not waited for") func device() {
        let (_, diagnostics) = tree("a: !file /dev/zero")
        #expect(brief(diagnostics) == ["SL0114 1:4 the file `/dev/zero` cannot be read: it is not a regular file"])
    }

    @Test("an unresolved reference makes one message, and no settings") func unresolved() {
        let result = read(Sample.self, "workers: ${GONE}\nlisteners: { a: { bind: \"${GONE}\" } }")
        #expect(result.decoded == nil)
        #expect(result.diagnostics.sorted.map(\.code) == [.badEnvironmentReference, .badEnvironmentReference])
    }
}
