"""What a report says of mail, section by section, in the order in which it is read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pandas as pd

from mailframe import analysis, plots
from mailframe.analysis.identity import directions
from mailframe.analysis.periods import zone_of
from mailframe.reporting.document import Cell, Column, Picture, Section, Table, Tile, shown
from mailframe.reporting.words import NONE, count, date, length, share, size, than_before

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import tzinfo

    from mailframe.reporting.document import Part, Row
    from mailframe.reporting.gathering import Mail

__all__ = ["notes_of", "sections_of"]

#: Rows of a table: more of them belong into a notebook.
_ROWS = 10
#: What is waited for longer than that needs attention; what for longer than that will not get any.
_PATIENCE, _PATIENTLY = "3d", "three days or more"
_MOMENT = pd.Timedelta(1, "us")
_FORGOTTEN = pd.Timedelta(90, "D")
# How long periods are drawn with bars of what length.
_BARS = ((3, "h"), (70, "D"), (500, "W"), (3000, "M"))
_UNKNOWN = ("share", "median", "reply_median", "reply_p90")
_WHEN = ("day", "hour")
_ANSWERS = {"mine": "your answers to others", "theirs": "their answers to you"}


def sections_of(mail: Mail) -> list[Section]:
    """Say what is to be seen.

    Parameters
    ----------
    mail
        Of a mailbox with mail or without.
    """
    times = {
        name: _times(mail, at, begin)
        for name, at, begin in (
            ("now", mail.at, mail.span and mail.span.begin),
            (
                "before",
                mail.span and mail.span.before_end - _MOMENT,
                mail.span and mail.span.before_begin,
            ),
        )
        if mail.me and at is not None and not pd.isna(at)
    }
    headline = Section("", [_tiles(mail, times)])
    if mail.now.empty:
        of = "in this mailbox" if mail.span is None else f"of {mail.span.name}"
        found = [Section("", [f"There is no mail {of}."]), _storage(mail)]
        return [headline, *(section for section in found if section is not None)]
    made = [_volume(mail), _rhythm(mail), _senders(mail), _replies(times), _waiting(mail),
            _newsletters(mail), _storage(mail), _attachments(mail)]  # fmt: skip
    return [headline, *(section for section in made if section is not None)]


def notes_of(mail: Mail) -> list[str]:
    """Say what was counted, and what was not.

    Parameters
    ----------
    mail
        As for `sections_of`.
    """
    zone = zone_of(mail.tz).name
    counted = f"Days are those of {zone}. A message counts when it was sent, by its Date, and once"
    notes = [f"{counted}, however many folders it lies in."]
    if mail.aside:
        notes.append(f"{_many(mail.aside)} junk or deleted: told under storage alone.")
    if mail.undated and mail.span is None:
        notes.append(f"{_many(mail.undated)} without a date that can be: told under storage alone.")
    if mail.me:
        notes.append(
            "Letters are those of a person to you, or yours to others, that could expect an "
            "answer; answers are found by In-Reply-To and References. What answers took is told of "
            "those that came; half of all letters are answered after so long by the estimator of "
            "Kaplan and Meier, in which what has no answer counts as such."
        )
        notes.append(f"You are {', '.join(shown(one) for one in sorted(mail.me)[:_ROWS])}.")
    else:
        notes.append(
            "Nothing tells which mail is yours: give me= (--me), or mail of your Sent folder."
        )
    if mail.attachments is None:
        notes.append("Made of headers alone: attachments are told where a session is given.")
    return notes


def _tiles(mail: Mail, times: dict[str, pd.DataFrame]) -> tuple[Tile, ...]:
    now, before = _received(mail.now, mail), None
    if mail.before is not None:
        before = _received(mail.before, mail)
    tell = partial(_tile, mail, now, before)
    if not mail.me:
        first = [tell("Messages", len)]
    else:
        first = [
            tell("Received", len),
            _tile(mail, mail.now, mail.before, "Sent", lambda frame: len(_sent(frame, mail))),
        ]
    return (
        *first,
        tell("People and machines that wrote", lambda frame: _addresses(frame).nunique()),
        tell("Unread", lambda frame: int((frame["seen"].astype("boolean") == False).sum())),  # noqa: E712 not known is not unread
        tell("Size", lambda frame: frame["size"].astype("Int64").sum(min_count=1), size),
        *_tiles_of_replies(mail, times),
    )


def _tiles_of_replies(mail: Mail, times: dict[str, pd.DataFrame]) -> Iterable[Tile]:
    if "now" not in times:
        return
    facts = {name: _summary(frame, "mine") for name, frame in times.items()}
    for name, column, write in (
        ("Answered by you", "share", share),
        ("Your answers took, typically", "reply_median", length),
    ):
        then = f"{mail.span.before}: {write(facts['before'][column])}" if mail.span else ""
        yield Tile(name, write(facts["now"][column]), then)
    waiting = len(_unanswered(mail, "me", mail.at, _first(mail)))
    then = ""
    if mail.span is not None:
        end = mail.span.before_end - _MOMENT
        before = _unanswered(mail, "me", end, mail.span.before_begin)
        then = than_before(waiting, len(before), mail.span.before)
    yield Tile("Wait for your answer (3 days or more)", count(waiting), then)


def _tile(
    mail: Mail,
    now: pd.DataFrame,
    before: pd.DataFrame | None,
    name: str,
    number_of: Callable[[pd.DataFrame], Any],
    write: Callable[[Any], str] = count,
) -> Tile:
    number = number_of(now)
    if before is None or mail.span is None:
        return Tile(name, write(number))
    return Tile(
        name, write(number), than_before(number, number_of(before), mail.span.before, write)
    )


def _volume(mail: Mail) -> Section:
    by = "direction" if mail.me else None
    freq = _freq(mail)

    def draw(ax: Any) -> None:
        plots.volume(mail.now, freq, by=by, tz=mail.tz, me=_me(mail), ax=ax)

    what = ", sent and received" if by else ""
    return Section("How much", [Picture(draw, f"Messages over time{what}")])


def _rhythm(mail: Mail) -> Section:
    counted = analysis.activity(mail.now, tz=mail.tz)
    by_day, by_hour = (counted.groupby(of, observed=True)["messages"].sum() for of in _WHEN)
    said = []
    if all((counts == counts.max()).sum() == 1 for counts in (by_day, by_hour)):
        day, hour = (counts.index[int(counts.argmax())] for counts in (by_day, by_hour))
        said = [f"The busiest day is {day}, and the busiest hour that from {hour}:00."]

    def draw(ax: Any) -> None:
        plots.activity(mail.now, tz=mail.tz, ax=ax)

    picture = Picture(draw, "Messages by weekday and hour", (2.8, 2.6))
    return Section("When", [*said, picture])


def _senders(mail: Mail) -> Section | None:
    received = _received(mail.now, mail)
    if _addresses(received).isna().all():
        return None
    told = analysis.senders(received, top=_ROWS, me=_me(mail))
    earlier = pd.Series(dtype="int64")
    if mail.before is not None:
        earlier = _addresses(_received(mail.before, mail)).value_counts()
    columns = [Column("sender"), Column("messages", is_number=True)]
    columns += [Column("before", is_number=True)] * (mail.before is not None)
    columns += [Column(name, is_number=True) for name in ("share", "read", "answered")]
    rows: list[Row] = [
        [
            _person(row.name, row.address),
            count(row.messages),
            *([count(earlier.get(row.address, 0))] if mail.before is not None else []),
            share(row.share),
            share(row.read_rate),
            share(row.answered_rate),
        ]
        for row in _rows(told)
    ]

    def draw(ax: Any) -> None:
        plots.domains(received, top=_ROWS, ax=ax)

    tall = 1.1 + 0.24 * min(received["from_domain"].nunique(), _ROWS)
    return Section("Who", [Table(columns, rows), Picture(draw, "Messages by domain", (tall, tall))])


def _replies(times: dict[str, pd.DataFrame]) -> Section | None:
    now = times.get("now")
    if now is None or now.empty:
        return None
    before = times.get("before")
    columns = [Column("whose")]
    columns += [
        Column(name, is_number=True)
        for name in ("letters", "answered", "took, typically", "nine in ten took", "half of all")
    ]
    columns += [Column("took, before", is_number=True)] * (before is not None)
    rows: list[Row] = []
    for direction, name in _ANSWERS.items():
        fact = _summary(now, direction)
        rows.append(
            [name, count(fact["messages"]), f"{count(fact['replies'])} ({share(fact['share'])})",
             length(fact["reply_median"]), length(fact["reply_p90"]), length(fact["median"]),
             *([length(_summary(before, direction)["reply_median"])]
               if before is not None else [])]
        )  # fmt: skip

    def draw(ax: Any) -> None:
        plots.response_times(now, ax=ax)

    return Section(
        "How fast answers come",
        [Table(columns, rows), Picture(draw, "Share without an answer, over time")],
    )


def _waiting(mail: Mail) -> Section | None:
    if not mail.me:
        return None
    said = (
        f"Letters of people that had no answer by {date(mail.at.tz_convert(_zone(mail)))}, after "
    )
    said += f"{_PATIENTLY}; of the 90 days before."
    if mail.span is not None:
        said = (
            f"Letters of people, of this time, that had no answer at its end, after {_PATIENTLY}."
        )
    parts: list[Part] = [said]
    for whose, name in (("me", "Who waits for you"), ("them", "For whom you wait")):
        found = _unanswered(mail, whose, mail.at, _first(mail))
        caption = f"{name}: {len(found):,}"
        if len(found) > _ROWS:
            caption += f", of which the {_ROWS} that waited longest"
        columns = [Column("letter"), Column("written on"), Column("waiting", is_number=True)]
        rows: list[Row] = [
            [Cell(shown(row.subject), shown(row.person)), date(row.asked), length(row.waited)]
            for row in _rows(found.head(_ROWS), mail.tz)
        ]
        parts.append(Table(columns, rows, caption) if rows else f"{caption}.")
    return Section("Who waits", parts)


def _unanswered(mail: Mail, whose: str, at: pd.Timestamp, first: pd.Timestamp) -> pd.DataFrame:
    found = analysis.awaiting_reply(
        mail.known, me=_me(mail), whose=whose, older_than=_PATIENCE, at=at
    )
    kept: pd.DataFrame = found[found["asked"] >= first]
    return kept


def _first(mail: Mail) -> pd.Timestamp:
    """Return from when on it is told who waits."""
    return mail.at - _FORGOTTEN if mail.span is None else mail.span.begin


def _newsletters(mail: Mail) -> Section | None:
    # With all that I wrote: to whom I ever did is no newsletter.
    first = mail.now["date"].min()
    mine = (directions(mail.known, _me(mail)) == "sent").to_numpy() if mail.me else False
    found = analysis.newsletters(mail.known[(mail.known["date"] >= first) | mine], me=_me(mail))
    if found.empty:
        return None
    unread, all_of_them = int(found["unread"].sum()), int(found["messages"].sum())
    of = share(all_of_them / len(_received(mail.now, mail)))
    several = (
        "newsletter, list or machine" if len(found) == 1 else "newsletters, lists and machines"
    )
    said = f"{len(found):,} {several} wrote {_many(all_of_them)}, {of} of what was received; "
    said += f"{count(unread)} unread."
    columns = [Column("newsletter or list"), Column("kind")]
    columns += [Column(name, is_number=True) for name in ("messages", "unread", "read", "size")]
    columns += [Column("one leaves it at")]
    rows: list[Row] = [
        [_series(row), str(row.kind),
         count(row.messages), count(row.unread), share(row.read_rate), size(row.size),
         _way_out(row.unsubscribe)]
        for row in _rows(found.head(_ROWS))
    ]  # fmt: skip

    def draw(ax: Any) -> None:
        plots.newsletters(found, top=_ROWS, ax=ax)

    tall = 1.1 + 0.24 * min(len(found), _ROWS)
    return Section(
        "Newsletters and lists",
        [said, Picture(draw, "Newsletters, read and unread", (tall, tall)), Table(columns, rows)],
    )


def _series(row: Any) -> Cell:
    """Name a newsletter; of a list, where it is known by no other name, whom one leaves it at."""
    if row.kind != "list":
        return _person(row.name, row.address)
    return Cell(shown(row.list_id, 60) or f"a list at {_way_out(row.unsubscribe)}")


def _way_out(unsubscribe: Any) -> str:
    """Return where one leaves, without what tells who does: whoever has the link could do so."""
    if not isinstance(unsubscribe, str):
        return NONE
    scheme, _, rest = unsubscribe.partition(":")
    try:
        place = (
            rest.partition("?")[0].rpartition("@")[2]
            if scheme == "mailto"
            else urlsplit(unsubscribe).hostname
        )
    except ValueError:  # brackets that are no address (RFC 3986 section 3.2.2)
        return NONE
    return shown(place, 60) or NONE


def _storage(mail: Mail) -> Section | None:
    if mail.stored["size"].isna().all():
        return None
    verb = "takes" if len(mail.stored) == 1 else "take"
    total = size(mail.stored["size"].sum())
    parts: list[Part] = [f"{_many(len(mail.stored))} {verb} {total}, junk and copies included."]
    twice = analysis.duplicates(mail.stored, folders=mail.folders)
    if len(twice):
        surplus = twice[twice["surplus"].astype("bool")]
        freed = size(surplus["size"].sum())
        parts.append(f"Copies of others among them: {_many(len(surplus))}, {freed}.")

    def draw(ax: Any) -> None:
        plots.storage(mail.stored, top=_ROWS, ax=ax)

    tall = 1.1 + 0.24 * min(_addresses(mail.stored).nunique(), _ROWS)
    parts.append(Picture(draw, "What fills the mailbox, by sender", (tall, tall)))
    rows: list[Row] = [
        [Cell(shown(row.subject), shown(row.from_address)), shown(str(row.folder)),
         date(row.date), size(row.size)]
        for row in _rows(analysis.largest(mail.stored, _ROWS), mail.tz)
    ]  # fmt: skip
    columns = [Column("message"), Column("folder"), Column("date")]
    parts.append(Table([*columns, Column("size", is_number=True)], rows, "The largest messages"))
    if mail.folders is not None and mail.folders["size"].notna().any():
        parts.append(_folders(mail.folders))
    return Section("What fills the mailbox", parts)


def _folders(folders: pd.DataFrame) -> Table:
    found = folders.sort_values("size", ascending=False).head(_ROWS)
    rows: list[Row] = [
        [shown(row.name), count(row.messages), count(row.unseen), size(row.size)]
        for row in _rows(found[found["messages"].notna()])
    ]
    names = ("messages", "unread", "size")
    columns = [Column("folder"), *(Column(name, is_number=True) for name in names)]
    return Table(columns, rows, "The folders as they are now, the largest first")


def _attachments(mail: Mail) -> Section | None:
    if mail.attachments is None or mail.attachments.empty:
        return None
    found = analysis.attachments(mail.attachments, by="family")
    columns = [Column("kind")]
    columns += [
        Column(name, is_number=True) for name in ("attachments", "size", "share", "largest")
    ]
    rows: list[Row] = [
        [shown(str(row.family)), count(row.attachments), size(row.size), share(row.share),
         size(row.largest)]
        for row in _rows(found.head(_ROWS))
    ]  # fmt: skip
    return Section("Attachments", [Table(columns, rows)])


def _times(mail: Mail, at: pd.Timestamp, begin: pd.Timestamp | None) -> pd.DataFrame:
    """Return what could expect an answer in a period, as it was at its end."""
    found = analysis.response_times(mail.known, me=_me(mail), at=at)
    kept: pd.DataFrame = found if begin is None else found[found["asked"] >= begin]
    return kept.reset_index(drop=True)


def _summary(times: pd.DataFrame, direction: str) -> dict[str, Any]:
    found = analysis.response_summary(times[times["direction"] == direction])
    if found.empty:
        return dict.fromkeys(_UNKNOWN) | {"messages": 0, "replies": 0}
    row = found.iloc[0]
    facts = {str(name): value for name, value in row.items()}
    return facts | {"share": row["replies"] / row["messages"]}


def _received(headers: pd.DataFrame, mail: Mail) -> pd.DataFrame:
    if not mail.me:
        return headers
    return headers[(directions(headers, _me(mail)) == "received").to_numpy()]


def _sent(headers: pd.DataFrame, mail: Mail) -> pd.DataFrame:
    return headers[(directions(headers, _me(mail)) == "sent").to_numpy()]


def _addresses(headers: pd.DataFrame) -> pd.Series[Any]:
    return headers["from_address"].astype("str").str.lower()


def _person(name: Any, address: Any) -> Cell:
    name, address = shown(name, 60), shown(address, 80)
    return Cell(name, address) if name and name != address else Cell(address)


def _me(mail: Mail) -> list[str] | None:
    return sorted(mail.me) or None


def _rows(frame: pd.DataFrame, tz: str | tzinfo = "UTC") -> list[Any]:
    """Return rows with their columns as attributes, times by the clock of a zone."""
    kinds = frame.dtypes.items()
    times = [str(name) for name, kind in kinds if isinstance(kind, pd.DatetimeTZDtype)]
    zone = zone_of(tz).zone
    return list(frame.assign(**{n: frame[n].dt.tz_convert(zone) for n in times}).itertuples())


def _zone(mail: Mail) -> Any:
    return zone_of(mail.tz).zone


def _freq(mail: Mail) -> str:
    dates = mail.now["date"]
    days = (dates.max() - dates.min()).days + 1
    if mail.span is not None:
        days = (mail.span.end - mail.span.begin).days + 1
    return next((freq for most, freq in _BARS if days <= most), "Q")


def _many(number: int) -> str:
    return f"{number:,} message{'' if number == 1 else 's'}"
