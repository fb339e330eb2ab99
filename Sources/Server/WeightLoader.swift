package import TextGeneration

/// Exchanges the engine behind the server; whoever started the first one knows how.
package protocol WeightLoader: Sendable {
    /// Why the directory cannot be served, as far as its files tell; nil: nothing is known against it. Changes nothing.
    func objection(to path: String) -> String?

    /// Ends the engine that runs and loads the directory instead. Where that fails, the earlier model is loaded again.
    /// Called only while no request is open, and not by two at once.
    func load(_ path: String) async -> WeightUpdate
}

/// How an exchange of models went.
package enum WeightUpdate: Sendable {
    case loaded(TextEngine)
    /// The earlier model, because the wanted one could not be loaded.
    case kept(TextEngine, reason: String)
    /// Neither could be loaded.
    case lost(reason: String)
}
