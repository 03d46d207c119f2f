"""Files that appear whole or not at all."""

import contextlib
import errno
import os
import tempfile
from pathlib import Path

from ..errors import UserError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


@contextlib.contextmanager
def replacing(path):
    """Yield the path of a ``.part`` file in the same folder that becomes `path` when the block ends well.

    The part is fsynced, renamed over `path`, and the folder fsynced; whenever the block raises, the
    part vanishes and an older `path` stays as it was. The process id is in the part's name, so two
    runs that write one file leave one whole file.

    Raises
    ------
    UserError
        On a full disk, a missing folder, or one that may not be written to.
    """
    path = Path(path)
    if path.is_dir() or not path.name:
        raise UserError(f"cannot write {path}: it is a folder; give the name of a file")
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        yield part
        with open(part, "rb") as whole:
            os.fsync(whole.fileno())
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise _cannot_write(path, error) from error
    finally:
        # where the folder itself is the trouble there is no part to remove
        with contextlib.suppress(OSError):
            part.unlink()


def writable_folder(path):
    """Make the folder `path` if need be and try it, before hours are spent on what goes in.

    Returns
    -------
    pathlib.Path

    Raises
    ------
    UserError
        If it cannot be made or written to; a folder made here is then removed again.
    """
    path = Path(path)
    made = not path.exists()
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path) as probe:
            probe.write(bytes(4096))
    except OSError as error:
        if made:
            with contextlib.suppress(OSError):
                path.rmdir()
        raise _cannot_write(path, error) from error
    return path


def _sync_folder(folder):
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    except OSError as error:
        # some network file systems cannot sync a folder; the file itself is already safe
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def _cannot_write(path, error):
    if error.errno in _NO_ROOM:
        return UserError(f"no room on the disk for {path}: free some space or choose another folder")
    if error.errno in _FORBIDDEN:
        return UserError(f"cannot write {path}: not allowed; choose a folder you may write to")
    if error.errno == errno.ENOENT:
        return UserError(f"cannot write {path}: the folder {path.parent} does not exist; create it first")
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return UserError(f"cannot write {path}: a file stands where a folder is needed; choose another place")
    return UserError(f"cannot write {path}: {error.strerror or error}; choose another place")
