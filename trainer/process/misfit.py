"""What a file that should hold one of our values says wrong, in one line and without Python's names."""

from pydantic import ValidationError
from pydantic_core import ErrorDetails

_WORDS = {
    "json_invalid": "not JSON: {error}",
    "dict_type": "names and values are expected, in braces",
    "model_type": "names and values are expected",
    "union_tag_not_found": "kind: is missing; say one of {kinds}",
    "union_tag_invalid": "kind: {tag!r} is not known; say one of {kinds}",
    "missing": "is missing",
    "extra_forbidden": "is not known",
}
"""pydantic's error types. https://docs.pydantic.dev/latest/errors/validation_errors/"""
_KINDS = "check, convert, train"
"""Of the jobs that people write."""


def in_one_line(error: ValidationError) -> str:
    return "; ".join(_in_words(each) for each in error.errors())


def _in_words(error: ErrorDetails) -> str:
    where = ".".join(map(str, error["loc"]))
    wording = _WORDS.get(error["type"])
    said = wording.format(kinds=_KINDS, **error.get("ctx", {})) if wording else error["msg"]
    return f"{where}: {said}" if where else said
