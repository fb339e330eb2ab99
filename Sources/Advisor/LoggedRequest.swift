import WireTypes

/// One request of recorded traffic, as far as the log tells.
package struct LoggedRequest: Sendable, Equatable {
    /// A piece of the prompt with a name for people: `tools`, `system message`, `user message 2`.
    package struct Segment: Sendable, Equatable {
        package var name: String
        package var text: String

        package init(name: String, text: String) {
            self.name = name
            self.text = text
        }
    }

    package enum Prompt: Sendable, Equatable {
        case text([Segment])
        case tokens([Int32])
        /// Hashes of consecutive blocks; equal hashes stand for equal content behind equal content.
        case blocks([Int], tokensPerBlock: Int)
    }

    package var prompt: Prompt
    /// Seconds; only differences matter. Nil if the log has no times.
    package var time: Double?
    package var outputTokens: Int?
    /// What was answered, if logged: it may come back as part of the next prompt.
    package var answer: String?

    package init(prompt: Prompt, time: Double? = nil, outputTokens: Int? = nil, answer: String? = nil) {
        self.prompt = prompt
        self.time = time
        self.outputTokens = outputTokens
        self.answer = answer
    }
}

/// Reads traffic, one request per line, whatever of these wrote it: OpenAI request bodies (bare, or under `body`,
/// `request`, `params` as in batch files and gateways' logs), SGLang's native requests and the log of its
/// `--log-requests` in both formats, lines of `vllm serve --enable-log-requests`, Mooncake traces, and `radish record`.
package enum LogReader {
    package struct Traffic: Sendable {
        /// In order of arrival.
        package var requests: [LoggedRequest] = []
        /// Lines that were no requests.
        package var skipped = 0
        /// Requests whose prompts the log has in part or not at all.
        package var partial = 0
    }

    package static func read(_ lines: [[UInt8]]) -> Traffic {
        var traffic = Traffic()
        var requests: [LoggedRequest] = []
        /// Servers' own logs have several lines for a request.
        var known: [String: Int] = [:]
        var partial: Set<String> = []
        var waiting: [String: Int] = [:]
        for line in lines {
            guard let entry = entry(line) else {
                traffic.skipped += 1
                continue
            }
            if let id = entry.id, let index = known[id] {
                requests[index].outputTokens = entry.outputTokens ?? requests[index].outputTokens
                requests[index].answer = entry.answer ?? requests[index].answer
                continue
            }
            guard let prompt = entry.prompt else {
                partial.insert(entry.id ?? "line \(partial.count)")
                if let id = entry.id { waiting[id] = entry.outputTokens }
                continue
            }
            if let id = entry.id { known[id] = requests.count }
            requests.append(
                LoggedRequest(
                    prompt: prompt, time: entry.time,
                    outputTokens: entry.outputTokens ?? entry.id.flatMap { waiting[$0] }, answer: entry.answer))
        }
        if requests.contains(where: { $0.time != nil }) {
            // Logs are often written when a request ends.
            requests = requests.enumerated().sorted {
                ($0.element.time ?? 0, $0.offset) < ($1.element.time ?? 0, $1.offset)
            }
            .map(\.element)
        }
        traffic.requests = requests
        traffic.partial = partial.count { known[$0] == nil }
        return traffic
    }

    private static func entry(_ line: [UInt8]) -> ServerLogLine? {
        guard case .object(let root)? = try? JSONParser.parse(line) else { return ServerLogLine(line) }
        if case .string(let event)? = root["event"], event.hasPrefix("request."),
            case .object(let object)? = root["obj"]
        {
            return ServerLogLine(sglang: root, object)
        }
        return request(root).map(ServerLogLine.init)
    }

    private static func request(_ root: JSONObject) -> LoggedRequest? {
        var body = root
        for name in ["body", "request", "params", "obj", "input"] {
            if case .object(let inner)? = root[name], prompt(inner) != nil { body = inner }
        }
        guard let prompt = prompt(body) else { return nil }
        var request = LoggedRequest(prompt: prompt)
        request.time = time(root) ?? time(body)
        let response: JSONObject? = ["response", "output", "result"].lazy.compactMap { name -> JSONObject? in
            if case .object(let inner)? = root[name] {
                if case .object(let body)? = inner["body"] { return body }
                return inner
            }
            return nil
        }.first
        request.outputTokens =
            integer(root["output_length"]) ?? response.flatMap(completionTokens) ?? completionTokens(root)
        request.answer = response.flatMap(answer)
        if request.outputTokens == nil {
            for name in ["max_completion_tokens", "max_tokens"] where request.outputTokens == nil {
                request.outputTokens = integer(body[name])
            }
            if case .object(let sampling)? = body["sampling_params"] {
                request.outputTokens = request.outputTokens ?? integer(sampling["max_new_tokens"])
            }
        }
        return request
    }

    static func prompt(_ body: JSONObject) -> LoggedRequest.Prompt? {
        if case .array(let hashes)? = body["hash_ids"] {
            return .blocks(hashes.compactMap(integer), tokensPerBlock: integer(body["block_tokens"]) ?? 512)
        }
        if case .array(let messages)? = body["messages"] { return .text(segments(messages, tools: body["tools"])) }
        for name in ["input_ids", "prompt_token_ids", "prompt", "text"] {
            switch body[name] {
            case .array(let elements)?:
                let ids = elements.compactMap { integer($0).flatMap { Int32(exactly: $0) } }
                if ids.count == elements.count, !ids.isEmpty { return .tokens(ids) }
            case .string(let text)?: return .text([.init(name: "prompt", text: text)])
            default: break
            }
        }
        return nil
    }

    private static func segments(_ messages: [JSONValue], tools: JSONValue?) -> [LoggedRequest.Segment] {
        var segments: [LoggedRequest.Segment] = []
        if case .array(let tools)? = tools {
            // One line for each, so that a changed order shows.
            let text = tools.map { tool in
                var writer = JSONWriter()
                writer.value(tool)
                return String(decoding: writer.bytes, as: UTF8.self)
            }.joined(separator: "\n")
            segments.append(.init(name: "tools", text: text + "\n"))
        }
        var counts: [String: Int] = [:]
        for message in messages {
            guard case .object(let object) = message else { continue }
            let role = if case .string(let role)? = object["role"] { role } else { "user" }
            counts[role, default: 0] += 1
            var text = ""
            switch object["content"] {
            case .string(let content)?: text = content
            case .array(let parts)?:
                text = parts.compactMap { part -> String? in
                    if case .object(let part) = part, case .string(let text)? = part["text"] { text } else { nil }
                }.joined(separator: "\n")
            default: break
            }
            if let calls = object["tool_calls"], calls != .null {
                var writer = JSONWriter()
                writer.value(calls)
                text += String(decoding: writer.bytes, as: UTF8.self)
            }
            let number = counts[role, default: 1]
            segments.append(
                .init(name: "\(role) message" + (number > 1 ? " \(number)" : ""), text: "<\(role)>\n\(text)\n"))
        }
        return segments
    }

    /// Seconds. Numbers beyond the year 5000 are milliseconds.
    static func time(_ object: JSONObject) -> Double? {
        for name in ["timestamp", "created", "created_at", "time", "ts", "start_time", "arrival_time"] {
            switch object[name] {
            // Mooncake's times begin with 0 and count milliseconds.
            case .int(let value)?:
                let seconds =
                    object["hash_ids"] == nil && value < 100_000_000_000 ? Double(value) : Double(value) / 1000
                return seconds
            case .number(let value)?: return value < 1e11 ? value : value / 1000
            case .string(let text)?: if let seconds = seconds(text) { return seconds }
            default: break
            }
        }
        return nil
    }

    /// `2026-01-31T12:00:00.5Z`; offsets are ignored, only differences matter.
    static func seconds(_ text: String) -> Double? {
        let numbers = text.split { !("0"..."9").contains($0) && $0 != "." }.prefix(6).compactMap { Double($0) }
        guard numbers.count == 6, numbers[0] > 1900 else { return nil }
        // Days since 1970 of the proleptic Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
        let (month, day) = (Int(numbers[1]), Int(numbers[2]))
        let year = Int(numbers[0]) - (month <= 2 ? 1 : 0)
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        let days = year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
        return Double(days) * 86400 + numbers[3] * 3600 + numbers[4] * 60 + numbers[5]
    }

    static func completionTokens(_ object: JSONObject) -> Int? {
        for name in ["usage", "meta_info"] {
            if case .object(let usage)? = object[name], let count = integer(usage["completion_tokens"]) { return count }
        }
        return integer(object["completion_tokens"]) ?? integer(object["output_tokens"])
    }

    static func answer(_ object: JSONObject) -> String? {
        if case .string(let text)? = object["text"] { return text }
        guard case .array(let choices)? = object["choices"], case .object(let choice)? = choices.first else {
            return nil
        }
        if case .string(let text)? = choice["text"] { return text }
        if case .object(let message)? = choice["message"], case .string(let text)? = message["content"] { return text }
        return nil
    }

    static func integer(_ value: JSONValue?) -> Int? {
        switch value {
        case .int(let value)?: value
        case .number(let value)?: Int(exactly: value)
        default: nil
        }
    }
}
