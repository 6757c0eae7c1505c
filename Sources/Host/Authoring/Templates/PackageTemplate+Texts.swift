extension PackageTemplate {
    /// sluice.yaml: what `sluice filter run` serves.
    var config: String {
        """
        # `sluice filter run` serves this, and reads it again whenever it is saved.
        plugins: [ ".build/${SLUICE_BUILD:-release}/lib\(id).so" ]
        access_log: stdout
        admin: "127.0.0.1:${SLUICE_ADMIN_PORT:-9901}"
        listeners:
          main:
            bind: "127.0.0.1:${SLUICE_PORT:-8080}"
            chain:
        \(chain)

        """
    }

    private var chain: String {
        let router = #"      - router: { routes: [ { respond: { status: 200, body: "an answer\n" } } ] }"#
        return switch kind {
        case .http: "      - http\n      - \(id): { value: \"good day\" }\n\(router)"
        case .byte: "      - \(id): { most: 1MiB }\n      - http\n\(router)"
        case .terminal: "      - http\n      - \(id): { text: \"good day\" }"
        }
    }

    /// README.md.
    var readme: String {
        """
        # \(id)

        A filter for Sluice. \(summary)

        ```sh
        sluice filter run      # builds it, serves sluice.yaml with it, and builds it again whenever a file is saved
        sluice filter test     # runs the tests, and says whether Sluice would load it
        sluice filter bench    # what it costs per request
        ```

        \(settings)

        | file | |
        |---|---|
        | `Sources/\(id)/Filter.swift` | the filter |
        | `Sources/\(id)/Plugin.swift` | the list of filters, and the one C function that Sluice looks for |
        | `Tests/\(type)Tests` | its tests, on fake streams |
        | `sluice.yaml` | a config that has it in a chain |

        To deploy it, build it by `swift build -c release`, copy `.build/release/lib\(id).so` to where Sluice runs, and name it
        under `plugins:`. A plugin fits the Sluice that it was built against; `Package.swift` says where that one's sources are.

        """
    }

    private var settings: String {
        let rows =
            switch kind {
            case .http: "| `header` | `\(field)` | the field's name |\n| `value` | `hello` | the field's value |"
            case .byte: "| `most` | `1MiB` | how much a client may send on one connection |"
            case .terminal: "| `text` | `hello` | the answer's body |"
            }
        return "| key | unless set | |\n|---|---|---|\n" + rows
    }
}
