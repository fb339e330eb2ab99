/// SGLang's `session_params`: which earlier request of a session this one continues.
package struct SessionReference: Sendable, Equatable {
    /// The session's id.
    package var id: String
    /// The request to continue; nil: none, except in a streaming session, which goes on where it is.
    package var requestID: String?
    /// Where in the tokens so far the new ones go: `tokens[..<offset] + new`. Nil: at the end.
    package var offset: Int?
    /// Forgets what followed the request it names; without one, everything.
    package var replaces: Bool
    /// Leaves out what the earlier request generated.
    package var dropsOutput: Bool

    package init(_ fields: JSONFields) throws(FieldError) {
        guard let id = try fields.string("id") else { throw FieldError(fields.path("id"), .missing) }
        self.id = id
        requestID = try fields.string("rid")
        offset = try fields.int("offset")
        if let offset, offset < 0 { throw FieldError(fields.path("offset"), .invalid("\(offset) is negative")) }
        replaces = try fields.bool("replace") ?? false
        dropsOutput = try fields.bool("drop_previous_output") ?? false
    }
}
