import WireTypes

/// What one line of a server's log for people tells of a request: `vllm serve --enable-log-requests`, and SGLang's
/// `--log-requests` in its text format. Either server writes more than one line for a request.
struct ServerLogLine {
    var id: String?
    var prompt: LoggedRequest.Prompt?
    var time: Double?
    /// Tokens that were generated, or else asked for.
    var outputTokens: Int?
    var answer: String?
    /// The prompt is there in part only.
    var isPartial = false

    init?(_ line: [UInt8]) {
        // Behind time and place of the line; a prompt may have the same words.
        let beginning = line.prefix(200)
        func place(_ marker: String) -> Int? { beginning.firstRange(of: Array(marker.utf8))?.upperBound }
        if let place = place("Receive: ") ?? place("Finish: ") {
            readSGLang(PythonFields(line[place...], separator: UInt8(ascii: "=")))
        } else if let place = place("Received request ") ?? (place(" details: ") != nil ? place("Request ") : nil) {
            readVLLM(line[place...])
        } else {
            return nil
        }
        guard prompt != nil || isPartial || id != nil else { return nil }
        time = Self.time(String(decoding: line.prefix(48), as: UTF8.self))
    }

    /// SGLang's JSON format: `{"timestamp": …, "event": "request.received", "rid": …, "obj": {…}, "out": {…}}`.
    init(sglang line: JSONObject, _ request: JSONObject) {
        if case .string(let rid)? = line["rid"] ?? request["rid"] { id = rid }
        prompt = LogReader.prompt(request)
        time = LogReader.time(line)
        if case .object(let sampling)? = request["sampling_params"] {
            outputTokens = LogReader.integer(sampling["max_new_tokens"])
        }
        if case .object(let out)? = line["out"] {
            outputTokens = LogReader.completionTokens(out) ?? outputTokens
            answer = LogReader.answer(out)
        }
        if Self.isCut(request) {
            prompt = nil
            isPartial = true
        }
    }

    init(_ request: LoggedRequest) {
        prompt = request.prompt
        time = request.time
        outputTokens = request.outputTokens
        answer = request.answer
    }

    /// Level 2 of `--log-requests-level` keeps 1,024 elements or characters at each end.
    private static func isCut(_ request: JSONObject) -> Bool {
        if case .array(let ids)? = request["input_ids"] { return ids.contains(.string("...")) }
        guard case .string(let text)? = request["text"] else { return false }
        let characters = Array(text.unicodeScalars)
        return characters.count == 2051 && characters[1024..<1027].allSatisfy { $0 == "." }
    }

    /// `ID: prompt: '…', params: SamplingParams(…, max_tokens=16, …), prompt_token_ids: [1, 2], …`, in newer versions
    /// split between this line and one that begins with `Request ID details: `.
    private mutating func readVLLM(_ text: ArraySlice<UInt8>) {
        guard let space = text.firstIndex(of: UInt8(ascii: " ")) else { return }
        id = String(decoding: text[..<space].filter { $0 != UInt8(ascii: ":") }, as: UTF8.self)
        var rest = text[(space + 1)...]
        let details = Array("details: ".utf8)
        if rest.starts(with: details) { rest = rest.dropFirst(details.count) }
        let fields = PythonFields(rest, separator: UInt8(ascii: ":"))
        read(fields, ids: "prompt_token_ids", text: "prompt")
        outputTokens = fields.fields("params", separator: UInt8(ascii: "="))?.integer("max_tokens")
    }

    /// `obj=GenerateReqInput(rid='…', text='…', input_ids=[…], sampling_params={'max_new_tokens': 16}, …), out={…}`.
    private mutating func readSGLang(_ line: PythonFields) {
        guard let request = line.fields("obj", separator: UInt8(ascii: "=")) else { return }
        id = request.string("rid")
        read(request, ids: "input_ids", text: "text")
        let colon = UInt8(ascii: ":")
        let out = line.fields("out", separator: colon)
        outputTokens =
            out?.fields("meta_info", separator: colon)?.integer("completion_tokens")
            ?? request.fields("sampling_params", separator: colon)?.integer("max_new_tokens")
        answer = out?.string("text")
    }

    private mutating func read(_ fields: PythonFields, ids: String, text: String) {
        if let numbers = fields.integers(ids) {
            prompt = .tokens(numbers)
        } else if let string = fields.string(text) {
            prompt = .text([.init(name: "prompt", text: string)])
        } else {
            isPartial = fields.isPartial(ids) || fields.isPartial(text)
        }
    }

    /// `INFO 11-28 19:44:48 [logger.py:39] …` and `[2026-11-28 19:44:48] …`; a year that is not there does not matter.
    private static func time(_ beginning: String) -> Double? {
        let words = beginning.split(separator: " ").map { $0.filter { $0 != "[" && $0 != "]" } }
        guard let clock = words.firstIndex(where: { $0.prefix(6).filter { $0 == ":" }.count == 2 }), clock > 0 else {
            return nil
        }
        let date = words[clock - 1]
        let isWhole = date.filter { $0 == "-" }.count == 2
        return LogReader.seconds((isWhole ? "" : "2000-") + date + " " + words[clock])
    }
}
