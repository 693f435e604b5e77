"""Files of at most a megabyte that are made to take memory of who reads them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import numpy as np
import zstandard

from tests.dbn_files import header, other_records, symbol_mapping
from tests.lakes import FUTURES_OPEN_NS
from vp.dbn.header import FREE_HEADER_BYTES, SYMBOL_LENGTH_AT
from vp.dbn.zstd import SKIPPABLE
from vp.kernels.contract import MBO_DTYPE, RTYPE_MBO
from vp.kernels.orders import HASH_MULTIPLIER

MAX_BYTES = 1 << 20
LEVEL = 12  # takes a second, and a fifth off what the usual level makes
SHORT_SYMBOL_BYTES, SYMBOL_BYTES = 22, 71
MARKUP = "<img src=x onerror=alert(1)>\x1b[2J"
DAY = struct.pack("<II", 20260206, 20260207)
MS = 1_000_000


def pack(*parts: bytes) -> bytes:
    """All of it as one zstandard frame."""
    return zstandard.ZstdCompressor(level=LEVEL).compress(b"".join(parts))


def orders(count: int, **columns: np.ndarray | int) -> bytes:
    """As many orders, each with an id of its own; what is the same in all of them compresses to nothing."""
    rows = np.zeros(count, MBO_DTYPE)
    rows["length"], rows["rtype"] = MBO_DTYPE.itemsize // 4, RTYPE_MBO
    rows["publisher_id"], rows["instrument_id"], rows["order_id"] = 1, 42005, np.arange(1, count + 1)
    rows["ts_event"], rows["ts_recv"] = FUTURES_OPEN_NS, FUTURES_OPEN_NS + 1000
    rows["price"], rows["size"], rows["flags"] = 25_000 * 10**9, 1, 128
    rows["action"], rows["side"] = ord("A"), ord("B")
    for name, values in columns.items():
        rows[name] = values
    return rows.tobytes()


def leaps(count: int) -> bytes:
    """Orders far and wide, then a best bid and ask that come and go, low and high by turns."""
    number = np.arange(count)
    rests = number < count // 2
    part = number % 4
    low = np.where(number // 4 % 2, 10_000, 30_000) + part % 2
    return orders(
        count,
        action=np.where(rests | (part < 2), ord("A"), ord("C")),
        side=np.where(part % 2, ord("A"), ord("B")),
        price=np.where(rests, np.where(part % 2, 10**6 + number, number % 5000), low) * 250_000_000,
        order_id=np.where(rests, number + 3, 1 + part % 2),
    )


def clears(count: int) -> bytes:
    """A book that grows once, then one order and a clear again and again."""
    number = np.arange(count)
    cleared = (number >= count // 2) & (number % 2 == 0)
    return orders(count, action=np.where(cleared, ord("R"), ord("A")))


def of_one_publisher_beside_another(count: int) -> bytes:
    """One publisher with many orders, and another one that sends an order and clears its own book by turns."""
    number = np.arange(count)
    other = number >= count // 2
    return orders(
        count,
        action=np.where(other & (number % 2 == 0), ord("R"), ord("A")),
        publisher_id=np.where(other, 2, 1),
        order_id=np.where(other, 1, number + 1),
    )


def of_one_id(count: int, action: str) -> bytes:
    """An order that is added once and named in all records behind, each time at one of two prices."""
    number = np.arange(count)
    price = (25_000 + number % 2) * 10**9
    return orders(count, action=np.where(number, ord(action), ord("A")), order_id=1, price=price)


def meeting(count: int) -> np.ndarray:
    """Numbers that belong at one place of each table that goes by their hash: int64."""
    return (np.arange(1, count + 1, dtype=np.uint64) * np.uint64(pow(HASH_MULTIPLIER, -1, 2**64))).view(np.int64)


def in_one_group(count: int, named_again: int) -> bytes:
    """Orders whose ids all belong at one place of the order table; the last of them is named again and again."""
    ids = meeting(count)
    again = np.arange(named_again)
    return orders(count, order_id=ids.view(np.uint64)) + orders(
        named_again, action=ord("M"), order_id=int(ids[-1].view(np.uint64)), price=(25_000 + again % 2) * 10**9
    )


def of_other_types(count: int) -> bytes:
    """Definitions, statuses, statistics and whatever else a file may hold, none of it an order."""
    return b"".join(other_records()) * count


def filled_up(data: bytes) -> bytes:
    """Compressed data behind noise to be skipped, so that the file may expand to a hundred megabytes."""
    noise = MAX_BYTES - len(data) - 8
    return struct.pack("<II", SKIPPABLE[0], noise) + np.random.default_rng(1).bytes(noise) + data


def behind_empty_frames(data: bytes) -> bytes:
    """A file behind as many frames without content as a megabyte holds."""
    empty = zstandard.ZstdCompressor(write_checksum=False).compress(b"")
    return empty * ((MAX_BYTES - len(data)) // len(empty)) + data


def behind_skipped_frames(data: bytes) -> bytes:
    """A file behind as many frames to be skipped as a megabyte holds."""
    return struct.pack("<II", SKIPPABLE[0], 0) * ((MAX_BYTES - len(data)) // 8) + data


def zeros(size_bytes: int) -> bytes:
    compressor = zstandard.ZstdCompressor(write_content_size=False).compressobj()
    made = compressor.compress(header() + orders(10))
    return made + b"".join(compressor.compress(bytes(1 << 20)) for _ in range(size_bytes >> 20)) + compressor.flush()


def head_of(symbol_bytes: int, asked: Sequence[bytes], mappings: Sequence[bytes]) -> bytes:
    """A header, put together by hand: symbols asked for, and mappings as they stand there."""
    head = bytearray(header()[:108])
    struct.pack_into("<H", head, SYMBOL_LENGTH_AT, symbol_bytes)
    for names in (asked, (), ()):
        head += struct.pack("<I", len(names)) + b"".join(name.ljust(symbol_bytes, b"\0") for name in names)
    head = head[:-4] + struct.pack("<2I", 0, len(mappings)) + b"".join(mappings)
    struct.pack_into("<I", head, 4, len(head) - 8)
    return bytes(head)


def mapping(name: bytes, numbers: Sequence[int], symbol_bytes: int) -> bytes:
    """A symbol, and the instruments that it means on as many stretches of one day."""
    stretches = b"".join(DAY + str(number).encode().ljust(symbol_bytes, b"\0") for number in numbers)
    return name.ljust(symbol_bytes, b"\0") + struct.pack("<I", len(numbers)) + stretches


def many_intervals() -> bytes:
    """A header as long as it may be, of the shortest symbols: one name, on hundreds of thousands of stretches."""
    count = (FREE_HEADER_BYTES - 1000) // (len(DAY) + SHORT_SYMBOL_BYTES)
    return head_of(SHORT_SYMBOL_BYTES, [], [mapping(b"MNQH6", [42005] * count, SHORT_SYMBOL_BYTES)])


def many_names() -> bytes:
    """A header as long as it may be, of names that differ, as long as they may be, and say what a page must not do."""
    count = (FREE_HEADER_BYTES - 1000) // (3 * SYMBOL_BYTES + len(DAY) + 4)
    names = [b"MNQH6", *(f"MNQ{number:06}{MARKUP}".encode().ljust(70, b"x") for number in range(count - 1))]
    return head_of(SYMBOL_BYTES, names, [mapping(name, [i + 42005], SYMBOL_BYTES) for i, name in enumerate(names)])


def named_among_records(count: int, *, one_instrument: bool) -> bytes:
    """As many mappings as a live feed states them, of as many instruments, or of one that has a new name each time."""
    given = [
        symbol_mapping(42005 + number * (not one_instrument), "MNQ.FUT", f"MNQ{number}{MARKUP}", start_ns=number + 1)
        for number in range(count)
    ]
    return b"".join(given)


HOSTILE: dict[str, Callable[[], bytes]] = {
    "gigabytes of zeros": lambda: zeros(2 << 30),
    "zeros, cut": lambda: zeros(256 << 20)[:-100],
    "one record, two million times": lambda: pack(header(), orders(10), orders(1) * 2_000_000),
    "orders": lambda: pack(header(), orders(700_000)),
    "orders, cut in a record": lambda: pack(header(), orders(700_000)[:-20]),
    "orders, cut in a block": lambda: pack(header(), orders(700_000))[:-5000],
    "far prices": lambda: pack(header(), orders(150_000, price=np.arange(150_000, 0, -1) * 10**13)),
    "leaps of the market": lambda: pack(header(), orders(150_000, price=np.arange(1, 150_001) * 10**13)),
    "a market that leaps to and fro": lambda: pack(header(), leaps(150_000)),
    "clears": lambda: pack(header(), clears(300_000)),
    "prices at the ends": lambda: pack(header(), orders(600_000, price=np.tile([1 - 2**63, 2**63 - 2], 300_000))),
    "sizes": lambda: pack(header(), orders(600_000, size=2**32 - 1)),
    "trades": lambda: pack(header(), orders(600_000, action=ord("T"), size=2**32 - 1)),
    "a snapshot": lambda: pack(header(), orders(600_000, flags=128 | 32)),
    "frames": lambda: pack(
        header(), orders(20_000, ts_event=FUTURES_OPEN_NS + np.arange(20_000) * 100 * MS,
                         ts_recv=FUTURES_OPEN_NS + np.arange(20_000) * 100 * MS + 1000)
    ),
    "leaps of time": lambda: pack(header(), orders(400_000, ts_event=np.tile([0, 2**63 - 2], 200_000))),
    "publishers": lambda: pack(header(), orders(400_000, publisher_id=np.arange(400_000) % 65_536)),
    "instruments": lambda: pack(header(symbols={}), orders(400_000, instrument_id=np.arange(400_000))),
    "stretches in the header": lambda: pack(many_intervals(), orders(10)),
    "names in the header": lambda: pack(many_names(), orders(10)),
    "names among the records": lambda: pack(
        header(symbols={}, schema=None), named_among_records(85_000, one_instrument=False), orders(10)
    ),
    "an instrument that is named anew": lambda: pack(
        header(symbols={}, schema=None), named_among_records(85_000, one_instrument=True), orders(10)
    ),
    "a header, cut": lambda: pack(many_names()[: FREE_HEADER_BYTES // 2]),
    "uncompressed orders": lambda: header() + orders(18_000, price=np.arange(18_000) * 10**15 + 10**9),
    "clears of one publisher beside another": lambda: filled_up(
        pack(header(), of_one_publisher_beside_another(20_000))
    ),
    "adds of one id": lambda: filled_up(pack(header(), of_one_id(1_500_000, "A"))),
    "modifies of one order": lambda: filled_up(pack(header(), of_one_id(1_500_000, "M"))),
    "uncompressed modifies of one order": lambda: header() + of_one_id(18_000, "M"),
    "ids that meet": lambda: filled_up(pack(header(), in_one_group(20_000, 200_000))),
    "prices that meet": lambda: pack(header(), orders(60_000, price=meeting(60_000))),
    "other types": lambda: filled_up(pack(header(schema=None), of_other_types(20_000), orders(10))),
    "records without length": lambda: filled_up(pack(header(), orders(10), orders(1_000_000, length=0, order_id=1))),
    "records of 255 words": lambda: filled_up(pack(header(), orders(10), orders(1_000_000, length=255, order_id=1))),
    "records without length, uncompressed": lambda: header() + orders(10) + bytes(MAX_BYTES - 4096),
    "two files in one": lambda: header() + orders(9_000) + header() + orders(9_000),
    "two files in one, compressed": lambda: pack(header(), orders(100_000)) + pack(header(), orders(100_000)),
    "frames without content": lambda: behind_empty_frames(pack(header(), orders(100_000))),
    "frames to be skipped": lambda: behind_skipped_frames(pack(header(), orders(100_000))),
    "an uncompressed header that lies": lambda: header()[:4] + struct.pack("<I", 2**32 - 1) + bytes(MAX_BYTES - 8),
}  # fmt: skip


def usual() -> bytes:
    """A file that means no harm, to compare with."""
    return header() + orders(10)
