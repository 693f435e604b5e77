"""Options of studies."""

from __future__ import annotations

from vp.settings.forms import column_list, count, fees, session_dates, switch, text
from vp.settings.setting import STUDY, Setting

STUDY_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "choose",
        "--choose",
        None,
        session_dates,
        "DAYS",
        "Days, as in --dt, on which the best of the sets is chosen: the one whose score has the highest rank "
        "correlation with the move over 5 s. With --report.",
        "2026-02-02..2026-02-03",
        STUDY,
    ),
    Setting(
        "report",
        "--report",
        None,
        session_dates,
        "DAYS",
        "Days, other than those of --choose, that the report is of.",
        "2026-02-04..2026-02-06",
        STUDY,
    ),
    Setting(
        "every_seconds",
        "--every-seconds",
        1,
        count,
        "SECONDS",
        "Time between two samples; 5 or 10 suit names in which little happens.",
        "5",
        STUDY,
    ),
    Setting(
        "columns",
        "--columns",
        (),
        column_list,
        "NAMES",
        "Further scalar columns of frames to measure, with commas between.",
        "vacuum_above,vacuum_below",
        STUDY,
    ),
    Setting(
        "fees",
        "--fees",
        0.0,
        fees,
        "AMOUNT",
        "Fees of one contract or share and one side, in the price's currency: they stand beside every move.",
        "1.20",
        STUDY,
    ),
    Setting(
        "seed",
        "--seed",
        1,
        count,
        "NUMBER",
        "Seed of the resampling; the same gives the same report.",
        "7",
        STUDY,
    ),
    Setting(
        "cross_check",
        "--cross-check",
        False,
        switch,
        "",
        "Set the score's intervals beside those of another bootstrap, of the package arch, with blocks as long as that "
        "finds right. Needs the extra study.",
        "yes",
        STUDY,
    ),
    Setting(
        "recording",
        "--recording",
        (),
        text,
        "FILE",
        "File of frames that vp.record wrote, to be studied instead of a session; once for each. A recording with "
        "--throttle-ms 0 has every event end.",
        "frames.parquet",
        STUDY,
        repeated=True,
    ),
)
