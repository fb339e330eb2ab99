/// A part of the output of `POST /v1/responses`.
package enum ResponseItem: Sendable, Equatable {
    case reasoning(id: String, text: String)
    case message(id: String, text: String)
    case call(id: String, callID: String, name: String, arguments: String)

    package var id: String {
        switch self {
        case .reasoning(let id, _), .message(let id, _), .call(let id, _, _, _): id
        }
    }

    /// - Parameter isDone: false while it is being written: then what it holds is still empty.
    func write(isDone: Bool, status: String, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", id)
            switch self {
            case .reasoning(_, let text):
                writer.field("type", "reasoning")
                writer.arrayField("summary") { _ in }
                writer.arrayField("content") { writer in
                    if isDone { Self.reasoningPart(text, to: &writer) }
                }
                writer.nullField("encrypted_content")
            case .message(_, let text):
                writer.field("type", "message")
                writer.field("role", "assistant")
                writer.arrayField("content") { writer in
                    if isDone { Self.textPart(text, to: &writer) }
                }
            case .call(_, let callID, let name, let arguments):
                writer.field("type", "function_call")
                writer.field("call_id", callID)
                writer.field("name", name)
                writer.field("arguments", isDone ? arguments : "")
            }
            writer.field("status", status)
        }
    }

    static func textPart(_ text: String, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("type", "output_text")
            writer.field("text", text)
            writer.arrayField("annotations") { _ in }
            writer.arrayField("logprobs") { _ in }
        }
    }

    static func reasoningPart(_ text: String, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("type", "reasoning_text")
            writer.field("text", text)
        }
    }
}

/// The response object of the OpenAI API.
package struct ResponseObject: Sendable {
    package enum Status: Sendable, Equatable {
        case inProgress
        case completed
        /// Cut, for this reason.
        case incomplete(String)
        case failed(ErrorBody)

        package init(_ finish: FinishedBy) {
            switch finish.name {
            case "length": self = .incomplete("max_output_tokens")
            case "abort": self = .incomplete("cancelled")
            default: self = .completed
            }
        }

        var name: String {
            switch self {
            case .inProgress: "in_progress"
            case .completed: "completed"
            case .incomplete: "incomplete"
            case .failed: "failed"
            }
        }
    }

    package var id: String
    /// Seconds since 1970.
    package var created: Int
    package var model: String
    package var echo: ResponsesRequest.Echo
    package var status = Status.inProgress
    package var items: [ResponseItem] = []
    package var usage: Usage?

    package init(id: String, created: Int, model: String, echo: ResponsesRequest.Echo) {
        self.id = id
        self.created = created
        self.model = model
        self.echo = echo
    }

    /// The chat message that this response is in the conversation.
    package var turn: [JSONValue] {
        var message = JSONObject([("role", .string("assistant")), ("content", .string(""))])
        var calls: [JSONValue] = []
        for item in items {
            switch item {
            case .reasoning(_, let text): message.set("reasoning_content", .string(text))
            case .message(_, let text): message.set("content", .string(text))
            case .call(_, let callID, let name, let arguments):
                calls.append(ChatJSON.call(id: callID, name: name, arguments: arguments))
            }
        }
        if !calls.isEmpty { message.set("tool_calls", .array(calls)) }
        return [.object(message)]
    }

    package var json: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }

    package func write(to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("id", id)
            writer.field("object", "response")
            writer.field("created_at", created)
            writer.field("status", status.name)
            writer.field("background", false)
            writer.name("error")
            if case .failed(let body) = status {
                writer.object { writer in
                    writer.field("code", "server_error")
                    writer.field("message", body.message)
                }
            } else {
                writer.null()
            }
            writer.name("incomplete_details")
            if case .incomplete(let reason) = status {
                writer.object { $0.field("reason", reason) }
            } else {
                writer.null()
            }
            writer.field("model", model)
            writer.arrayField("output") { writer in
                for item in items { item.write(isDone: true, status: itemStatus, to: &writer) }
            }
            settings(to: &writer)
            writer.name("usage")
            if let usage { Self.write(usage, to: &writer) } else { writer.null() }
        }
    }

    private var itemStatus: String {
        if case .incomplete = status { "incomplete" } else { "completed" }
    }

    private func settings(to writer: inout JSONWriter) {
        writer.field("instructions", echo.instructions)
        writer.field("max_output_tokens", echo.maxOutputTokens)
        writer.nullField("max_tool_calls")
        writer.field("parallel_tool_calls", echo.parallel)
        writer.field("previous_response_id", echo.previousID)
        writer.name("reasoning")
        writer.value(
            echo.reasoning == .null ? .object(JSONObject([("effort", .null), ("summary", .null)])) : echo.reasoning)
        writer.field("service_tier", "default")
        writer.field("store", echo.isStored)
        writer.field("temperature", echo.temperature)
        writer.objectField("text") { writer in
            writer.name("format")
            writer.value(echo.format)
            writer.field("verbosity", "medium")
        }
        writer.name("tool_choice")
        writer.value(echo.toolChoice)
        writer.name("tools")
        writer.value(echo.tools)
        writer.field("top_logprobs", 0)
        writer.field("top_p", echo.topP)
        writer.field("truncation", "disabled")
        writer.field("user", echo.user)
        writer.name("metadata")
        writer.value(echo.metadata)
    }

    private static func write(_ usage: Usage, to writer: inout JSONWriter) {
        writer.object { writer in
            writer.field("input_tokens", usage.promptTokens)
            writer.objectField("input_tokens_details") {
                $0.field("cached_tokens", min(usage.cachedTokens, usage.promptTokens))
            }
            writer.field("output_tokens", usage.completionTokens)
            writer.objectField("output_tokens_details") { $0.field("reasoning_tokens", usage.reasoningTokens) }
            writer.field("total_tokens", usage.promptTokens + usage.completionTokens)
        }
    }
}
