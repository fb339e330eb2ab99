import Testing
import Tokenizers

@Suite("Ids and texts as the reference library makes them")
struct ReferenceTests {
    @Test("small tokenizers encode, decode and stream alike", arguments: Cases.names)
    func smallTokenizers(_ name: String) throws {
        let tokenizer = try Cases.tokenizer(name)
        let rows: [Cases.TextRow] = try Cases.rows(TokenizerCases.texts)
        let own = rows.filter { $0.tokenizer == name }
        try #require(own.count > 20)
        for row in own {
            let text = row.text
            #expect(tokenizer.encode(text, addSpecialTokens: false) == row.ids, "\(text)")
            #expect(tokenizer.encode(text, addSpecialTokens: true) == row.ids_with_special, "\(text)")
            #expect(tokenizer.encode(text, addSpecialTokens: false, parseSpecial: false) == row.ids_unparsed, "\(text)")
            let decoded = tokenizer.decode(row.ids, skipSpecialTokens: false)
            #expect(sameBytes(decoded, row.decoded), "\(text): \(decoded)")
            let skipped = tokenizer.decode(row.ids_with_special, skipSpecialTokens: true)
            #expect(sameBytes(skipped, row.decoded_skip_special), "\(text): \(skipped)")
            #expect(sameBytes(streamed(tokenizer, row.ids, skipSpecialTokens: false), row.decoded), "\(text)")
            #expect(
                sameBytes(streamed(tokenizer, row.ids_with_special, skipSpecialTokens: true), row.decoded_skip_special),
                "\(text)")
        }
    }

    @Test("two texts are put together and cut alike") func pairs() throws {
        let rows: [Cases.PairRow] = try Cases.rows(TokenizerCases.pairs)
        try #require(rows.count > 40)
        for row in rows {
            let tokenizer = try Cases.tokenizer(row.tokenizer)
            let made = try #require(tokenizer.encodePair(row.first, row.second, limit: row.limit))
            #expect(made.ids == row.ids, "\(row)")
            #expect(made.types == row.types, "\(row)")
        }
    }

    @Test("the tokenizer of stories260k gives back its story", .enabled(if: SharedCases.root != nil))
    func stories() throws {
        let folder = try #require(SharedCases.root) + "/models/stories260k"
        let tokenizer = try Tokenizer(json: SharedCases.read(folder + "/tokenizer.json"))
        let story = String(decoding: try SharedCases.read(folder + "/expected.txt"), as: UTF8.self)
        let ids = tokenizer.encode(story, addSpecialTokens: true)
        #expect(ids.first == 1)
        #expect(tokenizer.vocabularySize == 512)
        #expect(sameBytes(tokenizer.decode(ids, skipSpecialTokens: true), story))
        #expect(sameBytes(streamed(tokenizer, ids, skipSpecialTokens: true), story))
        #expect(ids.count < story.utf8.count / 2)
    }
}
