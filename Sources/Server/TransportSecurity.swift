import Hummingbird
import HummingbirdCore
import HummingbirdTLS
import NIOSSL

/// Files of a certificate and its key, in PEM form.
package struct TransportSecurity: Sendable, Equatable {
    /// The server's certificate, then those that signed it.
    package var certificatePath: String
    package var keyPath: String
    /// Nil: the key is not encrypted.
    package var password: String?

    package init(certificatePath: String, keyPath: String, password: String? = nil) {
        self.certificatePath = certificatePath
        self.keyPath = keyPath
        self.password = password
    }

    /// - Throws: `ServerError.badCertificate` naming the file.
    func configuration() throws(ServerError) -> TLSConfiguration {
        let chain: [NIOSSLCertificate]
        do { chain = try NIOSSLCertificate.fromPEMFile(certificatePath) } catch {
            throw .badCertificate(path: certificatePath, reason: "\(error)")
        }
        let key: NIOSSLPrivateKey
        do {
            if let password {
                key = try NIOSSLPrivateKey(file: keyPath, format: .pem) { $0(Array(password.utf8)) }
            } else {
                key = try NIOSSLPrivateKey(file: keyPath, format: .pem)
            }
        } catch { throw .badCertificate(path: keyPath, reason: "\(error)") }
        return .makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
    }
}
