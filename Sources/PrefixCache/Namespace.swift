/// Separates prefixes that must not be shared although their tokens are equal: another tenant's salt, another adapter.
/// The model is no part of it: one tree serves one model.
package struct Namespace: Hashable, Sendable {
    /// Chosen by the client or the operator; empty is the namespace shared by all.
    package var salt: String
    /// Name of the adapter that changes the KV values; empty for the bare model.
    package var adapter: String

    package init(salt: String = "", adapter: String = "") {
        self.salt = salt
        self.adapter = adapter
    }

    package static let shared = Namespace()
}
