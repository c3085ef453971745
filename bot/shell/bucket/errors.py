"""What can go wrong with the bucket. Every message is one line: the thing, the place, the next step."""


class StoreError(Exception):
    """Whatever the bucket could not do. `str()` of it is one line fit for people."""


class BadName(StoreError):
    """A name or URL that no object of ours may have, or that leaves the configured bucket."""


class NotFound(StoreError):
    """No such object, prefix or generation: it never was, or has been replaced since."""


class TooLarge(StoreError):
    """An object is larger than the caller is willing to hold in memory."""


class BadContent(StoreError):
    """An object was read whole, but is not what its name promises (say, not UTF-8)."""


class PreconditionFailed(StoreError):
    """Somebody else has written since we looked."""


class WriteDenied(StoreError):
    """A write or delete that this program never does, whatever is asked."""


class AccessDenied(StoreError):
    """The bucket refuses our credentials; the message names the role that is missing."""


class IntegrityError(StoreError):
    """Size or CRC32C differ from what was declared, again after every retry."""


class NotWhole(StoreError):
    """What lies on this machine is not what was saved there."""


class NoSpace(StoreError):
    """The disk is full."""


class Unavailable(StoreError):
    """Retries are exhausted. Nothing is broken: come back later."""
