"""Which contract is meant, and which files it is played from."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.dbn_files import compress, header, header_with, mbo, symbol_mapping
from tests.lakes import put
from tests.oracle_book import Rec
from vp.dbn.contents import contents_of
from vp.dbn.place import Place
from vp.dbn.session_input import SessionInput, find_input, session_reader
from vp.errors import DamagedFileError, FileError, NoRawFileError, UnknownSymbolError
from vp.lake.lake import Lake
from vp.market.products import find_product
from vp.market.session_hours import midnight_ns

DAY = dt.date(2026, 2, 6)
WEEK = [dt.date(2026, 2, day) for day in range(1, 8)]
MNQ = find_product("future_mbo", "MNQ")
NEAR, NEXT, LATER = 11, 12, 13
IDS = {"MNQH6": NEAR, "MNQM6": NEXT, "MNQU6": LATER}
MIXED = header_with({}, schema=None, stype_in=None)
ONE_SECOND = 1_000_000_000


def orders(number: int, count: int, day: dt.date = DAY) -> bytes:
    start = midnight_ns(day) + 3600 * ONE_SECOND
    return b"".join(mbo(Rec(start + i, "A", "B", 10**9, 1, i, 128), number) for i in range(count))


def whole(symbols: dict[str, int], counts: dict[int, int]) -> bytes:
    return header(symbols=symbols) + b"".join(orders(number, count) for number, count in counts.items())


def futures(lake: Path, files: dict[str, bytes]) -> None:
    """Put files of MNQ into the lake, named by what stands between dataset and ending."""
    for name, data in files.items():
        put(lake, "future_mbo", "MNQ", f"glbx-mdp3-{name}.dbn", data)


def found(lake: Path, symbol: str, dates: Sequence[dt.date] = (DAY,)) -> SessionInput:
    return find_input(Lake(lake), find_product("future_mbo", symbol), symbol, list(dates))


def played(lake: Path, symbol: str, dates: Sequence[dt.date] = (DAY,)) -> tuple[str, list[str]]:
    """The contract, and what tells the names of its files apart."""
    session = found(lake, symbol, dates)
    return session.contract, [raw.path.name.removeprefix("glbx-mdp3-") for raw in session.raw_files]


@pytest.mark.parametrize("asked", ["MNQ", "MNQ.v.0", "MNQ.FUT"])
def test_a_root_a_parent_and_a_continuous_name_mean_the_busiest(tmp_path: Path, asked: str) -> None:
    futures(tmp_path, {"20260206.mbo": whole(IDS, {NEXT: 2, NEAR: 5, LATER: 3})})
    session = found(tmp_path, asked)
    assert (session.contract, session.files[0].spans[0].instrument_id) == ("MNQH6", NEAR)


def test_of_two_that_are_as_busy_it_is_the_one_of_the_lower_number(tmp_path: Path) -> None:
    futures(tmp_path, {"20260206.mbo": whole({"MNQM6": NEAR, "MNQH6": NEXT}, {NEXT: 4, NEAR: 4})})
    assert found(tmp_path, "MNQ").contract == "MNQM6"


def test_a_root_means_none_of_another_root(tmp_path: Path) -> None:
    futures(tmp_path, {"20260206.mbo": whole({"MNQH6": NEAR, "ESH6": NEXT}, {NEAR: 2, NEXT: 9})})
    assert found(tmp_path, "MNQ").contract == "MNQH6"


def test_a_name_means_itself_however_quiet(tmp_path: Path) -> None:
    futures(tmp_path, {"20260206.mbo": whole(IDS, {NEXT: 1, NEAR: 5})})
    assert found(tmp_path, "MNQM6").files[0].spans[0].instrument_id == NEXT
    with pytest.raises(UnknownSymbolError, match="does not hold MNQZ6; it holds MNQH6, MNQM6, MNQU6"):
        found(tmp_path, "MNQZ6")


def test_files_without_names(tmp_path: Path) -> None:
    futures(tmp_path, {"20260206.mbo": whole({}, {NEXT: 2, NEAR: 5})})
    assert found(tmp_path, "MNQ").contract == str(NEAR)
    assert found(tmp_path, "MNQ").files[0].spans[0].instrument_id == NEAR
    with pytest.raises(UnknownSymbolError, match="holds the instruments 11, 12, so MNQH6 cannot be told"):
        found(tmp_path, "MNQH6")


def test_a_contract_is_played_from_its_own_split_file_and_no_other_is_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    months = "FGHJKMNQUVXZ"
    for i in range(60):
        symbol = f"MNQ{months[i % 12]}{i // 12 + 10}"
        put(tmp_path, "future_mbo", "MNQ", f"glbx-mdp3-20260206.mbo.{symbol}.dbn.zst",
            compress(whole({symbol: i + 1}, {i + 1: i + 1})))  # fmt: skip
    opened: list[str] = []
    open_path = Path.open

    def watched(path: Path, *arguments: Any, **options: Any) -> Any:
        opened.append(path.name)
        return open_path(path, *arguments, **options)

    monkeypatch.setattr(Path, "open", watched)
    assert played(tmp_path, "MNQH10") == ("MNQH10", ["20260206.mbo.MNQH10.dbn.zst"])
    assert set(opened) == {"glbx-mdp3-20260206.mbo.MNQH10.dbn.zst"}
    opened.clear()
    (entry,) = Lake(tmp_path).sessions()
    assert (len(entry.contracts), opened) == (60, [])
    assert played(tmp_path, "MNQ")[0] == "MNQZ14"
    opened.clear()
    assert played(tmp_path, "MNQ")[0] == "MNQZ14"
    assert opened == [], "what was found out once is remembered"
    with pytest.raises(UnknownSymbolError, match="and 40 more"):
        found(tmp_path, "MNQH6")
    assert opened == []


def test_a_root_is_chosen_over_all_files_of_its_day(tmp_path: Path) -> None:
    futures(
        tmp_path,
        {
            "20260206.mbo": whole({"MNQH6": NEAR}, {NEAR: 3}),
            "20260206.mbo.MNQM6": whole({"MNQM6": NEXT}, {NEXT: 9}),
            "20260206.mbo.143005123456": MIXED + symbol_mapping(LATER, "MNQU6", "MNQU6") + orders(LATER, 5),
        },
    )
    assert played(tmp_path, "MNQ") == ("MNQM6", ["20260206.mbo.MNQM6.dbn"])
    assert played(tmp_path, "MNQH6") == ("MNQH6", ["20260206.mbo.dbn"])
    assert played(tmp_path, "MNQU6") == ("MNQU6", ["20260206.mbo.143005123456.dbn"])


def test_a_whole_day_goes_before_a_split_file_of_the_same_contract(tmp_path: Path) -> None:
    futures(tmp_path, {"20260206.mbo": whole(IDS, {NEAR: 3}), "20260206.mbo.MNQH6": whole(IDS, {NEAR: 9})})
    assert played(tmp_path, "MNQH6") == ("MNQH6", ["20260206.mbo.dbn"])


def test_a_split_file_is_what_it_holds_and_not_what_its_name_says(tmp_path: Path) -> None:
    futures(tmp_path, {"20260206.mbo.MNQ.FUT": whole(IDS, {NEAR: 3, NEXT: 4}), "20260206.mbo.MNQU6": whole(
        {"MNQH7": NEAR}, {NEAR: 1})})  # fmt: skip
    assert played(tmp_path, "MNQH6") == ("MNQH6", ["20260206.mbo.MNQ.FUT.dbn"])
    assert played(tmp_path, "MNQ") == ("MNQM6", ["20260206.mbo.MNQ.FUT.dbn"])


def test_live_segments_that_hold_the_contract_are_read_in_order_of_time(tmp_path: Path) -> None:
    near, both = symbol_mapping(NEAR, "MNQ.FUT", "MNQH6"), symbol_mapping(NEXT, "MNQ.FUT", "MNQM6")
    futures(
        tmp_path,
        {
            "20260206.mbo.143005123456": MIXED + near + orders(NEAR, 1),
            "20260206.mbo.003005123456": MIXED + near + both + orders(NEAR, 1) + orders(NEXT, 1),
            "20260206.mbo.093005123456": MIXED + both + orders(NEXT, 1),
            "20260206.mbo.235005123456": b"",
        },
    )
    times = {"MNQH6": ["003005123456", "143005123456"], "MNQM6": ["003005123456", "093005123456"]}
    for contract, segments in times.items():
        assert played(tmp_path, contract)[1] == [f"20260206.mbo.{time}.dbn" for time in segments]


def test_a_segment_that_is_damaged_is_no_silent_hole(tmp_path: Path) -> None:
    near = symbol_mapping(NEAR, "MNQH6", "MNQH6")
    futures(tmp_path, {"20260206.mbo.143005123456": MIXED + near, "20260206.mbo.153005123456": b"DBN\x03junk"})
    with pytest.raises(FileError, match="153005123456"):
        found(tmp_path, "MNQH6")


def test_several_days_are_read_one_behind_the_other(tmp_path: Path) -> None:
    for day in (2, 3, 5):
        futures(tmp_path, {f"2026020{day}.mbo": whole(IDS, {NEAR: day})})
    assert played(tmp_path, "MNQH6", WEEK)[1] == [f"2026020{day}.mbo.dbn" for day in (2, 3, 5)]
    with pytest.raises(NoRawFileError):
        found(tmp_path, "MNQH6", WEEK[5:])


def test_a_week_in_one_file_is_read_once_and_no_day_twice(tmp_path: Path) -> None:
    week = header_with({"MNQH6": [(WEEK[0], dt.date(2026, 2, 8), str(NEAR))]})
    futures(tmp_path, {"20260201-20260207.mbo": week + orders(NEAR, 4)})
    assert played(tmp_path, "MNQH6", WEEK)[1] == ["20260201-20260207.mbo.dbn"]
    futures(tmp_path, {"20260201.mbo": whole(IDS, {NEAR: 4}), "20260202.mbo": whole(IDS, {NEAR: 4})})
    of_the_week = "20260201-20260207.mbo.dbn"
    assert played(tmp_path, "MNQH6", WEEK)[1] == ["20260201.mbo.dbn", "20260202.mbo.dbn", of_the_week]
    assert played(tmp_path, "MNQH6", WEEK[2:])[1] == [of_the_week]


def test_no_day_is_left_out_or_read_twice_where_spans_of_files_overlap(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def of_days(first: int, last: int) -> bytes:
        held = WEEK[first - 1 : last]
        names = {"MNQH6": [(held[0], held[-1] + dt.timedelta(days=1), str(NEAR))]}
        return header_with(names) + b"".join(orders(NEAR, day.day, day) for day in held)

    def read(first: int, last: int) -> dict[int, int]:
        dates = WEEK[first - 1 : last]
        session = found(tmp_path, "MNQH6", dates)
        reader = session_reader(session, midnight_ns(dates[0]), midnight_ns(dates[-1]) + 86_400 * ONE_SECOND)
        counts: dict[int, int] = {}
        for events, _ in reader.chunks():
            for ns in events.columns.clock_ns[events.columns.clock_ns > 0].tolist():
                day = WEEK[0].day + (ns - midnight_ns(WEEK[0])) // (86_400 * ONE_SECOND)
                counts[day] = counts.get(day, 0) + 1
        return counts

    futures(tmp_path, {"20260203.mbo": of_days(3, 3), "20260202-20260204.mbo": of_days(2, 4)})
    futures(tmp_path, {"20260204-20260206.mbo": of_days(4, 6)})
    assert read(3, 4) == {3: 3, 4: 4}
    assert read(2, 6) == {day: day for day in range(2, 7)}
    assert read(3, 6) == {day: day for day in range(3, 7)}
    assert not caplog.records


def test_the_busiest_of_a_week_is_that_of_the_day(tmp_path: Path) -> None:
    names = {name: [(WEEK[0], dt.date(2026, 2, 8), str(number))] for name, number in IDS.items()}
    body = orders(NEAR, 9, WEEK[3]) + orders(NEXT, 2, WEEK[3]) + orders(NEAR, 3, DAY) + orders(NEXT, 4, DAY)
    futures(tmp_path, {"20260201-20260207.mbo": header_with(names) + body})
    assert played(tmp_path, "MNQ", [WEEK[3]])[0] == "MNQH6"
    assert played(tmp_path, "MNQ", [DAY])[0] == "MNQM6"


def test_one_damaged_file_hides_no_other(tmp_path: Path) -> None:
    futures(tmp_path, {"20260206.mbo": b"no DBN file", "20260206.mbo.MNQH6": whole(IDS, {NEAR: 3})})
    assert played(tmp_path, "MNQH6")[1] == ["20260206.mbo.MNQH6.dbn"]
    with pytest.raises(FileError, match=r"20260206\.mbo\.dbn is no DBN file"):
        found(tmp_path, "MNQZ6")


@pytest.mark.parametrize("written", ["BRK B", "BRK/B", "BRK.B"])
@pytest.mark.parametrize("asked", ["BRK.B", "BRK/B", "brk b"])
def test_each_spelling_of_a_class_of_shares_finds_every_other(tmp_path: Path, written: str, asked: str) -> None:
    data = header_with({written: [(DAY, dt.date(2026, 2, 7), "5")]}, dataset="XNYS.PILLAR") + orders(5, 2)
    put(tmp_path, "equity_mbo", "BRK.B", "xnys-pillar-20260206.mbo.dbn", data)
    product = find_product("equity_mbo", asked)
    session = find_input(Lake(tmp_path), product, product.root, [DAY])
    assert (session.contract, session.files[0].spans[0].instrument_id) == ("BRK.B", 5)


@pytest.mark.parametrize("file_symbol", ["BRK.B", "BRK B", "BRK%2FB", "BRK_B", "BRK-B"])
def test_a_split_file_of_a_class_of_shares_is_found_however_it_is_named(tmp_path: Path, file_symbol: str) -> None:
    data = header_with({"BRK B": [(DAY, dt.date(2026, 2, 7), "5")]}) + orders(5, 2)
    put(tmp_path, "equity_mbo", "BRK.B", f"xnys-pillar-20260206.mbo.{file_symbol}.dbn", data)
    product = find_product("equity_mbo", "BRK/B")
    assert len(find_input(Lake(tmp_path), product, product.root, [DAY]).files) == 1


def test_whatever_is_offered_can_be_asked_for(tmp_path: Path) -> None:
    names = {"MNQH6": NEAR, "MNQH6-MNQM6": NEXT, "MNQ FMH0026!": LATER, "UD:1V: VT 2501": 14}
    futures(tmp_path, {"20260206.mbo": whole(names, dict.fromkeys(names.values(), 1))})
    with pytest.raises(UnknownSymbolError) as caught:
        found(tmp_path, "MNQZ6")
    offered = caught.value.message.partition("it holds ")[2].removesuffix(".").removesuffix(" and 1 of other forms")
    assert offered.split(", ") == ["MNQ FMH0026!", "MNQH6", "MNQH6-MNQM6"]
    for symbol in offered.split(", "):
        assert found(tmp_path, symbol).contract == symbol


def test_a_file_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    futures(tmp_path, {"20260206.mbo": whole({"MNQH6": NEAR}, {NEAR: 1})})
    assert found(tmp_path, "MNQ").contract == "MNQH6"
    (raw,) = found(tmp_path, "MNQ").raw_files
    assert contents_of(raw) is contents_of(raw)
    futures(tmp_path, {"20260206.mbo": whole({"MNQM6": NEXT}, {NEXT: 1})})
    os.utime(raw.path, ns=(1, raw.mtime_ns + 1))
    assert found(tmp_path, "MNQ").contract == "MNQM6"


def test_damage_behind_the_names_is_met_when_it_is_reached(tmp_path: Path) -> None:
    futures(tmp_path, {"20260206.mbo": whole(IDS, {NEAR: 3}) + b"\xff" * 7})
    assert found(tmp_path, "MNQH6").contract == "MNQH6"
    with pytest.raises(DamagedFileError):
        from vp.dbn.file import DbnFile
        from vp.dbn.reader import read_events

        read_events(DbnFile(found(tmp_path, "MNQH6").raw_files[0].path))


def test_an_id_that_goes_over_to_another_contract_takes_its_records_along(tmp_path: Path) -> None:
    days = [WEEK[3], DAY, dt.date(2026, 2, 8)]
    names = {
        "MNQH6": [(days[0], days[1], str(NEAR)), (days[1], days[2], str(NEXT))],
        "MNQM6": [(days[0], days[1], str(NEXT)), (days[1], days[2], str(NEAR))],
    }
    body = orders(NEAR, 9, days[0]) + orders(NEXT, 2, days[0]) + orders(NEAR, 3) + orders(NEXT, 4)
    futures(tmp_path, {"20260201-20260207.mbo": header_with(names) + body})
    window = midnight_ns(days[0]), midnight_ns(days[2])
    counts = {}
    for symbol in names:
        reader = session_reader(found(tmp_path, symbol, WEEK), *window)
        counts[symbol] = [sum(len(events) for events, _ in reader.chunks()), reader.passed_over.other_instruments]
    assert counts == {"MNQH6": [9 + 4, 2 + 3], "MNQM6": [2 + 3, 9 + 4]}


def test_reading_goes_on_from_any_place_of_any_file(tmp_path: Path) -> None:
    near = symbol_mapping(NEAR, "MNQ.FUT", "MNQH6")
    for hour in range(3):
        start = midnight_ns(DAY) + hour * 3600 * ONE_SECOND
        records = [mbo(Rec(start + i, "A", "B", 10**9, 1, 10 * hour + i, 128), NEAR) for i in range(5)]
        records.insert(2, mbo(Rec(start, "A", "B", 10**9, 1, 9, 128), NEXT))
        futures(tmp_path, {f"20260206.mbo.0{hour}0000000000": MIXED + near + b"".join(records)})
    session = found(tmp_path, "MNQH6")
    window = midnight_ns(DAY), midnight_ns(dt.date(2026, 2, 7))

    def read(place: Place | None = None) -> tuple[list[int], list[Place], int, int]:
        reader = session_reader(session, *window, chunk_rows=2)
        ids, places = [], []
        for events, at in reader.chunks(place):
            ids += [events.columns.order_id[:].tolist()]
            places.append(at)
        flat = [number for part in ids for number in part]
        return flat, places, reader.records_seen, reader.passed_over.total()

    whole_run = read()
    assert whole_run[0] == [10 * hour + i for hour in range(3) for i in range(5)]
    assert whole_run[2:] == (3 * 7, 3 * 2)
    assert {place.file_index for place in whole_run[1]} == {0, 1, 2}
    for n, place in enumerate(whole_run[1]):
        rest = read(place)
        assert rest[0] == whole_run[0][-len(rest[0]) :]
        assert (rest[1], rest[2:]) == (whole_run[1][n:], whole_run[2:])
