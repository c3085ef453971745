"""From a message of the core to the parts that go out: worded, checked, and none of it unchecked."""

import time
from collections.abc import Sequence

from bot.core.effects import Post
from bot.shell.remembering.rows import Part
from protocol import Refused, Voice, check, recipients_of, render
from protocol.messages import Alert


class Speech:
    def __init__(self, voice: Voice) -> None:
        self._voice = voice

    def parts(self, post: Post) -> tuple[Part, ...]:
        """Pictures go along with the first part.

        Raises:
            protocol.Refused: it must not go out.
        """
        message = post.message
        recipients = recipients_of(message, self._voice)
        texts = render(message, voice=self._voice)
        check(texts, recipients, self._voice)
        return tuple(
            Part(
                ref=message.ref,
                part=number,
                parts=len(texts),
                kind=message.kind,
                recipients=recipients,
                content=text,
                show=post.show if number == 1 else (),
                run=post.run if number == 1 else None,
            )
            for number, text in enumerate(texts, start=1)
        )

    def alert(self, told: str) -> Sequence[Part]:
        """Something an operator must look at; nothing, if there are none."""
        if not self._voice.operators:
            return ()
        alert = Alert(to=self._voice.operators, body=told, ref=f"alert-{time.time_ns():x}")
        try:
            return self.parts(Post(message=alert))
        except Refused:
            return ()
