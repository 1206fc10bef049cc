"""How people write numbers: separators, one unit, accountants' brackets."""

from __future__ import annotations

import re

CURRENCY = "€$£¥₹₩₽"
UNIT = rf"(?:[{CURRENCY}]|[A-Z]{{3}}(?=\s|[-+]?\d|$))"
# Thousands are parted by one sign throughout, three digits each (two and three after commas, as in India).
PLAIN_NUMBER = re.compile(
    rf"\(?[-+]?\s?(?P<before>{UNIT})?\s?[-+]?"
    r"(?:\d{1,3}(?P<part>[ .'’\u00a0\u202f])\d{3}(?:(?P=part)\d{3})*|\d{1,3}(?:,\d{2,3})*,\d{3}|\d+)"
    rf"(?:(?!(?P=part))[.,]\d+)?\s?(?P<after>%|[{CURRENCY}]|[A-Z]{{3}})?\)?"
)


def plain_number(text: str, mark: str) -> str:
    """The digits of a number that is written with separators, a unit or accountants' brackets; else what was given.

    >>> plain_number("1.234,50 €", ","), plain_number("(1,200)", "."), plain_number("see note 3", ".")
    ('1234.50', '-1200', 'see note 3')
    """
    if not PLAIN_NUMBER.fullmatch(text.strip()):
        return text
    digits = re.sub(rf"[^0-9{re.escape(mark)}+-]", "", text).replace(",", ".")
    return f"-{digits}" if text.strip().startswith("(") else digits
