"""How people write numbers: separators, one unit, accountants' brackets."""

from __future__ import annotations

import re

CURRENCY = "€$£¥₹₩₽"
# Common ISO 4217 codes; accepting any three letters would turn article codes into numbers.
CODES = (
    "AED AUD BGN BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR ISK JPY KES KRW MAD MXN MYR NGN NOK "
    "NZD PEN PHP PKR PLN RON RSD RUB SAR SEK SGD THB TND TRY TWD UAH USD UYU VND ZAR"
)
UNIT = rf"[{CURRENCY}]|{CODES.replace(' ', '|')}"
# Thousands have one separator throughout and three digits per group (after commas also two, as in India).
DIGITS = (
    r"(?:[1-9]\d{0,2}(?P<part>[ .'’\u00a0\u202f])\d{3}(?:(?P=part)\d{3}){0,4}|[1-9]\d{0,2}(?:,\d{2,3})*,\d{3}"
    r"|0|[1-9]\d*)(?:(?!(?P=part))[.,]\d+)?"
)
PLAIN_NUMBER = re.compile(rf"-?(?P<before>{UNIT})?\s?-?(?:{DIGITS})\s?(?P<after>%|{UNIT})?")
IN_BRACKETS = re.compile(r"\(([^()-]+)\)")  # how accountants write negative numbers
ADDRESS = re.compile(r"\d+(?:\.\d+){3,}")  # an IP address or a version, never a number


def number_parts(text: str) -> re.Match[str] | None:
    """The parts of a number with separators, one unit or brackets; None for other texts."""
    stripped = text.strip()
    inside = IN_BRACKETS.fullmatch(stripped)
    return None if ADDRESS.fullmatch(stripped) else PLAIN_NUMBER.fullmatch(inside[1].strip() if inside else stripped)


def plain_number(text: str, mark: str) -> str:
    """The digits of a number with separators, a unit or accountants' brackets; other texts are returned unchanged.

    >>> plain_number("1.234,50 €", ","), plain_number("(1,200)", "."), plain_number("see note 3", ".")
    ('1234.50', '-1200', 'see note 3')
    """
    if number_parts(text) is None:
        return text
    digits = re.sub(rf"[^0-9{re.escape(mark)}+-]", "", text).replace(",", ".")
    return f"-{digits}" if text.strip().startswith("(") else digits
