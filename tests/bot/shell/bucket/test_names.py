from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.shell.bucket import BucketUrl
from bot.shell.bucket.errors import BadName, WriteDenied
from bot.shell.bucket.names import check_name, check_prefix, check_writable, local_path

GS = BucketUrl.parse("gs://ralphton-handoff")
FOLDER = BucketUrl.parse("file:///srv/a%20bucket/")


class TestBucketUrl:
    @pytest.mark.parametrize("text", ["gs://ralphton-handoff", " gs://ralphton-handoff/ "])
    def test_a_bucket_is_read_with_or_without_its_slash(self, text: str) -> None:
        assert BucketUrl.parse(text) == GS

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "ralphton-handoff",
            "gs://",
            "gs://b/dataset",
            "gs://Bad_Name!",
            "s3://bucket",
            "file://",
            "file:///",
            "file://a",
        ],
    )
    def test_what_is_no_bucket_is_refused(self, text: str) -> None:
        with pytest.raises(BadName, match="is no bucket"):
            BucketUrl.parse(text)

    def test_a_folder_may_have_a_blank_in_its_name(self) -> None:
        assert FOLDER.root == "/srv/a bucket"
        assert FOLDER.url("dataset/") == "file:///srv/a%20bucket/dataset/"

    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("gs://ralphton-handoff/dataset/", "dataset/"),
            ("gs://ralphton-handoff/dataset", "dataset"),
            ("dataset/cycle03/", "dataset/cycle03/"),
            ("gs://ralphton-handoff/", ""),
        ],
    )
    def test_a_place_in_the_bucket_is_located(self, text: str, name: str) -> None:
        assert GS.locate(text) == name

    def test_a_place_in_a_folder_is_located(self) -> None:
        assert FOLDER.locate("file:///srv/a%20bucket/dataset/") == "dataset/"

    @pytest.mark.parametrize(
        "text",
        [
            "gs://other/dataset/",
            "gs://ralphton-handoff-2/dataset/",
            "gs://ralphton-handoff/../other/",
            "gs://ralphton-handoff//dataset/",
            "file:///etc/",
            "https://ralphton-handoff/dataset/",
            "../dataset",
            "/etc/passwd",
        ],
    )
    def test_a_place_anywhere_else_is_refused(self, text: str) -> None:
        with pytest.raises(BadName):
            GS.locate(text)

    @pytest.mark.parametrize(
        "text", ["file:///srv/a%20bucket/../../etc/", "file:///srv/a%20bucket2/x", "file:///srv/"]
    )
    def test_a_folder_is_not_left(self, text: str) -> None:
        with pytest.raises(BadName):
            FOLDER.locate(text)

    @given(st.text(max_size=40))
    def test_what_is_located_never_leaves_the_bucket(self, text: str) -> None:
        try:
            name = FOLDER.locate(f"file:///srv/a bucket/{text}")
        except BadName:
            return
        assert not name or local_path(Path("/srv/a bucket"), name.removesuffix("/")).is_relative_to(
            "/srv/a bucket"
        )


class TestNames:
    def test_a_prefix_gets_its_slash(self) -> None:
        assert (check_prefix("dataset"), check_prefix("dataset/"), check_prefix("")) == (
            "dataset/",
            "dataset/",
            "",
        )

    @given(st.text(max_size=60))
    def test_a_name_that_passes_stays_in_its_folder(self, name: str) -> None:
        try:
            path = local_path(Path("/data"), check_name(name))
        except BadName:
            return
        assert Path("/data") in path.parents
        assert ".." not in path.parts

    @given(st.text(max_size=60))
    def test_only_checkpoints_is_writable(self, name: str) -> None:
        try:
            check_writable(name)
        except (BadName, WriteDenied):
            return
        assert name.startswith("checkpoints/")

    def test_half_a_character_is_refused(self) -> None:
        with pytest.raises(BadName, match="UTF-8"):
            check_name("dataset/\udcff")
