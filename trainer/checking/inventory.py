"""What of a data set is there: its files, its episodes, and what of the files belongs to which."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trainer.checking.reading import Part, part_of
from trainer.data.episode import Source
from trainer.data.episodes import find_episodes
from trainer.data.fingerprint import Stamp, stamp
from trainer.data.tree import Tree, look_through


@dataclass(frozen=True)
class Inventory:
    """`shared` are the files of several episodes or of none, as they were: looked after for all at once."""

    data: Path
    tree: Tree
    sources: tuple[Source, ...]
    parts: tuple[Part, ...]
    shared: Mapping[str, Stamp]

    def moved(self) -> list[str]:
        """Which of the shared files have changed since."""
        return [name for name, before in self.shared.items() if stamp(self.tree.files[name]) != before]

    def name_of(self, path: Path) -> str:
        return path.relative_to(self.data).as_posix()


def take_stock(data: Path) -> Inventory:
    tree = look_through(data)
    sources = find_episodes(data)
    parts = tuple(part_of(source, data, tree) for source in sources)
    own = {name for part in parts for name in part.files}
    shared = {name: stamp(path) for name, path in tree.files.items() if name not in own}
    return Inventory(data, tree, sources, parts, shared)
