"""The tokenizer: byte-level BPE over the training dialogues, ChatML, and dialogues as ids with a loss mask."""

from dataclasses import dataclass
from random import Random

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, trainers

from .dialogues import Message, curriculum, training_dialogue
from .names import Names

END_OF_TEXT = "<|endoftext|>"
START = "<|im_start|>"
END = "<|im_end|>"
SPECIAL_TOKENS = (END_OF_TEXT, START, END)

# The pattern of GPT-4-like tokenizers with single digits, as Qwen2 published it: numbers are copied digit by digit.
SPLIT_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHAT_TEMPLATE = (
    "{%- for message in messages %}"
    "{{- '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}"
    "{%- endfor %}"
    "{%- if add_generation_prompt %}"
    "{{- '<|im_start|>assistant\\n' }}"
    "{%- endif %}"
)


def _corpus(seed: int, dialogues: int):
    """Dialogues, and as many names alone on a line: answers begin without the space that names have in a sentence."""
    random = Random(f"tokenizer {seed}")
    for index in range(dialogues):
        mixture = curriculum(index / dialogues, random)
        for message in training_dialogue(random, mixture, random.randint(*mixture.facts)):
            yield message["role"] + "\n" + message["content"]
        names = Names(random, held_out=False)
        yield "\n".join(names.person() + "." for _ in range(10))


def train_tokenizer(vocabulary: int, seed: int, dialogues: int = 6000) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(SPLIT_PATTERN), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[AddedToken(token, special=True, normalized=False) for token in SPECIAL_TOKENS],
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_corpus(seed, dialogues), trainer)
    return tokenizer


@dataclass(frozen=True)
class EncodedDialogue:
    """Ids of a rendered dialogue, and for each id the role whose words it belongs to.

    An answer's end token is the assistant's; the frame around a message (role, line break) is the system's.
    """

    ids: list[int]
    roles: list[str]


class DialogueEncoder:
    """Renders messages as `CHAT_TEMPLATE` does and encodes them, remembering who said what."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        self.start = tokenizer.token_to_id(START)
        self.end = tokenizer.token_to_id(END)
        self.padding = tokenizer.token_to_id(END_OF_TEXT)
        self.newline = self._encode("\n")

    def _encode(self, text: str) -> list[int]:
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def dialogue(self, messages: list[Message]) -> EncodedDialogue:
        ids: list[int] = []
        roles: list[str] = []
        for message in messages:
            role, content = message["role"], message["content"]
            # A line break ends a pre-token unless more white space follows, and no message begins with any:
            # encoding the parts gives the ids of the whole.
            head = [self.start, *self._encode(role + "\n")]
            body = [*self._encode(content), self.end]
            ids += head + body + self.newline
            roles += ["system"] * len(head) + [role] * len(body) + ["system"] * len(self.newline)
        return EncodedDialogue(ids, roles)

    def prompt(self, messages: list[Message]) -> list[int]:
        """Ids of the messages and of the head of the assistant's turn to come."""
        return self.dialogue(messages).ids + [self.start, *self._encode("assistant\n")]
