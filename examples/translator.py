"""A translator of lessons in twenty lines: numbers that are written as words.

LESSON_TRANSLATOR="python examples/translator.py"

It reads one JSON object and prints one: the fields that the lesson would change. A real one would ask a
language model the same question, with the same `fields` as its schema; an empty object says that it cannot
tell. What it prints is proposed to Watcher, and nothing but Watcher's word applies it.
"""

import json
import re
import sys

WORDS = {
    "four": 4,
    "eight": 8,
    "sixteen": 16,
    "thirty-two": 32,
    "팔": 8,
    "십육": 16,
    "삼십이": 32,
    "사십팔": 48,
}
NAMES = {"training.batch_size": r"batch[ _]?size|배치", "training.seed": r"seed|시드"}


def main() -> None:
    given = "" if sys.stdin.isatty() else sys.stdin.read().strip()
    if not given:
        sys.exit("usage: LESSON_TRANSLATOR='python examples/translator.py'; it reads one JSON object")
    asked = json.loads(given)
    lesson = f"{asked['lesson']['text']} {asked['lesson']['remedy'] or ''}".lower()
    number = next(
        (value for word, value in WORDS.items() if re.search(rf"(?<![가-힣\w]){word}", lesson)), None
    )
    named = [field for field, name in NAMES.items() if field in asked["fields"] and re.search(name, lesson)]
    print(json.dumps({named[0]: number} if len(named) == 1 and number is not None else {}))


if __name__ == "__main__":
    main()
