"""What keeps the daemon down."""


class Fatal(Exception):
    """The daemon cannot go on before a person has put something right. `str()` is one line."""
