package import ChatTemplates
package import EngineInterface

/// A request for text, the same for HTTP, command and library. Hop 2 turns it into a `GenerationRequest`, hop 8 turns
/// the tokens back into `TextEvent`s.
package struct TextRequest: Sendable {
    package enum Prompt: Sendable {
        /// Encoded with the tokenizer's own special tokens (BOS), nothing else.
        case text(String)
        case tokens([Int32])
        case chat(ChatPrompt)
    }

    package var id: String
    package var prompt: Prompt
    package var sampling: SamplingParameters
    /// Ends the text where one appears; not part of the text unless `includeStop`.
    package var stop: [String]
    /// Regular expressions that end the text behind their first match.
    package var stopPatterns: [String] = []
    package var includeStop: Bool
    package var skipSpecialTokens: Bool
    package var cacheNamespace: String
    package var priority: Int
    /// Keeps the prompt, or beginnings of it, in the cache once they have been computed.
    package var pins: [PinRequest] = []
    /// Places in the conversation up to which the client wants the prompt kept.
    package var cacheMarks: [CacheMark] = []
    /// Nil: the prompt's own log-probabilities are not wanted.
    package var promptLogprobs: PromptLogprobs?
    /// Only the last so many tokens of the prompt are used. -1: as many as leave room for `maxTokens` in the context.
    package var keptPromptTokens: Int?
    /// How the answer is sorted into content, reasoning and calls.
    package var output = OutputForm()
    /// What the answer must look like; nil: anything.
    package var constraint: Constraint?
    package var constraintOptions = ConstraintOptions()

    package init(
        id: String, prompt: Prompt, sampling: SamplingParameters = SamplingParameters(), stop: [String] = [],
        includeStop: Bool = false, skipSpecialTokens: Bool = true, cacheNamespace: String = "", priority: Int = 0,
        promptLogprobs: PromptLogprobs? = nil, keptPromptTokens: Int? = nil
    ) {
        self.id = id
        self.prompt = prompt
        self.sampling = sampling
        self.stop = stop
        self.includeStop = includeStop
        self.skipSpecialTokens = skipSpecialTokens
        self.cacheNamespace = cacheNamespace
        self.priority = priority
        self.promptLogprobs = promptLogprobs
        self.keptPromptTokens = keptPromptTokens
    }
}

/// A conversation to be rendered by the model's chat template.
package struct ChatPrompt: Sendable {
    /// One dictionary per message, as the template sees it: `role`, `content` (string, or list of parts), `name`,
    /// `tool_calls`, `tool_call_id`, … in the order of the client's JSON.
    package var messages: [JinjaValue]
    /// As the client sent them; nil if none.
    package var tools: JinjaValue?
    /// Opens the assistant's turn.
    package var addGenerationPrompt: Bool
    /// Leaves the last message open so that the model continues it; excludes `addGenerationPrompt`.
    package var continueFinalMessage: Bool
    /// `chat_template_kwargs`: further variables for the template, for example `enable_thinking`.
    package var templateVariables: [(String, JinjaValue)]

    package init(
        messages: [JinjaValue], tools: JinjaValue? = nil, addGenerationPrompt: Bool = true,
        continueFinalMessage: Bool = false, templateVariables: [(String, JinjaValue)] = []
    ) {
        self.messages = messages
        self.tools = tools
        self.addGenerationPrompt = addGenerationPrompt
        self.continueFinalMessage = continueFinalMessage
        self.templateVariables = templateVariables
    }
}

/// A place in a conversation up to which its prompt is worth keeping, for so many seconds.
package struct CacheMark: Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        /// Behind tools and system messages.
        case behindTools
        case behindMessage(Int)
        /// Behind so many UTF-8 bytes of a message's text.
        case within(message: Int, bytes: Int)
    }

    package var place: Place
    package var timeToLive: Double

    package init(_ place: Place, timeToLive: Double) {
        self.place = place
        self.timeToLive = timeToLive
    }
}

/// What a text request yields. Order: `started` once, `delta`s, exactly one `finished`.
package enum TextEvent: Sendable, Equatable {
    case started(CacheReport)
    case delta(TextDelta)
    case finished(TextFinish)
}

/// Text that has become certain (never half a character, never part of a stop string). What it says was said in this
/// order: reasoning, text, calls.
package struct TextDelta: Sendable, Equatable {
    /// May be empty while bytes of one character or the start of a stop string are held back.
    package var text: String
    package var reasoning = ""
    package var calls: [CallDelta] = []
    /// The tokens that arrived since the last delta, in order.
    package var tokens: [GeneratedToken]
    /// The prompt's tokens with their log-probabilities, if they were asked for: once, before any other.
    package var prompt: [GeneratedToken]

    package init(text: String = "", tokens: [GeneratedToken] = [], prompt: [GeneratedToken] = []) {
        self.text = text
        self.tokens = tokens
        self.prompt = prompt
    }

    /// Says nothing.
    package var isEmpty: Bool { text.isEmpty && reasoning.isEmpty && calls.isEmpty && tokens.isEmpty && prompt.isEmpty }

    /// Adds what comes next, unless the whole would then say it in another order.
    /// - Returns: false where nothing was added for that reason.
    package mutating func append(_ next: TextDelta) -> Bool {
        guard next.reasoning.isEmpty || (text.isEmpty && calls.isEmpty), next.text.isEmpty || calls.isEmpty else {
            return false
        }
        reasoning += next.reasoning
        text += next.text
        for call in next.calls { CallDelta.append(call, to: &calls) }
        tokens += next.tokens
        prompt += next.prompt
        return true
    }
}

package struct TextFinish: Sendable, Equatable {
    package enum Reason: Sendable, Equatable {
        case stopToken(Int32)
        case stopString(String)
        /// The constraint leaves nothing that could follow.
        case complete
        case length
        case aborted
        case failed(RequestError)
    }
    package var reason: Reason
    package var usage: GenerationUsage
    /// Completion tokens that were reasoning.
    package var reasoningTokens: Int
    /// Calls the answer holds.
    package var calls: Int

    package init(reason: Reason, usage: GenerationUsage, reasoningTokens: Int = 0, calls: Int = 0) {
        self.reason = reason
        self.usage = usage
        self.reasoningTokens = reasoningTokens
        self.calls = calls
    }
}
