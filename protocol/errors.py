"""What can go wrong with words: they are not understood, or they must not be said."""


class NotUnderstood(ValueError):
    """The one error of `parse`. `what` was not understood, `where` names its line."""

    def __init__(self, what: str, where: str) -> None:
        super().__init__(f"{where}: {what}")
        self.what = what
        self.where = where


class Refused(ValueError):
    """A message that must not be sent. `rule` names the rule of the gate that it breaks."""

    def __init__(self, rule: str, detail: str) -> None:
        super().__init__(f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
