"""What the pages for people show is complete, and the same in both languages."""

import re
import subprocess
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
CARD_COMMANDS = (
    "gcloud compute instances start ralphton-a100 --project=ralphton --zone=us-central1-a",
    "gcloud storage ls gs://ralphton-handoff/checkpoints/",
    "gcloud storage cat gs://ralphton-handoff/lessons/cycle",
    "gcloud storage cp -r gs://ralphton-handoff/dataset/ ~/dataset/",
    "gcloud storage cp -r ./checkpoints/epoch_050/ gs://ralphton-handoff/checkpoints/act_epoch_050/",
    "pip install lerobot",
    "git clone https://github.com/huggingface/lerobot.git",
    "cd lerobot && pip install -e .",
)
"""As the role card words them, complete."""

PAGES = ("README.md", "README.ko.md", "docs/operating.md")


def page(name: str) -> str:
    return (HOUSE / name).read_text(encoding="utf-8")


def code_of(text: str) -> list[str]:
    """The lines of its code blocks, without comments."""
    blocks = "\n".join(re.findall(r"```(?:bash|sh)\n(.*?)```", text, re.DOTALL))
    return [
        line for line in (re.sub(r"\s+#.*|^#.*", "", line).strip() for line in blocks.splitlines()) if line
    ]


@pytest.mark.parametrize("name", PAGES)
def test_the_cards_commands_are_shown_complete(name: str) -> None:
    assert [command for command in CARD_COMMANDS if command not in page(name)] == []


def test_both_readmes_say_the_same() -> None:
    english, korean = page("README.md"), page("README.ko.md")
    assert code_of(korean) == code_of(english)
    for pattern in (r"^#+ ", r"^!\[", r"\]\((?!http)([^)]+)\)"):
        here, there = (re.findall(pattern, text, re.MULTILINE) for text in (korean, english))
        assert [each for each in here if "README" not in each] == [
            each for each in there if "README" not in each
        ]


def test_every_file_that_the_readmes_lead_to_is_there() -> None:
    named = {
        path.split("#")[0]
        for name in ("README.md", "README.ko.md", "CHANGELOG.md", "protocol/README.md")
        for path in re.findall(r"\]\((?!http)([^)#]+)", page(name))
    }
    assert [path for path in named if not (HOUSE / path).exists()] == []


def test_the_forbidden_tool_is_named_nowhere() -> None:
    """The role card forbids it; the word is put together here, so that it stands nowhere."""
    found = subprocess.run(
        ["git", "grep", "--ignore-case", "--files-with-matches", "gs" + "util"],  # noqa: S607 - git is git
        cwd=HOUSE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout, found.stderr) == (1, "", "")
