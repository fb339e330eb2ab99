import EngineInterface
import TextGeneration
import WireTypes

/// The events of a streamed response: reasoning, message and each call are items, one after the other.
struct ResponseEventWriter: EventWriter {
    /// Complete when the answer has ended.
    private(set) var object: ResponseObject
    private var events = ResponseEvents()
    private let store: @Sendable (ResponseObject) -> Void
    private var open: ResponseItem?
    private var openCall: Int?
    private var tally = UsageTally(choices: 1)

    init(object: ResponseObject, store: @escaping @Sendable (ResponseObject) -> Void) {
        self.object = object
        self.store = store
    }

    var usage: Usage { tally.usage }
    var doneMark: [UInt8] { [] }

    func failure(_ failure: RequestFailure) -> [UInt8] {
        var failed = object
        failed.status = .failed(failure.body)
        var events = events
        return events.response("failed", failed)
    }

    mutating func begin(to bytes: inout [UInt8]) {
        bytes += events.response("created", object)
        bytes += events.response("in_progress", object)
    }

    mutating func write(_ update: AnswerUpdate, to bytes: inout [UInt8]) {
        tally.add(update)
        guard update.finish?.isFailure != true else { return }
        if !update.reasoning.isEmpty {
            if case .reasoning? = open {
            } else {
                enter(.reasoning(id: RequestIdentity.random("rs_"), text: ""), to: &bytes)
            }
            append(update.reasoning, to: &bytes)
        }
        if !update.text.isEmpty {
            if case .message? = open {
            } else {
                enter(.message(id: RequestIdentity.random("msg_"), text: ""), to: &bytes)
            }
            append(update.text, to: &bytes)
        }
        for call in update.calls { say(call, to: &bytes) }
        if let finish = update.finish { end(finish, to: &bytes) }
    }

    private mutating func say(_ call: CallDelta, to bytes: inout [UInt8]) {
        if call.index != openCall {
            openCall = call.index
            let callID = call.id ?? RequestIdentity.random("call_")
            enter(
                .call(id: RequestIdentity.random("fc_"), callID: callID, name: call.name ?? "", arguments: ""),
                to: &bytes)
        }
        if !call.arguments.isEmpty { append(call.arguments, to: &bytes) }
    }

    private mutating func enter(_ item: ResponseItem, to bytes: inout [UInt8]) {
        close(isCut: false, to: &bytes)
        bytes += events.open(item)
        open = item
    }

    private mutating func append(_ piece: String, to bytes: inout [UInt8]) {
        guard let item = open else { return }
        bytes += events.delta(piece, of: item)
        switch item {
        case .reasoning(let id, let text): open = .reasoning(id: id, text: text + piece)
        case .message(let id, let text): open = .message(id: id, text: text + piece)
        case .call(let id, let callID, let name, let arguments):
            open = .call(id: id, callID: callID, name: name, arguments: arguments + piece)
        }
    }

    private mutating func close(isCut: Bool, to bytes: inout [UInt8]) {
        guard let item = open else { return }
        bytes += events.close(item, isCut: isCut)
        object.items.append(item)
        open = nil
    }

    private mutating func end(_ finish: TextFinish, to bytes: inout [UInt8]) {
        object.status = ResponseObject.Status(FinishedBy(finish))
        let isCut = object.status != .completed
        // An answer without any text is a message without any text.
        if open == nil, object.items.isEmpty {
            enter(.message(id: RequestIdentity.random("msg_"), text: ""), to: &bytes)
        }
        close(isCut: isCut, to: &bytes)
        object.usage = tally.usage
        bytes += events.response(isCut ? "incomplete" : "completed", object)
        store(object)
    }

    mutating func end(to bytes: inout [UInt8]) {}
}
