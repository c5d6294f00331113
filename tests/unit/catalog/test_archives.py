"""ZIP files of pictures: found by name, and nothing else ever unpacked."""

import io
import zipfile
from pathlib import Path

import pytest

from darkroom.catalog import archives
from darkroom.errors import Invalid

MB = 2**20


def packed(entries: dict[str, bytes], **options: int) -> io.BytesIO:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", options.get("compression", zipfile.ZIP_STORED)) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    buffer.seek(0)
    return buffer


def copied(source: io.BytesIO, name: str, folder: Path) -> bytes:
    with archives.opened(source, max_bytes=MB, max_bytes_in_all=4 * MB) as archive:
        archive.copy(name, folder / "out")
    return (folder / "out").read_bytes()


@pytest.mark.parametrize(
    "asked", ["fotos/Tuerca.JPG", "Tuerca.JPG", "tuerca.jpg", "fotos\\tuerca.jpg"]
)
def test_picture_is_found_with_its_folder_or_without_in_any_letters(asked: str, tmp_path: Path):
    assert copied(packed({"fotos/Tuerca.JPG": b"nut"}), asked, tmp_path) == b"nut"


def test_whole_path_goes_before_a_name_in_another_folder(tmp_path: Path):
    assert copied(packed({"b/a.jpg": b"deep", "a.jpg": b"top"}), "a.jpg", tmp_path) == b"top"


def test_name_that_is_there_twice_is_refused(tmp_path: Path):
    with pytest.raises(Invalid, match="more than once"):
        copied(packed({"a/x.jpg": b"1", "b/x.jpg": b"2"}), "x.jpg", tmp_path)


def test_what_a_mac_adds_is_not_taken_for_the_picture(tmp_path: Path):
    source = packed({"__MACOSX/._a.jpg": b"no", "__MACOSX/a.jpg": b"no", "in/a.jpg": b"yes"})
    assert copied(source, "a.jpg", tmp_path) == b"yes"


def test_name_that_leads_out_of_the_folder_writes_nothing_there(tmp_path: Path):
    inside = tmp_path / "inside"
    inside.mkdir()
    copied(packed({"../../evil.jpg": b"evil"}), "evil.jpg", inside)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["inside", "out"]


def test_entry_that_is_too_large_is_refused_before_it_is_unpacked(tmp_path: Path):
    bomb = packed({"a.jpg": bytes(3 * MB)}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(Invalid, match="larger than 1 MB"):
        copied(bomb, "a.jpg", tmp_path)
    assert not (tmp_path / "out").exists()


def test_entry_that_lies_about_its_size_is_read_no_further(tmp_path: Path):
    raw = packed({"a.jpg": bytes(MB // 2)}, compression=zipfile.ZIP_DEFLATED).getvalue()
    lying = raw.replace((MB // 2).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(Invalid, match="cannot be read"):
        copied(io.BytesIO(lying), "a.jpg", tmp_path)
    assert (tmp_path / "out").stat().st_size <= 10


def test_pictures_that_are_too_much_together_are_refused():
    source = packed({f"{place}.jpg": bytes(MB) for place in range(5)})
    with archives.opened(source, max_bytes=MB, max_bytes_in_all=4 * MB) as archive:
        archive.insist_on_size(["0.jpg", "1.jpg"])
        with pytest.raises(Invalid, match="more than 4 MB"):
            archive.insist_on_size([f"{place}.jpg" for place in range(5)])


def test_one_entry_that_many_rows_name_counts_for_each():
    source = packed({"a.jpg": bytes(MB)})
    with (
        archives.opened(source, max_bytes=MB, max_bytes_in_all=4 * MB) as archive,
        pytest.raises(Invalid, match="more than 4 MB"),
    ):
        archive.insist_on_size(["a.jpg"] * 5)


def test_damaged_entry_is_refused_in_words(tmp_path: Path):
    raw = bytearray(packed({"a.jpg": b"content of a picture"}).getvalue())
    raw[raw.index(b"content")] ^= 0xFF
    with pytest.raises(Invalid, match="pack it again"):
        copied(io.BytesIO(bytes(raw)), "a.jpg", tmp_path)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 cut short"])
def test_what_is_no_zip_is_refused(content: bytes, tmp_path: Path):
    with pytest.raises(Invalid, match="no ZIP"):
        copied(io.BytesIO(content), "a.jpg", tmp_path)


def test_name_in_utf8_that_is_not_marked_as_such_is_found(tmp_path: Path):
    raw = packed({"tuerca_aXo.jpg": b"nut"}).getvalue()
    accented = raw.replace(b"aXo", "ñ".encode() + b"o")
    assert copied(io.BytesIO(accented), "tuerca_ño.jpg", tmp_path) == b"nut"
