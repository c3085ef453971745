"""What is wrong with a setting, in words for whoever sets it: name, place, next step; never a secret."""

from pathlib import Path
from typing import Any

ENV_EXAMPLE = "deploy/systemd/training-claw.env.example"
ETC = Path("/etc/training-claw")

NO_TOKEN = (
    "is not set; write the token from the Discord developer portal (Bot > Reset Token) on one line into "
    f"{ETC}/discord_token, or without systemd into the variable DISCORD_TOKEN"
)
COPY_CHANNEL = (
    "in Discord: Settings > Advanced > Developer Mode, then right-click the channel > Copy Channel ID"
)
COPY_USER = "in Discord: Settings > Advanced > Developer Mode, then right-click the name > Copy User ID"
NO_OPERATORS = f"OPERATOR_IDS is empty: nobody may give ! commands, and alerts reach nobody; {COPY_USER}"


def line(problem: Any, place: str) -> str:
    """`problem` is one of pydantic's `errors()`."""
    name = str(problem["loc"][0]).upper() if problem["loc"] else ""
    if not name:
        return f"{place}: {_said(problem, name)}"
    if name == "DISCORD_TOKEN":
        return f"{name} {NO_TOKEN}"
    if problem["type"] == "missing":
        return f"{name} is not set in {place}; {how_to_find(name) or f'{ENV_EXAMPLE} lists every setting'}"
    return f"{name} {problem['input']!r} in {place}: {_said(problem, name)}"


def how_to_find(name: str) -> str:
    """Where the id that a setting wants is to be had; empty: it wants none.

    >>> how_to_find("BUCKET")
    ''
    """
    if name == "DISCORD_CHANNEL_ID":
        return COPY_CHANNEL
    return COPY_USER if name.endswith(("_ID", "_IDS")) else ""


def _said(problem: Any, name: str) -> str:
    wants = problem.get("ctx", {})
    match problem["type"]:
        case "int_parsing" | "int_from_float" | "int_type" if find := how_to_find(name):
            return f"is not an id (15 to 19 digits); {find}"
        case "int_parsing" | "int_from_float":
            return "is not a whole number"
        case "float_parsing" | "finite_number":
            return "is not a number"
        case "bool_parsing":
            return "is neither true nor false"
        case "literal_error":
            return f"has to be {wants['expected']}"
        case "greater_than":
            return f"has to be more than {wants['gt']:g}"
        case "greater_than_equal":
            return f"has to be at least {wants['ge']:g}"
        case "less_than_equal":
            return f"may be at most {wants['le']:g}"
        case _:
            return str(problem["msg"]).removeprefix("Value error, ")
