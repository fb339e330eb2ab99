"""How the embedded demo model is made: facts, dialogues, tokenizer, model, training, export."""
