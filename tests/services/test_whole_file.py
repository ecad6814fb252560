"""Files that are written whole or not at all."""

from __future__ import annotations

import os
import stat

import pytest

from electis_cli.adapters.whole_file import write_whole
from electis_cli.domain.errors import InvalidInput


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_its_owners_and_an_old_one_keeps_its_permissions(tmp_path):
    file = tmp_path / "label.svg"
    write_whole(file, "חדר")
    assert (file.read_bytes(), mode_of(file)) == ("חדר".encode(), 0o600)

    file.chmod(0o644)
    write_whole(file, "new")
    assert (file.read_text(), mode_of(file)) == ("new", 0o644)
    assert list(tmp_path.iterdir()) == [file]


def test_a_link_stays_a_link(tmp_path):
    file, link = tmp_path / "there.svg", tmp_path / "link.svg"
    link.symlink_to(file)

    for text in ("first", "second"):
        write_whole(link, text)
        assert (file.read_text(), link.is_symlink()) == (text, True)


def test_what_is_no_file_is_left_alone(tmp_path):
    folder, pipe, loop = tmp_path / "folder", tmp_path / "pipe", tmp_path / "loop"
    folder.mkdir()
    os.mkfifo(pipe)
    loop.symlink_to(loop)

    for place in (folder, pipe, loop, tmp_path / "no" / "such"):
        with pytest.raises(InvalidInput) as caught:
            write_whole(place, "text")
        assert str(place) in caught.value.message
        assert caught.value.why
    assert sorted(tmp_path.iterdir()) == sorted([folder, pipe, loop])
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_a_text_that_can_not_be_written_leaves_the_old_file(tmp_path):
    file = tmp_path / "label.svg"
    file.write_text("old")

    with pytest.raises(UnicodeEncodeError):
        write_whole(file, "half \ud800")

    assert (file.read_text(), list(tmp_path.iterdir())) == ("old", [file])
