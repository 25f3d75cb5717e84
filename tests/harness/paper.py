"""Paper: random documents, hostile ones among them, drawn for every kind of printer and read by a strict reader that shares
nothing with what draws. No command reaches the wire but our own, and the picture that arrives is the picture that was drawn."""

from __future__ import annotations

import random
from dataclasses import replace

from PIL import Image

from pos.sandbox import escpos_reader as reader
from pos.sandbox.escpos_job import Cut as CutEvent
from pos.sandbox.escpos_job import Feed, Initialise, Job, Raster, TextLine
from receipts import escpos, raster, text
from receipts.blocks import Align, Bar, Block, Cut, DocumentError, Qr, Role, Row, Rule, Text
from receipts.blocks import Feed as FeedBlock
from receipts.document import Document, as_copy
from receipts.faces import Unprintable
from receipts.native import measure
from receipts.settings import CutMode, NativeEncoding, PrinterSettings, TextMode
from tests.harness.result import Result, Say

SIZES = {"commit": 60, "tenth": 1_000, "full": 10_000}
MUST_BE = "only our own commands, the picture dot for dot"
OURS = (Initialise, Raster, Feed, TextLine, CutEvent)
# What a name could smuggle in: drawer pulses, real-time commands, a reset, a cut, a counted command that swallows the rest.
EVIL = (
    "\x1bp\x00\x19\xfa", "\x10\x14\x01\x00\x01", "\x10\x04\x01", "\x10\x05\x01", "\x1b@", "\x1dV\x00", "\x1d(k\xff\xff", "\x1c&",
    "\x1b!\xff", "\x00", "\x7f\x80\x9f", "\u202e\u2066", "\r\n\t\v", "\ud800", "\ufeff", "\U000e0041",
)  # fmt: skip
HAN_AND_MARKS = [ord(sign) for sign in "话费储值應付總額龍龘“”—…·°×，。：（）￥"] * 8
EVIL_ASCII = tuple(word for word in EVIL if word.isascii())
LETTERS = (
    lambda dice: chr(dice.randrange(0x20, 0x7F)),
    lambda dice: chr(dice.randrange(0x4E00, 0x9FA6)),
    lambda dice: chr(dice.randrange(0xA0, 0x250)),
    lambda dice: chr(dice.randrange(0x0, 0x20)),
    lambda dice: chr(dice.randrange(0x80, 0xA0)),
    lambda dice: chr(dice.choice([*range(0x300, 0x370), *range(0x590, 0x700), *range(0x2000, 0x2070), *range(0x1F300, 0x1F700)])),
    lambda dice: dice.choice(EVIL),
)


def words(dice: random.Random, plain: bool, han: bool = False) -> str:
    """A text of up to sixty letters of a few alphabets, half of the time with something evil in it."""
    if plain:
        letters = [*range(0x20, 0x7F)] * 3 + (HAN_AND_MARKS if han else [])
        clean = "".join(chr(dice.choice(letters)) for _ in range(dice.randrange(40)))
        return clean + dice.choice(EVIL_ASCII) if dice.random() < 0.3 else clean
    alphabets = dice.sample(LETTERS, dice.randrange(1, 4))
    return "".join(dice.choice(alphabets)(dice) for _ in range(dice.choice((0, 1, 8, 20, 60))))


def block(dice: random.Random, plain: bool, han: bool) -> Block:
    kind = dice.randrange(12)
    role = dice.choice(list(Role))
    if kind < 4:
        return Row(words(dice, plain, han), words(dice, plain, han), role, dice.random() < 0.5, money=dice.random() < 0.1)
    if kind < 8:
        return Text(words(dice, plain, han), role, dice.choice(list(Align)), dice.random() < 0.3)
    if kind == 8:
        return Bar(words(dice, plain, han))
    if kind == 9:
        return Rule()
    if kind == 10:
        return FeedBlock(dice.randrange(1, 21))
    return Qr(
        "https://r.example/" + "".join(dice.choice("ABCDEF0123456789") for _ in range(dice.randrange(60))) + dice.choice(EVIL)
    )


def document(dice: random.Random) -> Document:
    plain, han = dice.random() < 0.4, dice.random() < 0.5
    blocks = [block(dice, plain, han) for _ in range(dice.randrange(1, 14))]
    made = Document(
        (*blocks, *([Cut()] if dice.random() < 0.8 else [])), words(dice, plain, han), dice.choice(("en", "zh_Hans", "zh_Hant"))
    )
    return as_copy(made, dice.randrange(1, 9), "COPY {n} " + words(dice, plain, han)) if dice.random() < 0.2 else made


def printer(dice: random.Random) -> PrinterSettings:
    dots, columns = dice.choice(((576, 48), (512, 42), (384, 32)))
    return PrinterSettings(
        "192.0.2.1",
        dots=dots,
        columns=columns,
        text_mode=dice.choice(list(TextMode)),
        native_encoding=dice.choice(list(NativeEncoding)),
        code_page=dice.choice((0, 16, 255)),
        band_rows=dice.choice((8, 24, 128, 256)),
        cut=dice.choice(list(CutMode)),
    )


def run(rounds: int, seed: int, say: Say) -> Result:
    result = Result("paper", MUST_BE, seed, rounds)
    for number in range(rounds):
        dice = random.Random(f"{seed}/{number}")
        try:
            one(document(dice), printer(dice), result)
        except (AssertionError, reader.Refusal, DocumentError) as fault:
            result.failures.append(f"--seed {seed}, document {number}: {type(fault).__name__} {fault}")
        if number % 1000 == 999:
            say(f"{number + 1} documents")
    return result


def one(made: Document, settings: PrinterSettings, result: Result) -> None:
    """Draw, read back, compare. AssertionError or the reader's refusal where anything is not as it must be."""
    try:
        data = escpos.job(made, settings)
    except Unprintable:
        result.count("refused for money that the face cannot write")
        return
    job = reader.read(data)
    strange = [event for event in job.events if not isinstance(event, OURS)]
    assert not strange, strange
    wanted = int(any(isinstance(block, Cut) for block in made.blocks) and settings.cut is not CutMode.NONE)
    assert len(job.cuts) == wanted, "a cut too many or too few"
    result.count("documents")
    if settings.text_mode is TextMode.NATIVE and escpos.is_plain(made, settings):
        compare_text(made, settings, job)
        result.count("as the printer's own characters")
    else:
        compare_picture(made, settings, job)
        result.count("as pictures")


def compare_picture(made: Document, settings: PrinterSettings, job: Job) -> None:
    """Byte for byte, but for real-time commands that were taken apart: 0x10 before 04, 05 or 14 became 0x30."""
    drawn = raster.draw(made, settings.dots)
    paper = Image.new("1", drawn.size, 255)
    paper.paste(job.image(settings.dots, cuts=False).crop((0, 0, *drawn.size)), (0, 0))
    before, after = (bytes(255 - byte for byte in picture.tobytes()) for picture in (drawn, paper))
    for at in [at for at in range(len(before)) if before[at] != after[at]]:
        taken_apart = (before[at], after[at]) == (0x10, 0x30) and before[at + 1] in (0x04, 0x05, 0x14)
        assert taken_apart, f"byte {at} of the picture is {after[at]:02x} and was drawn {before[at]:02x}"


def compare_text(made: Document, settings: PrinterSettings, job: Job) -> None:
    without_codes = replace(made, blocks=tuple(block for block in made.blocks if not isinstance(block, Qr)))
    assert job.text() == text.render(without_codes, settings.columns, measure(settings.native_encoding)).split("\n")[:-1]
