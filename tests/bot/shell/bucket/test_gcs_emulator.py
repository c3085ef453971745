"""A smoke run against a GCS that others wrote. It knows no generations, preconditions or pages."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.shell.bucket import Meta, fetch_checkpoint, fetch_dataset, publish_checkpoint
from bot.shell.bucket.gcs import GcsStore
from bot.shell.bucket.wire import Wire

from .workbench import HASTE, files_in


@pytest.fixture(scope="session")
def emulator() -> Iterator[str]:
    """The root URL of gcp-storage-emulator, in a process of its own, with the bucket `ours`."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    program = Path(sys.executable).with_name("gcp-storage-emulator")
    command = [program, "start", "--host=127.0.0.1", f"--port={port}", "--default-bucket=ours", "--in-memory"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        assert any("All services started" in line for line in process.stderr)
        yield f"http://127.0.0.1:{port}"
        process.terminate()


async def test_a_checkpoint_goes_up_and_comes_back(emulator: str, tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(bytes(range(256)) * 2800)
    (folder / "config.json").write_text('{"type": "act"}')
    store = GcsStore(Wire("ours", HASTE, emulator))
    try:
        published = await publish_checkpoint(store, folder, 3, 50, "run", Meta(loss=0.1))
        await fetch_checkpoint(store, published.flat.path, tmp_path / "fetched")
        whole = await fetch_dataset(store, "checkpoints/", tmp_path / "all")
    finally:
        await store.close()
    assert files_in(tmp_path / "fetched") == files_in(folder)
    assert whole.files == 8
