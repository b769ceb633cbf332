"""The spool file by itself: what is in it is found again, what is torn is cut off."""

from __future__ import annotations

import resource
import stat
from contextlib import contextmanager

import pytest
from wildgate_service.errors import StoreError
from wildgate_service.record import make_entry
from wildgate_service.writer._spool import MAGIC, Group, Spool

ROOM = 1 << 20


@contextmanager
def opened(path, *, limit=ROOM, synchronous=True):
    spool = Spool(path, limit, synchronous=synchronous)
    try:
        yield spool
    finally:
        spool.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "wildgate.spool"


@pytest.fixture
def groups(samples):
    """Three groups: records, an outcome, both."""
    return [
        Group([make_entry(samples.record()) for _ in range(2)], []),
        Group([], [samples.outcome(request_id=samples.uuid())]),
        Group([make_entry(samples.record())], [samples.outcome(request_id=samples.uuid())]),
    ]


def all_of(spool):
    """All that waits, as one list of records."""
    found, cursor = [], spool.first
    while part := spool.read(cursor):
        found += [*part.group.entries, *part.group.outcomes]
        cursor = part.end
    return found


def items(groups):
    return [*(entry for group in groups for entry in group.entries), *(outcome for group in groups for outcome in group.outcomes)]


@pytest.mark.parametrize("synchronous", [True, False])
def test_what_was_spooled_is_found_again_in_order(path, groups, synchronous):
    """By the process that takes over."""
    with opened(path, synchronous=synchronous) as spool:
        for group in groups:
            spool.append(group)
    with opened(path) as spool:
        assert (all_of(spool), spool.records, spool.cut_bytes) == (items(groups), 5, 0)
        assert spool.bytes == path.stat().st_size - len(MAGIC)


def test_a_torn_end_is_cut_off_and_kept_beside(path, groups):
    """Wherever a kill cut the last frame; nobody was answered from it."""
    with opened(path) as spool:
        spool.append(groups[0])
        whole = path.stat().st_size
        spool.append(groups[2])
    content = path.read_bytes()
    for size in range(whole + 1, len(content), 7):
        path.write_bytes(content[:size])
        with opened(path) as spool:
            assert (all_of(spool), spool.cut_bytes) == (items(groups[:1]), size - whole)
            assert path.stat().st_size == whole
    kept = sorted(path.parent.glob("wildgate.spool.cut-*"))
    assert kept[0].read_bytes() == content[whole : whole + 1]
    assert {stat.S_IMODE(file.stat().st_mode) for file in kept} == {0o600}


def test_a_damaged_frame_ends_what_is_trusted(path, groups):
    """One flipped bit in the middle: what follows is kept beside, not replayed."""
    with opened(path) as spool:
        spool.append(groups[0])
        middle = path.stat().st_size
        spool.append(groups[1])
        spool.append(groups[2])
    content = bytearray(path.read_bytes())
    content[middle + 20] ^= 1
    path.write_bytes(content)
    with opened(path) as spool:
        assert all_of(spool) == items(groups[:1])
    (kept,) = path.parent.glob("wildgate.spool.cut-*")
    assert kept.read_bytes() == content[middle:]


def test_the_file_is_for_its_owner_alone(path):
    """It holds what the store holds."""
    with opened(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_request_is_found_by_its_tenant_and_id(path, groups):
    """So that a repeat gets the same answer, before and after a kill."""
    entry = groups[2].entries[0]
    with opened(path) as spool:
        for group in groups:
            spool.append(group)
        assert spool.find(entry.tenant, entry.request_id) == entry
    with opened(path) as spool:
        assert [spool.find(entry.tenant, entry.request_id), spool.find("other", entry.request_id)] == [entry, None]


def test_an_emptied_spool_holds_nothing(path, groups):
    """And takes what comes next."""
    with opened(path) as spool:
        spool.append(groups[0])
        spool.clear()
        assert (spool.records, spool.bytes, spool.read(spool.first)) == (0, 0, None)
        spool.append(groups[1])
    with opened(path) as spool:
        assert all_of(spool) == items(groups[1:2])


def test_a_full_spool_refuses_and_keeps_what_it_has(path, groups):
    """It is bounded."""
    with opened(path, limit=2_500) as spool:
        spool.append(groups[0])
        with pytest.raises(StoreError, match="is full"):  # noqa: PT012  (some of it still fits)
            for _ in range(10):
                spool.append(groups[2])
        assert path.stat().st_size <= 2_500
        assert all_of(spool)[:2] == items(groups[:1])


def test_a_full_disk_leaves_no_half_a_frame(path, groups):
    """The kernel takes what still fits and refuses the rest; then there is room again."""
    with opened(path) as spool:
        spool.append(groups[0])
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 100, hard))
        try:
            with pytest.raises(StoreError, match="cannot be written: File too large; free space on its disk"):
                spool.append(groups[2])
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert path.stat().st_size == len(MAGIC) + spool.bytes
        spool.append(groups[1])
    with opened(path) as spool:
        assert (all_of(spool), spool.cut_bytes) == (items(groups[:2]), 0)


def test_a_spool_has_one_user(path):
    """Two services must not mix theirs."""
    with opened(path), pytest.raises(StoreError, match="is used by another process: give each service its own"):
        Spool(path, ROOM, synchronous=False)


def test_a_file_of_somebody_else_is_left_alone(path):
    """A typing error in a setting destroys nothing."""
    path.write_bytes(b"my letters")
    with pytest.raises(StoreError, match="is no spool of Wildgate"):
        Spool(path, ROOM, synchronous=False)
    assert path.read_bytes() == b"my letters"


def test_a_folder_that_is_not_there(tmp_path):
    """Is named."""
    with pytest.raises(StoreError, match="cannot be opened: No such file or directory; name another file as `spool`"):
        Spool(tmp_path / "none" / "spool", ROOM, synchronous=False)
