"""The encoding of a text file: a byte-order mark, UTF-8, or the code page in which its letters look like a language.

A code page is judged by the letters beyond ASCII that it gives: each language has few of them, so that those of the
right code page nearly all belong to one language, and those of a wrong one are mixed with signs inside words.
"""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from pathlib import Path

from mlcore.errors import CannotRead

CHUNK = 1 << 20
BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SIGNS = frozenset("\u00a0€£§°²³½¼¾·«»¿¡–—‘’“”„…™®©±×µº\u00aa¹")  # in any language
# The letters beyond ASCII of a language, in lower case.
LANGUAGES = (
    "àâæçéèêëîïôœùûüÿ", "äöüß", "áéíóúñü", "áâãàçéêíóôõúü", "àèéìíîòóùú", "åäöæøéüà", "áðéíóúýþæö", "éëïöüèáó",
    "ąćęłńóśźż", "áčďéěíňóřšťúůýžäĺľôŕ", "áéíóöőúüű", "ăâîșțşţ", "čćđšž", "çğıöşüâîû", "āčēģīķļņšūžõ", "ąčęėįšųūž",
    "õäöüšž",
    "абвгдежзийклмнопрстуфхцчшщъыьэюяё", "абвгґдеєжзиіїйклмнопрстуфхцчшщьюя'", "абвгдђежзијклљмнњопрстћуфхцчџш",
    "αβγδεζηθικλμνξοπρσςτυφχψωάέήίόύώϊϋΐΰ", "אבגדהוזחטיכךלמםנןסעפףצץקרשת", "ءآأؤإئابةتثجحخدذرزسشصضطظعغفقكلمنهويى",
)  # fmt: skip
# In the order in which they are likely, where their letters fit equally well.
CODE_PAGES = (
    "cp1252", "mac_roman", "cp850", "cp437", "cp1250", "iso8859_2", "cp852", "cp1251", "koi8_r", "cp866",
    "mac_cyrillic", "iso8859_5", "cp1253", "iso8859_7", "cp1254", "cp1257", "cp1255", "cp1256", "iso8859_6",
    "iso8859_15", "mac_latin2",
)  # fmt: skip
ASIAN = ("cp932", "big5", "gb18030", "euc_jp", "euc_kr")
# Alphabets wholly beyond ASCII: random letters of one are within it too, so its common letters have to be common.
COMMON = frozenset("оеаинтсрвлкіαοιετσηρνκάόίיהולאתמרבשנاليمنرتبوة")
USUAL = 0.5  # the fraction of common letters in such a text
SURE, CLOSE = 0.75, 0.06  # the fit below which no code page is believed; a difference that is no evidence
SAMPLE = 1 << 16


@dataclass(frozen=True)
class Encoding:
    """An encoding, whether the file is read as it is, and what to say of the choice."""

    name: str
    clean: bool = False  # valid UTF-8 without a byte-order mark
    notes: tuple[str, ...] = ()


def detect(path: Path) -> Encoding:
    """Detect the encoding of a file; the choice between code pages is said where it is not clear."""
    with path.open("rb") as file:
        head = file.read(4096)
        for bom, name in BOMS:
            if head.startswith(bom):
                return Encoding(name)
        if (wide := utf16(head)) is not None:
            return Encoding(wide)
        file.seek(0)
        valid, invalid, sample = _utf8_evidence(file)
    if not invalid or valid > 3 * invalid:  # text in other encodings is rarely valid UTF-8
        return Encoding("utf-8", not invalid)
    return _code_page(sample[:SAMPLE])


def _code_page(sample: bytes) -> Encoding:
    """The code page in which the bytes look most like a language."""
    fits: list[tuple[float, str, str]] = []
    for name in CODE_PAGES:
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            continue
        fits.append((_fit(text), name, text))
    if (asian := _asian(sample, max((fit for fit, *_ in fits), default=0.0))) is not None:
        return asian
    fits.sort(key=lambda f: -f[0])  # stable: the more likely first
    fit, name, text = fits[0] if fits else (0.0, "cp1252", "")
    likely = next((f for f in fits if f[1] == "cp1252"), None)
    if likely is not None and likely[0] > fit - 0.01:
        fit, name, text = likely
    others = [n for f, n, t in fits if f > fit - CLOSE and t != text]
    if fit >= SURE and not others:
        return Encoding(name)
    example = next(iter(re.findall(r"[^\W\d_]*[^\x00-\x7f][^\W\d_]*", text)), "")
    other = f"{others[0]} is nearly as likely. " if others else ""
    return Encoding(
        name,
        notes=(f"The encoding was taken to be {name}. {other}If letters look wrong, as in {example!r}, set it.",),
    )


def _fit(text: str) -> float:
    """How well the letters beyond ASCII fit one language: 1 if all do."""
    odd = [m.start() for m in re.finditer(r"[^\x00-\x7f]", text)]
    if not odd:
        return 0.0
    fit = max(sum(_letter_fit(text, at, language) for at in odd) for language in map(frozenset, LANGUAGES)) / len(odd)
    foreign = [text[at].lower() for at in odd if text[at].isalpha() and text[at].lower() >= "\u0370"]
    if len(foreign) > 0.5 * len(odd):
        fit *= min(1.0, sum(c in COMMON for c in foreign) / len(foreign) / USUAL)
    return fit


def _letter_fit(text: str, at: int, language: frozenset[str]) -> float:
    letter = text[at]
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    inside = before.isalpha() and after.isalpha()
    if letter in SIGNS:
        among_signs = before in SIGNS or after in SIGNS
        return -0.5 if among_signs or (inside and letter not in "’‘·") else 0.8
    if letter.lower() not in language:
        return -0.2 if letter.isalpha() else -0.5
    among_ascii = (before.isalpha() and before.isascii()) or (after.isalpha() and after.isascii())
    if among_ascii and letter.lower() >= "\u0370":
        return -0.5  # Greek, Cyrillic or Hebrew letters in a word of Latin ones
    if letter.isupper() and before.isalpha():
        return -0.5 if before.islower() else 0.9  # words in capitals are rarer
    return 1.0


def _asian(sample: bytes, western: float) -> Encoding | None:
    """Chinese, Japanese or Korean, in which nearly every letter is beyond ASCII."""
    odd = sum(b > 127 for b in sample)
    if western >= SURE or odd < 24:
        return None
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=[*ASIAN, "cp1252", "cp1251"]).best()
    return Encoding(best.encoding) if best is not None and best.encoding in ASIAN else None


def utf16(head: bytes) -> str | None:
    """UTF-16 without a byte-order mark: every second byte of plain letters is zero."""
    if len(head) < 8 or b"\0" not in head:
        return None
    even, odd = head[0::2].count(0), head[1::2].count(0)
    half = len(head) // 2
    if odd > 0.4 * half and even < 0.1 * half:
        return "utf-16-le"
    return "utf-16-be" if even > 0.4 * half and odd < 0.1 * half else None


def _utf8_evidence(file: io.BufferedReader) -> tuple[int, int, bytes]:
    """Count valid non-ASCII characters and invalid bytes of UTF-8; also return a sample of non-ASCII lines."""
    valid, invalid, sample = 0, 0, b""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    while chunk := file.read(CHUNK):
        if chunk.isascii() and not decoder.getstate()[0]:
            continue
        text = decoder.decode(chunk)
        bad = text.count("\ufffd")
        valid += len(re.findall(r"[^\x00-\x7f]", text)) - bad
        invalid += bad
        if invalid and len(sample) < (1 << 18):
            sample += b"\n".join(line for line in chunk.splitlines() if not line.isascii())
    invalid += decoder.decode(b"", final=True).count("\ufffd")
    return valid, invalid, sample[: 1 << 18]


def as_utf8(path: Path, encoding: str, out: Path) -> tuple[Path, list[str]]:
    """Return a UTF-8 copy of the file, and notes on characters that could not be decoded."""
    bad_lines: list[int] = []
    try:
        with (
            path.open("r", encoding=encoding, newline="", errors="replace") as source,
            out.open("w", encoding="utf-8", newline="") as target,
        ):
            line = 1
            if (first := source.read(1)) != "\ufeff":
                target.write(first)
            while chunk := source.read(CHUNK):
                if "\ufffd" in chunk:
                    bad_lines += [line + _line_ends(chunk[: m.start()]) for m in re.finditer("\ufffd", chunk)]
                line += _line_ends(chunk)
                target.write(chunk)
    except (UnicodeError, LookupError) as error:
        raise CannotRead(f"{path.name} cannot be decoded as {encoding!r} ({error}). Try utf-8 or cp1252.") from None
    if not bad_lines:
        return out, []
    lines = list(dict.fromkeys(bad_lines))
    shown = ", ".join(str(n) for n in lines[:10]) + (" …" if len(lines) > 10 else "")
    subject = "character is" if len(bad_lines) == 1 else "characters are"
    note = (
        f"{len(bad_lines):,} {subject} not valid {encoding} (replaced by \ufffd): "
        f"line{'s' if len(lines) > 1 else ''} {shown}."
    )
    return out, [note]


def _line_ends(text: str) -> int:
    return text.count("\n") or text.count("\r")
