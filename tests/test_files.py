"""Writing files whole or not at all, and reading arrays without believing them."""

import io
import os
import stat
import subprocess
import sys
import threading
import zipfile

import numpy as np
import pytest

from qw2v import _files


def written(path, data=b"new", **options):
    with _files.replacing(path, **options) as file:
        file.write(data)


def test_new_file_has_the_usual_permissions_and_an_old_one_keeps_its_own(tmp_path):
    new, old = tmp_path / "new", tmp_path / "old"
    (tmp_path / "usual").write_bytes(b"")
    old.write_bytes(b"old")
    old.chmod(0o640)
    for path in (new, old):
        written(path)
        assert path.read_bytes() == b"new"
    assert stat.S_IMODE(old.stat().st_mode) == 0o640
    assert new.stat().st_mode == (tmp_path / "usual").stat().st_mode


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error), _files.replacing(path) as file:
        file.write(b"half")
        raise error
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here")
def test_faults_7_a_full_disk_leaves_nothing_behind(tmp_path, monkeypatch):
    """The flush that fails fails again in close(): the temporary file goes all the same."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    real_open = open

    def full(name, mode):
        real_open(name, mode).close()
        return real_open("/dev/full", "wb", buffering=1 << 20)

    monkeypatch.setattr(_files, "open", full, raising=False)
    with pytest.raises(OSError, match="No space left.*nothing was written.*make room"):
        written(path)
    assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path):
    (tmp_path / "there").mkdir()
    target, link = tmp_path / "there" / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    written(link)
    assert link.is_symlink() and target.read_bytes() == b"new"
    assert os.listdir(tmp_path / "there") == ["target"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_f2_a_pipe_is_written_into(tmp_path):
    path, received = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: received.append(path.read_bytes()))
    reader.start()
    written(path)
    reader.join()
    assert received == [b"new"] and stat.S_ISFIFO(path.stat().st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/null"), reason="no /dev/null here")
def test_f2_a_device_stays_a_device():
    written("/dev/null")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/stdout"), reason="no /dev/stdout here")
@pytest.mark.parametrize("piped", [True, False])
def test_standard_output_is_written_into(tmp_path, piped):
    code = "from qw2v import _files\nwith _files.replacing('/dev/stdout') as f: f.write(b'new')"
    if piped:
        out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout
    else:
        with open(tmp_path / "out", "wb") as file:
            subprocess.run([sys.executable, "-c", code], stdout=file, check=True)
        out = (tmp_path / "out").read_bytes()
    assert out == b"new"


def test_f8_faults_8_an_input_is_no_output(tmp_path):
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_bytes(b"old")
    os.link(path, link)
    for output in (path, tmp_path / "." / "file", link):
        with pytest.raises(ValueError, match="also an input"):
            _files.check_output(output, [path])
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize(
    "name, error",
    [
        ("", ValueError),
        ("a\0b", ValueError),
        ("folder", IsADirectoryError),
        ("folder/", IsADirectoryError),
        ("absent/", IsADirectoryError),
        ("absent/file", FileNotFoundError),
        ("file/file", FileNotFoundError),
    ],
)
def test_what_cannot_be_written_is_said_before_the_work(tmp_path, name, error):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(error):
        _files.check_output(f"{tmp_path}/{name}" if name else name)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere"
)
def test_read_only_places_are_said_before_the_work(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "file").chmod(0o400)
    with pytest.raises(PermissionError, match="read-only"):
        _files.check_output(tmp_path / "file")
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError, match="read-only"):
        _files.check_output(tmp_path / "other")
    tmp_path.chmod(0o700)


def test_faults_16_threads_on_one_file(tmp_path):
    path, failed = tmp_path / "file", []

    def save(byte):
        try:
            for _ in range(20):
                written(path, bytes([byte]) * 5000)
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=save, args=(65 + i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    data = path.read_bytes()
    assert not failed and len(data) == 5000 and len(set(data)) == 1
    assert os.listdir(tmp_path) == ["file"]


ARRAYS = {
    "words": np.array(["a", "bc"]),
    "table": np.arange(6.0).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6).reshape(2, 3)),
    "none": np.empty((0, 5), np.float32),
    "one": np.array(7),
}


def test_arrays_come_back(tmp_path):
    np.savez(tmp_path / "a.npz", **ARRAYS)
    back = _files.read_arrays(tmp_path / "a.npz", list(ARRAYS))
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(back[name], array)
        assert back[name].dtype == array.dtype and back[name].flags.writeable


def forged(path, data, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("x.npy", data)


def npy(header: str, body: bytes = b"") -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + body


@pytest.mark.parametrize(
    "data",
    [
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (137438953472,)}"),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", b"12345678"),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2, -4, -1)}", b"1" * 64),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"12345678"),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", b"1234"),
        npy("{'descr': '<f8', 'fortran_order': False, 'shape': (1,)}", b"123456789"),
        npy("(" * 900),
        b"",
    ],
)
def test_forged_arrays_are_refused(tmp_path, data):
    forged(tmp_path / "a.npz", data)
    with pytest.raises(_files.DamagedFileError, match=r"a\.npz"):
        _files.read_arrays(tmp_path / "a.npz", ["x"])


def test_a_bomb_is_refused_unread(tmp_path):
    file = io.BytesIO()
    np.save(file, np.zeros(10**6))
    forged(tmp_path / "a.npz", file.getvalue(), zipfile.ZIP_DEFLATED)
    with pytest.raises(_files.DamagedFileError, match="compressed"):
        _files.read_arrays(tmp_path / "a.npz", ["x"])


def test_no_file_is_no_damage(tmp_path):
    with pytest.raises(FileNotFoundError):
        _files.read_arrays(tmp_path / "absent.npz", ["x"])
    with pytest.raises(IsADirectoryError):
        _files.read_arrays(tmp_path, ["x"])


def test_archives_are_those_of_numpy_to_the_byte():
    arrays = {"a": np.arange(6.0).reshape(2, 3), "b": np.frombuffer(b"xyz", np.uint8)}
    ours, theirs = io.BytesIO(), io.BytesIO()
    _files.write_arrays(ours, arrays)
    np.savez(theirs, **arrays)
    assert ours.getvalue() == theirs.getvalue()
