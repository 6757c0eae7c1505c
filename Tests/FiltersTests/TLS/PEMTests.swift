import FilterAPI
import Testing

@testable import Filters

@Suite("Files with certificates and keys") struct PEMTests {
    private let folder = TestFolder()
    private let pair = TestPair.any

    /// What is said of a file, its path as `F`; nil where it is good.
    private func problem(_ bytes: [UInt8], _ body: (String) throws(FileProblem) -> Void) -> String? {
        let path = folder.write("file", bytes)
        do throws(FileProblem) { try body(path) } catch {
            #expect(error.message.hasPrefix("`\(path)` "))
            return String(error.message.dropFirst(path.utf8.count + 3))
        }
        return nil
    }

    private func certificates(_ text: String) -> String? {
        problem(Array(text.utf8)) { path throws(FileProblem) in _ = try PEM.certificates(path) }
    }

    private func key(_ text: String, passphrase: String? = nil) -> String? {
        problem(Array(text.utf8)) { path throws(FileProblem) in
            _ = unsafe try PEM.key(path, passphrase: passphrase.map { Array($0.utf8) })
        }
    }

    @Test("chains are read in order, with words around them, and whatever the ends of lines") func chains() throws {
        let other = TestPair.make()
        for text in [
            pair.certificate + other.certificate,
            "words\n" + pair.certificate + "\nmore\n" + other.certificate + "\n\n",
            (pair.certificate + other.certificate).replacing("\n", with: "\r\n"),
            pair.key + pair.certificate + other.certificate,
        ] {
            let read = try PEM.certificates(folder.write("chain", text))
            #expect(read.count == 2)
        }
        #expect(certificates(String((pair.certificate + other.certificate).dropLast(1))) == nil)
    }

    @Test("what is wrong with a certificate is said in words") func brokenCertificates() {
        let broken = "-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n"
        let unreadable = "has a certificate that cannot be read: "
        #expect(certificates("") == "is empty")
        #expect(certificates("\n\n") == "has no certificate")
        #expect(certificates("to be done") == "has no certificate")
        #expect(certificates(pair.key) == "has no certificate")
        #expect(certificates(broken)?.hasPrefix(unreadable) == true)
        #expect(certificates(pair.certificate + broken)?.hasPrefix(unreadable) == true)
        for length in [30, 100, pair.certificate.utf8.count - 30, pair.certificate.utf8.count - 4] {
            #expect(certificates(String(pair.certificate.prefix(length)))?.hasPrefix(unreadable) == true, "\(length)")
        }
        let other = pair.certificate.replacing("BEGIN CERT", with: "BEGIN TRUSTED CERT")
        #expect(certificates(other)?.hasPrefix(unreadable) == true)
        let der = problem(pair.der) { path throws(FileProblem) in _ = try PEM.certificates(path) }
        #expect(der == "is not PEM, it looks like DER")
    }

    @Test("what is wrong with a key is said in words") func brokenKeys() {
        let sealed = TestPair.make(passphrase: "words").key
        #expect(key(pair.key) == nil)
        #expect(key(sealed, passphrase: "words") == nil)
        #expect(key(sealed) == "is encrypted")
        #expect(key(sealed, passphrase: "other") == "cannot be decrypted with this passphrase")
        #expect(
            key(sealed, passphrase: String(repeating: "x", count: 2000)) == "cannot be decrypted with this passphrase")
        #expect(key("") == "is empty")
        #expect(key(pair.certificate) == "has no private key")
        #expect(key("to be done") == "has no private key")
        for length in [40, pair.key.utf8.count - 20] {
            let found = key(String(pair.key.prefix(length)))
            #expect(found?.hasPrefix("has a private key that cannot be read: ") == true, "\(length)")
        }
        #expect(key("0\u{1}nothing") == "is not PEM, it looks like DER")
    }

    @Test("what cannot be read as a file is said with its cause") func files() throws {
        func problem(_ path: String) -> String? {
            do throws(FileProblem) { _ = try PEM.certificates(path) } catch { return error.message }
            return nil
        }
        #expect(problem(folder.path) == "`\(folder.path)` is not a file")
        #expect(problem(folder.path + "/none") == "`\(folder.path)/none` cannot be read: No such file or directory")
        #expect(problem("/dev/null") == "`/dev/null` is not a file")
        let file = folder.write("file", "x")
        #expect(problem(file + "/below") == "`\(file)/below` cannot be read: Not a directory")
    }

    @Test("a passphrase is the first line of its file") func passphrases() throws {
        for (text, expected) in [("words", "words"), ("words\n", "words"), ("two words\r\nmore", "two words")] {
            #expect(try PEM.passphrase(folder.write("words", text)) == Array(expected.utf8))
        }
        for text in ["\n", "\r\nwords", String(repeating: "x", count: 1025)] {
            let found = problem(Array(text.utf8)) { path throws(FileProblem) in _ = try PEM.passphrase(path) }
            #expect(found == "has no passphrase of 1 to 1024 bytes")
        }
    }

    @Test("lists of revocations and staples are looked at as well") func others() {
        func revocations(_ text: String) -> String? {
            problem(Array(text.utf8)) { path throws(FileProblem) in unsafe try PEM.revocations(path) { _ in } }
        }
        #expect(revocations(TestPair.revocationsPEM) == nil)
        #expect(revocations(pair.certificate) == "has no list of revoked certificates")
        let half = revocations(String(TestPair.revocationsPEM.prefix(150)))
        #expect(half?.hasPrefix("has a list of revoked certificates that cannot be read: ") == true)
        func staple(_ bytes: [UInt8]) -> String? {
            problem(bytes) { path throws(FileProblem) in _ = try PEM.staple(path) }
        }
        #expect(staple(Array("nothing".utf8)) == "is not an OCSP response in DER")
        #expect(staple(pair.der) == "is not an OCSP response in DER")
        // An OCSPResponse with nothing but its status, `tryLater`.
        #expect(staple([0x30, 3, 0x0A, 1, 3]) == "is an OCSP response that tells of an error")
    }
}
