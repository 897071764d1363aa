"""A stand-in for the reference driver: what spec/storage-reflink.md says that it does, in the orders marked "U" of 3.5. It is not the reference: nothing
of it was made after the original or after storage-reflink, only after the specification, so it shows what a second reader of that text would do.

Reads requests from standard input, one a line, and answers each with a line, both JSON; a snapshot volume has the vid of its `source`, too:

    {"do": "revert", "with": ["3"], "pool": "/pool", "vid": "appvms/work/private", "keep": 2, "size": 65536}
    {"result": null, "error": "a text if it was refused or failed, else null", "warnings": []}

With `cutAfter` it does so in a process that ends after that many changes of the tree; the result is then whether it ended before it was done. Left out are
volatile volumes, clones of volumes, loop devices, and all that the specification does not tell of the reference.
"""
import errno
import fcntl
import glob
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from datetime import datetime, timezone

FICLONE = 0x80049409 if platform.machine() == "ppc64le" else 0x40049409
# Only these mean that there is no reflink to be had (section 5).
NO_REFLINK = (errno.EOPNOTSUPP, errno.EXDEV, errno.EINVAL, errno.EBADF)
CUT = 9


class StoragePoolException(Exception):
    pass


class Tree:
    """The primitives of 3.2. Counts the changes, and ends the process after the last one that it is allowed."""

    def __init__(self, changes):
        self.changes_left = changes

    def changed(self):
        self.changes_left -= 1
        if self.changes_left == 0:
            os._exit(CUT)

    def replace(self, path, fill):
        self.mkdir(os.path.dirname(path))
        fd, temporary = tempfile.mkstemp(prefix=f"{os.path.basename(path)}~", dir=os.path.dirname(path))
        os.close(fd)
        self.changed()
        try:
            fill(temporary)
            os.chmod(temporary, 0o600)
            sync(temporary)
            self.changed()
            self.rename(temporary, path)
        except BaseException:
            self.remove(temporary)
            raise

    def rename(self, path, to):
        # Of two names of one file the kernel keeps both.
        if os.path.exists(to) and os.path.samefile(path, to):
            os.unlink(path)
        else:
            os.rename(path, to)
        sync(os.path.dirname(to))
        self.changed()

    def remove(self, path):
        if not os.path.exists(path):
            return
        os.unlink(path)
        sync(os.path.dirname(path))
        self.changed()

    def link(self, path, to):
        self.mkdir(os.path.dirname(to))
        os.link(path, to)
        sync(os.path.dirname(to))
        self.changed()

    def mkdir(self, path):
        if os.path.isdir(path):
            return
        os.mkdir(path)
        sync(os.path.dirname(path))
        self.changed()

    def rmdir(self, path):
        if os.path.isdir(path) and not os.listdir(path):
            os.rmdir(path)
            sync(os.path.dirname(path))
            self.changed()

    def make_empty(self, path, size):
        self.replace(path, lambda temporary: os.truncate(temporary, size))

    def clone(self, path, to, size=None, keeps_times=False):
        def fill(temporary):
            if size != 0:
                copy(path, temporary)
            if size is not None:
                os.truncate(temporary, size)
            if keeps_times:
                times = os.stat(path)
                os.utime(temporary, ns=(times.st_atime_ns, times.st_mtime_ns))

        self.replace(to, fill)


def copy(path, to):
    try:
        with open(path, "rb") as source, open(to, "r+b") as target:
            fcntl.ioctl(target.fileno(), FICLONE, source.fileno())
    except OSError as error:
        if error.errno not in NO_REFLINK:
            raise
        subprocess.run(["cp", "--sparse=always", "--reflink=never", "--", path, to], check=True)


def sync(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


class Volume:
    """An origin; with a source, a snapshot of that. Whatever is not on the disk is told with each request."""

    def __init__(self, pool, vid, keep, size, source=None, changes=0):
        self.base = os.path.join(pool, vid)
        self.clean, self.dirty, self.precache, self.unfinished_import = (
            f"{self.base}{suffix}.img" for suffix in ("", "-dirty", "-precache", "-import")
        )
        self.keep = keep
        self.nominal_size = size
        self.source = None if source is None else Volume(pool, source, keep, size)
        self.tree = Tree(changes)
        self.warnings = []

    # The life of a volume, in the orders of 3.5.

    def create(self):
        self.remove_all()
        if self.source is None:
            self.tree.make_empty(self.clean, self.nominal_size)
            self.make_precache()

    def remove(self):
        self.remove_all()
        self.tree.rmdir(os.path.dirname(self.base))

    def remove_all(self):
        self.remove_temporaries()
        for path in (self.unfinished_import, *self.revisions().values(), self.clean, self.precache, self.dirty):
            self.tree.remove(path)

    def start(self):
        self.remove_temporaries()
        self.tree.remove(self.unfinished_import)
        if self.source is not None:
            self.tree.remove(self.clean)
            self.tree.link(self.source.clean, self.clean)
            self.tree.clone(self.clean, self.dirty)
        elif not self.is_dirty():
            self.start_anew()

    def start_anew(self):
        if self.keep == -1:
            for path in (*self.revisions().values(), self.precache):
                self.tree.remove(path)
            self.tree.rename(self.clean, self.dirty)
            return
        if os.path.exists(self.precache) and not self.is_precache_fresh():
            self.warnings.append(f"{self.precache} is stale: removed")
            self.tree.remove(self.precache)
        if os.path.exists(self.precache):
            self.tree.rename(self.precache, self.dirty)
        else:
            self.tree.clone(self.clean, self.dirty)

    def is_precache_fresh(self):
        precache, clean = os.stat(self.precache), os.stat(self.clean)
        return (precache.st_size, precache.st_mtime_ns) == (clean.st_size, clean.st_mtime_ns)

    def stop(self):
        if self.source is not None:
            self.tree.remove(self.dirty)
            self.tree.remove(self.clean)
        elif self.is_dirty() and self.keep == -1:
            sync(self.dirty)
            self.tree.rename(self.dirty, self.clean)
        elif self.is_dirty():
            self.commit(self.dirty)

    def commit(self, path):
        if self.keep >= 1:
            self.add_revision()
        # With -1 that is the oldest one only: the slip of the sign of section 4.
        for old in list(self.revisions().values())[: -self.keep or None]:
            self.tree.remove(old)
        sync(path)
        self.become_clean(path)

    def revert(self, revision=None):
        if self.is_dirty():
            raise StoragePoolException("not cleanly stopped")
        revisions = self.revisions()
        path = revisions[max(revisions) if revision is None else int(revision)]
        if self.keep != 0:
            self.add_revision()
        self.become_clean(path)

    def become_clean(self, path):
        self.tree.remove(self.precache)
        self.tree.rename(path, self.clean)
        self.make_precache()

    def add_revision(self):
        number = max(self.revisions(), default=0) + 1
        time = datetime.fromtimestamp(os.stat(self.clean).st_mtime_ns // 10**9, timezone.utc)
        self.tree.clone(self.clean, f"{self.clean}.{number}@{time:%Y-%m-%dT%H:%M:%S}Z")

    def make_precache(self):
        if self.keep != -1:
            self.tree.clone(self.clean, self.precache, keeps_times=True)

    def resize(self, size):
        if self.is_dirty():
            os.truncate(self.dirty, size)
            sync(self.dirty)
            self.tree.changed()
        elif self.source is None:
            self.tree.remove(self.precache)
            self.tree.clone(self.clean, self.clean, size=size)
            self.make_precache()

    def import_data(self, size):
        self.tree.make_empty(self.unfinished_import, size)
        return self.unfinished_import

    def import_data_end(self, is_success):
        if is_success:
            self.commit(self.unfinished_import)
        else:
            self.tree.remove(self.unfinished_import)

    def remove_temporaries(self):
        # The looser pattern of the reference (3.1).
        for path in glob.glob(f"{glob.escape(self.base)}*.img*~*"):
            self.tree.remove(path)

    # What there is.

    def revisions(self):
        """Number → path, the oldest first. Raises for a name whose number is none, as the reference does (3.1)."""
        paths = glob.glob(f"{glob.escape(self.clean)}.*@*Z")
        return dict(sorted((int(self.suffix_of(path)[0]), path) for path in paths))

    def suffix_of(self, path):
        """The number and the time of a revision, both as they stand in its name."""
        return path[len(self.clean) + 1 : -1].split("@")

    def is_dirty(self):
        return self.source is None and os.path.exists(self.dirty)

    def is_outdated(self):
        if self.source is None or not os.path.exists(self.source.clean) or not os.path.exists(self.clean):
            return False
        return not os.path.samefile(self.source.clean, self.clean)

    def size(self):
        image = next((path for path in (self.dirty, self.clean) if os.path.exists(path)), None)
        return self.nominal_size if image is None else os.stat(image).st_size

    def show(self):
        """All that can be seen of it, images as their hashes."""
        revisions = self.revisions()
        return {
            "size": self.size(),
            "isDirty": self.is_dirty(),
            "isOutdated": self.is_outdated(),
            "clean": hash_of(self.clean),
            "dirty": hash_of(self.dirty),
            "revisions": [(*self.suffix_of(path), hash_of(path)) for path in revisions.values()],
        }


def hash_of(path):
    if not os.path.exists(path):
        return None
    with open(path, "rb") as image:
        return hashlib.sha256(image.read()).hexdigest()


def answer(request):
    method, arguments = request.pop("do"), request.pop("with")
    changes = request.pop("cutAfter", 0)
    if changes > 0:
        return {"result": is_cut(request, method, arguments, changes), "error": None, "warnings": []}
    volume = Volume(**request)
    try:
        return {"result": getattr(volume, method)(*arguments), "error": None, "warnings": volume.warnings}
    except (StoragePoolException, OSError, LookupError, ValueError) as error:
        return {"result": None, "error": repr(error), "warnings": volume.warnings}


def is_cut(request, method, arguments, changes):
    child = os.fork()
    if child == 0:
        getattr(Volume(**request, changes=changes), method)(*arguments)
        os._exit(0)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if status not in (0, CUT):
        raise AssertionError(f"{method} ended with {status}")
    return status == CUT


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
