import Checkpoint
import Compute
import Engine
import FoundationEssentials
import Radish
import TextGeneration

/// From option groups to a running engine: the one place where flags become settings.
enum EngineStart {
    static func load(
        model: ModelOptions, cache: CacheOptions? = nil, scheduling: SchedulingOptions? = nil,
        machine: MachineOptions
    ) async throws -> LocalEngine {
        let progress = TerminalProgress()
        return try await LocalEngine.load(
            source(model), settings: settings(model, cache, scheduling, machine), progress: { progress.show($0) })
    }

    /// Tokenizer, template and defaults alone; nothing is loaded.
    static func assets(_ model: ModelOptions) throws -> ModelAssets {
        let files = try source(model).files()
        return try ModelAssets(
            files: files, tokenizerFiles: model.tokenizerPath.map { try ModelFiles.at($0) } ?? files,
            chatTemplate: chatTemplate(model), reasoningParser: model.reasoningParser,
            toolCallParser: model.toolCallParser)
    }

    static func source(_ model: ModelOptions) -> ModelSource {
        model.modelPath.map { .directory($0) } ?? .demo
    }

    static func settings(
        _ model: ModelOptions, _ cache: CacheOptions?, _ scheduling: SchedulingOptions?, _ machine: MachineOptions
    ) throws -> LocalEngineSettings {
        var engine = EngineConfiguration(modelPath: source(model).name)
        engine.dtype = model.dtype.dtype
        engine.weightFormat = model.quantization?.format ?? .stored
        engine.weightCacheDirectory = model.weightCacheDirectory
        engine.contextLength = model.contextLength
        engine.randomSeed = model.randomSeed
        if let cache {
            engine.memoryFraction = cache.memoryFraction
            engine.maxTotalTokens = cache.maxTotalTokens
            engine.pageSize = cache.pageSize
            engine.kvCacheDType = cache.kvCacheType.dtype
            engine.disableRadixCache = cache.disableRadixCache
            engine.evictionPolicy = cache.evictionPolicy
            engine.maxPinnedTokens = cache.maxPinnedTokens
        }
        if let scheduling {
            engine.maxRunningRequests = scheduling.maxRunningRequests
            engine.maxQueuedRequests = scheduling.maxQueuedRequests
            engine.chunkedPrefillSize = scheduling.chunkedPrefillSize
            engine.maxPrefillTokens = scheduling.maxPrefillTokens
            engine.schedulePolicy = scheduling.schedulePolicy
            engine.maxGapSeconds = scheduling.maxGapMilliseconds.map { $0 / 1000 }
            engine.preemptionThreshold = scheduling.preempts ? scheduling.preemptionThreshold ?? 10 : nil
        }
        var settings = LocalEngineSettings(engine)
        settings.tokenizerDirectory = model.tokenizerPath
        settings.chatTemplate = try chatTemplate(model)
        _ = try AnswerParsers(reasoning: model.reasoningParser, toolCalls: model.toolCallParser, template: nil)
        settings.reasoningParser = model.reasoningParser
        settings.toolCallParser = model.toolCallParser
        settings.threads = machine.threads
        return settings
    }

    /// `--chat-template` is a file if there is one of that name, otherwise the template itself.
    private static func chatTemplate(_ model: ModelOptions) throws -> String? {
        guard let value = model.chatTemplate else { return nil }
        if FileManager.default.fileExists(atPath: value) {
            do {
                return try String(contentsOfFile: value, encoding: .utf8)
            } catch {
                throw OptionError.unreadable(flag: "--chat-template", path: value, reason: "\(error)")
            }
        }
        guard value.contains("{") else { throw OptionError.noSuchTemplate(value) }
        return value
    }
}

/// A flag whose value does not hold up on a second look.
enum OptionError: Error {
    case noSuchTemplate(String)
    case unreadable(flag: String, path: String, reason: String)
    case doesNotFit(String)
}
