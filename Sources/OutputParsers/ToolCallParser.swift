/// How a model writes calls of functions. Names are SGLang's; vLLM's are understood.
package enum ToolCallParser: String, Sendable, CaseIterable {
    case qwen25
    case hermes
    case llama3
    case mistral
    case deepSeekV3 = "deepseekv3"
    case deepSeekV31 = "deepseekv31"
    case kimiK2 = "kimi_k2"
    case pythonic
    case qwen3Coder = "qwen3_coder"
    case glm45
    case glm47
    case gptOSS = "gpt-oss"

    /// Other names by which the peers call the same.
    private static let aliases: [String: ToolCallParser] = [
        "qwen": .qwen25, "llama3_json": .llama3, "llama4_json": .llama3, "deepseek_v3": .deepSeekV3,
        "deepseek_v31": .deepSeekV31, "llama4_pythonic": .pythonic, "olmo3": .pythonic, "openai": .gptOSS,
        "qwen3_xml": .qwen3Coder, "glm": .glm45,
    ]

    package init?(name: String) {
        guard let found = Self(rawValue: name) ?? Self.aliases[name] else { return nil }
        self = found
    }

    /// Every name that is understood, for messages.
    package static var names: [String] { allCases.map(\.rawValue) + aliases.keys.sorted() }

    /// The parser that a chat template's marks ask for; nil if it shows none that is known.
    package init?(template: String) {
        if template.contains("<|channel|>"), template.contains("<|message|>") {
            self = .gptOSS
        } else if template.contains("<｜tool▁calls▁begin｜>") {
            self =
                template.contains("'function<｜tool▁sep｜>") || template.contains("function' + '<｜tool▁sep｜>")
                    || template.contains("```json") ? .deepSeekV3 : .deepSeekV31
        } else if template.contains("<|tool_calls_section_begin|>") {
            self = .kimiK2
        } else if template.contains("[TOOL_CALLS]") {
            self = .mistral
        } else if template.contains("<arg_key>") {
            self = template.contains("</arg_key><arg_value>") ? .glm47 : .glm45
        } else if template.contains("<function="), template.contains("<parameter=") {
            self = .qwen3Coder
        } else if template.contains("<tool_call>") {
            self = .hermes
        } else if template.contains("[func_name1(") {
            self = .pythonic
        } else if template.contains("<|python_tag|>") || template.contains("\"parameters\": dictionary of argument") {
            self = .llama3
        } else {
            return nil
        }
    }

    /// The mark that begins a call, where there is one.
    package var opening: String? {
        switch self {
        case .qwen25, .hermes: HermesSyntax.open
        case .mistral: MistralSyntax.markers[0]
        case .deepSeekV3, .deepSeekV31: SectionSyntax.Marks.deepSeek.sectionBegin
        case .kimiK2: SectionSyntax.Marks.kimi.sectionBegin
        case .llama3: Llama3Syntax.tag
        case .qwen3Coder: QwenCoderSyntax.markers[0]
        case .glm45, .glm47: GLMSyntax.markers[0]
        case .pythonic, .gptOSS: nil
        }
    }

    /// Marks that must stay in the text even where a tokenizer has them as special tokens.
    var marks: [String] {
        switch self {
        case .qwen25, .hermes: [HermesSyntax.open, HermesSyntax.close]
        case .mistral: MistralSyntax.markers
        case .deepSeekV3, .deepSeekV31: SectionSyntax.Marks.deepSeek.all
        case .kimiK2: SectionSyntax.Marks.kimi.all
        case .llama3: [Llama3Syntax.tag]
        case .pythonic: []
        case .qwen3Coder: QwenCoderSyntax.markers
        case .glm45, .glm47: GLMSyntax.markers
        case .gptOSS: HarmonySyntax.markers
        }
    }

    /// Whether calls are written in tags that do not tell text from other values.
    package var needsTypes: Bool {
        switch self {
        case .qwen3Coder, .glm45, .glm47: true
        default: false
        }
    }

    /// - Parameters:
    ///   - functions: names in the request; needed where calls look like ordinary text.
    ///   - texts: of each function the parameters that are strings; needed where `needsTypes`.
    func syntax(functions: Set<String>, texts: [String: Set<String>]) -> any ToolCallSyntax {
        switch self {
        case .qwen25, .hermes: HermesSyntax()
        case .mistral: MistralSyntax()
        case .deepSeekV3, .deepSeekV31: SectionSyntax(.deepSeek)
        case .kimiK2: SectionSyntax(.kimi)
        case .llama3: Llama3Syntax(functions: functions)
        case .pythonic: PythonicSyntax(functions: functions)
        case .qwen3Coder: QwenCoderSyntax(functions: functions, texts: texts)
        case .glm45, .glm47: GLMSyntax(functions: functions, texts: texts)
        case .gptOSS: HarmonySyntax(separatesReasoning: false, parsesCalls: true)
        }
    }
}
