"""ISO 6346 container numbers: three letters, U, J or Z, six digits and a check digit."""

import re
import string

_SHAPE = re.compile(r"[A-Z]{3}[UJZ]\d{7}", re.ASCII)

# Letters count from 10 and skip every multiple of 11, which the checksum could not see.
_LETTERS = dict(zip(string.ascii_uppercase, (n for n in range(10, 39) if n % 11), strict=True))


def check_digit(stem: str) -> int:
    """The last digit of the number whose first ten characters are `stem`."""
    values = (_LETTERS[c] if c in _LETTERS else int(c) for c in stem)
    return sum(value << place for place, value in enumerate(values)) % 11 % 10


def normalise(text: str) -> str:
    """The number as it is stored, or ValueError with a sentence for whoever typed it."""
    number = re.sub(r"[\s-]", "", text).upper()
    if not _SHAPE.fullmatch(number):
        raise ValueError("a container number is 4 letters, the last U, J or Z, and 7 digits")
    if (digit := check_digit(number[:10])) != int(number[10]):
        raise ValueError(f"the check digit of {number} should be {digit}")
    return number
