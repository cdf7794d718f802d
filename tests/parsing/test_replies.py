"""A mail's text is divided into own words, quoted text and signature."""

# ruff: noqa: RUF001 - mail is in a dozen scripts

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailframe.parsing import html_to_text
from mailframe.parsing.replies import mark_lines, split_reply
from mailframe.parsing.vocabulary import LANGUAGES
from mailframe.records import Reply

LABELLED = Path(__file__).parents[1] / "data" / "replies"
GOAL = 0.95

WROTE = "On Mon, Jan 5, 2026 at 3:04 PM Bob Smith <bob@example.org> wrote:"
thoroughly = settings(derandomize=True, deadline=None, max_examples=300)


def labelled(path: Path) -> tuple[str, str]:
    """Give the letters and the text of a labelled message."""
    rows = path.read_text("utf-8").removesuffix("\n").split("\n")
    return "".join(row[0] for row in rows), "\n".join(row[2:] for row in rows)


# The second half was written apart, and not looked at when the code was.
@pytest.mark.parametrize("half", [range(1, 76), range(76, 151)], ids=["seen", "unseen"])
def test_nineteen_lines_of_twenty_are_told_as_a_reader_tells_them(half: range) -> None:
    missed: dict[str, tuple[int, int]] = {}
    for path in sorted(LABELLED.glob("*.txt")):
        if int(path.name[:3]) not in half:
            continue
        letters, text = labelled(path)
        pairs = [(a, b) for a, b in zip(letters, mark_lines(text), strict=True) if a != "b"]
        missed[path.name] = (sum(a != b for a, b in pairs), len(pairs))

    assert len(missed) == len(half)
    lines = sum(count for _, count in missed.values())
    right = 1 - sum(wrong for wrong, _ in missed.values()) / lines
    worst = sorted(missed.items(), key=lambda item: -item[1][0])[:10]
    listed = ", ".join(f"{name} {wrong} of {count}" for name, (wrong, count) in worst if wrong)
    assert lines > 1_000
    assert right >= GOAL, f"{right:.1%} of {lines} lines; worst: {listed}"


@pytest.mark.parametrize(
    "line",
    [
        WROTE,
        "On Mon, Jan 5, 2026 at 3:04\u202fPM Bob Smith <bob@example.org> wrote:",
        "On Monday, January 5, 2026 at 03:04:05 PM GMT+1, Bob <bob@example.org> wrote:",
        "On 2026-01-05 15:04, Bob Smith wrote:",
        "At 03:04 PM 1/5/2026 +0100, Bob Smith wrote:",
        "In article <abc@example.org>, Bob Smith <bob@example.org> wrote:",
        "--- In group@example.org, Bob Smith <bob@example.org> wrote:",
        "---- On Mon, 05 Jan 2026 15:04:05 +0100 Bob Smith <bob@example.org> wrote ----",
        "* Bob Smith <bob@example.org> [2026-01-05 15:04]:",
        "Quoting Bob Smith <bob@example.org>:",
        "Bob Smith writes:",
        "Bob Smith/ACME wrote on 01/05/2026 03:04:05 PM:",
        "Am Mo., 5. Jan. 2026 um 15:04 Uhr schrieb Bob Smith <bob@example.org>:",
        "Am Montag, dem 05.01.2026 um 15:04 +0100 schrieb Bob Smith:",
        "Bob Smith <bob@example.org> hat am 05.01.2026 15:04 geschrieben:",
        "Le lun. 5 janv. 2026 à 15:04, Bob Smith <bob@example.org> a écrit\xa0:",
        "Le 05/01/2026 à 15:04, Bob Smith a écrit :",
        "El lun, 5 ene 2026 a las 15:04, Bob (<bob@example.org>) escribió:",
        "Il giorno lun 5 gen 2026 alle ore 15:04 Bob Smith <bob@example.org> ha scritto:",
        "Em seg., 5 de jan. de 2026 às 15:04, Bob Smith <bob@example.org> escreveu:",
        "Op ma 5 jan 2026 om 15:04 schreef Bob Smith <bob@example.org>:",
        "Op 5 jan. 2026 om 15:04 heeft Bob <bob@example.org> het volgende geschreven:",
        "pon., 5 sty 2026 o 15:04 Bob Smith <bob@example.org> napisał(a):",
        "W dniu 05.01.2026 o 15:04, Bob Smith pisze:",
        "пн, 5 янв. 2026 г. в 15:04, Bob Smith <bob@example.org>:",
        "05.01.2026 15:04, Боб Смит пишет:",
        "Понедельник, 5 января 2026, 15:04 +03:00 от Боб Смит <bob@example.org>:",
        "пн, 5 січ. 2026 р. о 15:04 Боб <bob@example.org> пише:",
        '在 2026-01-05 15:04:05，"王伟" <wang@example.org> 写道：',
        "王偉 <wang@example.org> 於 2026年1月5日 週一 下午3:04寫道：",
        "2026年1月5日(月) 15:04 山田太郎 <yamada@example.org>:",
        "2026/01/05 15:04、山田太郎 <yamada@example.org>のメール：",
        "2026년 1월 5일 (월) 오후 3:04, 김철수 <kim@example.org>님이 작성:",
        "Den mån 5 jan. 2026 kl 15:04 skrev Bob Smith <bob@example.org>:",
        "Den man. 5. jan. 2026 kl. 15.04 skrev Bob Smith <bob@example.org>:",
        "ma 5. tammik. 2026 klo 15.04 Bob Smith (bob@example.org) kirjoitti:",
        "po 5. 1. 2026 v 15:04 odesílatel Bob Smith <bob@example.org> napsal:",
        "5 Oca 2026 Pzt 15:04 tarihinde Bob Smith <bob@example.org> şunu yazdı:",
    ],
)  # fmt: skip
def test_who_wrote_it_is_of_the_quote(line: str) -> None:
    assert mark_lines(f"Yes.\n\n{line}\n\n> Shall we?\n\nNo.") == "obqbqbo"


@pytest.mark.parametrize(
    "lines",
    [
        "On Mon, Jan 5, 2026 at 3:04 PM, Robert Smith\n<robert.smith@example.org> wrote:",
        "On Monday, January 5, 2026 at\n03:04:05 PM GMT+1, Bob\n<bob@example.org> wrote:",
        "Bob Smith <bob@example.org> schrieb am\n05.01.2026 um 15:04:",
        "El lun, 5 ene 2026 a las 15:04, Bob (<bob@example.org>)\nescribió:",
        "On Mon, Jan 5, 2026 at 3:04 PM\n'Bob Smith' via Team\n<team@example.org> wrote:",
    ],
)
def test_an_attribution_may_be_broken(lines: str) -> None:
    quoted = "q" * (lines.count("\n") + 1)

    assert mark_lines(f"Own words.\n{lines}\n> Shall we?") == f"o{quoted}q"


def test_an_attribution_with_date_and_address_needs_no_marks() -> None:
    assert mark_lines(f"Yes.\n\n{WROTE}\n\nShall we?\n\nBob") == "obqbqbq"


@pytest.mark.parametrize(
    "text",
    [
        "On Monday, Anna wrote:\nthat she would come.",
        "On 3 May 2025 at 10:00 we start:\n10:00 welcome",
        "Le 12 juin à 10 h 30, Mme Pujol a écrit :\nau tableau noir",
        "As Bob wrote:\nit is late.",
        "I read in the mail that bob@example.org sent us on 5 May what he wrote:\nnothing.",
        "From: Berlin\nTo: Munich\nDate: 5 May 2026, 10:00",
        "-----\nFrom: Berlin\nTo: Munich\nDate: 5 May 2026, 10:00",
        "From: me@example.org\nTo: you@example.org\nSubject: Test",
        "Termin am 5.5.2025 um 10:00 mit bob@example.org:\nBring die Unterlagen mit.",
        "Send it to ann@example.org by 5.5.2025, 10:00:\n\nthe form",
        "As Bob <bob@example.org> wrote:\n\nwe need new chairs.",
        "From: what I hear, they will settle it.",
    ],
)
def test_a_sentence_or_a_timetable_is_no_introduction(text: str) -> None:
    assert set(mark_lines(f"Hello,\n\n{text}\n\nSee you\nAnn")) == {"o", "b"}


def test_a_sentence_above_typed_quotes_is_own() -> None:
    text = "The first is the one where he refuses the coin:\n\n> Keep it, he said."

    assert mark_lines(text) == "obq"


@pytest.mark.parametrize("language", [name for name, one in LANGUAGES.items() if one.sender])
@pytest.mark.parametrize("form", ["{}: {}", "*{}:* {}", "**{}:** {}", "{} : {}", "{}： {}"])
def test_a_header_begins_a_quote_in_every_language(language: str, form: str) -> None:
    words = LANGUAGES[language]
    values = {
        words.sender: "Bob <bob@example.org>",
        words.sent: "2026-01-05 15:04",
        words.to: "Ann",
        words.subject: "Hi",
    }
    header = "\n".join(form.format(names.split(",")[0], one) for names, one in values.items())

    assert mark_lines(f"Yes.\n\n{header}\n\nShall we?\n-- \nBob") == "obqqqqbqqq"


def test_a_header_has_its_fields_in_any_order_and_a_date_without_a_time() -> None:
    header = "From: Bob <bob@example.org>\nSubject: Hi\nDate: 5 May 2025\nTo: Ann"

    assert mark_lines(f"Yes.\n\n{header}\n\nText") == "obqqqqbq"


@pytest.mark.parametrize("rule", ["________________________________", "-----", "* * *"])
def test_a_line_above_a_header_is_of_it(rule: str) -> None:
    header = "From: Bob <bob@example.org>\nSent: Monday\nSubject: Hi"

    assert mark_lines(f"Yes.\n\n{rule}\n{header}\n\nText") == "obqqqqbq"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_announced_between_dashes_is_quoted(language: str) -> None:
    words = LANGUAGES[language]
    for announced in f"{words.original},{words.forwarded}".split(","):
        assert mark_lines(f"See below.\n\n----- {announced.strip()} -----\nText") == "obqq"


def test_words_below_a_header_and_marks_are_own() -> None:
    header = "-----Original Message-----\nFrom: Bob <bob@example.org>\nSubject: Hi"

    assert mark_lines(f"{header}\n\n> Shall we?\n\nYes.") == "qqqbqbo"


def test_below_the_end_of_a_forwarded_message_words_are_own() -> None:
    text = (
        "----- Forwarded message from Bob <bob@example.org> -----\nText\n"
        "----- End forwarded message -----\nWhat now?"
    )

    assert mark_lines(text) == "qqqo"


@pytest.mark.parametrize("mark", [">", ">>", "> >", ">|", " >", "JD>", "  Bob> "])
def test_marks_are_of_many_kinds(mark: str) -> None:
    assert mark_lines(f"{WROTE}\n{mark} One?\n{mark} Two?\n\nYes.") == "qqqbo"


def test_other_marks_are_known_by_the_attribution_above() -> None:
    text = "* Bob <bob@example.org> [2026-01-05 15:04]:\n| One?\n| Two?\n\nYes.\n\n| Three?\n"

    assert mark_lines(text) == "qqqbobqb"
    assert mark_lines("A table:\n| a | b |\n| c | d |") == "ooo"


def test_the_rest_of_a_broken_line_is_quoted() -> None:
    line = "> The tenor has been lowered at last. When we took off the headstock we found that"

    assert mark_lines(f"{line}\nthe\n> gudgeons are worn.\n\nPity.") == "qqqbo"
    assert mark_lines("> Shall we?\nYes.\n> When?\nNow.") == "qoqo"


def test_an_answer_below_a_long_quoted_line_is_own() -> None:
    line = "> Do you want the red printer or rather the blue one for our new office"

    assert mark_lines(f"{line}\nthe red one") == "qo"
    assert mark_lines(f"{line}\nthe red one\n> And a new chair") == "qoq"
    assert mark_lines(f"{line}\nYes\n> And a new chair") == "qoq"
    assert mark_lines(f"{line}\ndown\n> There") == "qqq"


@pytest.mark.parametrize(
    "text",
    [
        ">From here it is downhill.",
        ">_< oh no",
        "I tried:\n\n>>> 1 / 0\nZeroDivisionError",
        "It says:\n\n> make install\nerror: no rule\n> echo $?\n2",
        "    > indented by a program",
        "SQL> select 1;\nSQL> select 2;",
        "-> this way",
        "USD> 5\nUSD> 6",
        ">5 items: fail\n>10 items: ok",
    ],
)
def test_not_every_sign_is_a_mark(text: str) -> None:
    assert set(mark_lines(text)) <= {"o", "b"}


@pytest.mark.parametrize("delimiter", ["-- ", "--", "-- \r"])
def test_a_delimiter_begins_the_signature(delimiter: str) -> None:
    assert mark_lines(f"Yes.\n\n{delimiter}\nBob\nUlm") == "obsss"


def test_a_signature_ends_where_a_quote_begins() -> None:
    assert mark_lines(f"Yes.\n-- \nAnn\n\n{WROTE}\n> Shall we?\n> -- \n> Bob") == "ossbqqqq"


def test_dashes_that_part_a_text_are_own() -> None:
    assert mark_lines("one\n--\ntwo\n--\nthree and more words") == "ooooo"


def test_dashes_above_sentences_are_own_and_above_a_name_a_signature() -> None:
    assert mark_lines("Who would pay?\n--\nAll of us, I think. I propose: we share it.") == "ooo"
    assert mark_lines("Yes.\n--\nann\nulm") == "osss"
    assert mark_lines('Yes.\n--\nAnn Lee\n"To be, or not to be, that is it."') == "osss"
    assert mark_lines("Yes.\n\n- --\nAnn Lee, keeper of the light") == "obss"


@pytest.mark.parametrize(
    "below", ["www.example.org/a\nwww.example.org/b", "ann@example.org\nbob@example.org"]
)
def test_addresses_that_are_sent_are_own(below: str) -> None:
    assert mark_lines(f"Hi Ann,\n\nhere they are now\n\n{below}") == "oboboo"


def test_greeting_closing_and_name_are_own_and_a_card_is_not() -> None:
    card = "Ann Lee\nHead of Sales\nACME GmbH\nTel. +49 30 1234567"

    assert mark_lines("Hi Bob,\n\nyes.\n\nBest regards,\nAnn") == "oboboo"
    assert mark_lines(f"Hi Bob,\n\nyes.\n\nBest regards,\n\n{card}") == "obobobssss"
    assert mark_lines(f"Hi Bob,\n\nyes.\n\nBest regards,\n{card}") == "obobossss"
    assert mark_lines(f"Hi Bob,\n\nyes.\n\nBest,\nAnn\n\n{card}") == "oboboobssss"


def test_an_address_in_the_text_is_own() -> None:
    card = "ACME GmbH\nHauptstr. 5\n12345 Berlin"

    assert set(mark_lines(f"You find us here:\n\n{card}\n\nBest,\nAnn")) == {"o", "b"}
    assert set(mark_lines(card)) == {"o"}


def test_a_postscript_is_own() -> None:
    assert mark_lines("Yes.\n\nCheers\nAnn\n\nPS: bring tea.") == "oboobo"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_closing_is_own_in_every_language(language: str) -> None:
    for closing in LANGUAGES[language].closing.split(","):
        text = f"It is fine.\n\n{closing.strip()},\n\nBob Lee\nTel. +49 30 1234567"

        assert mark_lines(text) == "obobss"


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Sent from Yahoo Mail on Android",
        "Get Outlook for iOS<https://example.org/x>",
        "Von meinem iPhone gesendet",
        "Diese Nachricht wurde von meinem Android-Gerät mit K-9 Mail gesendet.",
        "Envoyé de mon iPhone",
        "Enviado desde mi iPhone",
        "Inviato da iPhone",
        "Enviado do meu telemóvel",
        "Verstuurd vanaf mijn iPhone",
        "Wysłane z iPhone'a",
        "Отправлено из мобильной Почты Mail.ru",
        "发自我的iPhone",
        "iPhoneから送信",
        "Skickat från min iPhone",
        "Sendt fra min iPhone",
        "Lähetetty iPhonesta",
        "Odesláno z iPhonu",
        "iPhone'umdan gönderildi",
        "나의 iPhone에서 보냄",
        "Надіслано з iPhone",
    ],
)
def test_what_a_device_adds_is_signature(line: str) -> None:
    assert mark_lines(f"On my way.\n\n{line}\n\n{WROTE}\n\n> Where?") == "obsbqbq"
    assert mark_lines(f"On my way.\n{line}") == "os"


@pytest.mark.parametrize(
    "line",
    [
        "Get Outlook for Android",
        "Holen Sie sich Outlook für Android",
        "Obtenez Outlook pour Android",
        "Outlook for iOS を入手",
        "Outlook voor Android downloaden",
        "Sent from Mail for Windows",
    ],
)
def test_what_a_program_says_of_itself_is_signature(line: str) -> None:
    assert mark_lines(f"On my way.\n\n{line}") == "obs"


@pytest.mark.parametrize(
    "line",
    [
        "Did you get my mail?",
        "Please forget the phone.",
        "let us get together, I will bring the tablet.",
        "the budget for new Windows is fine.",
        "Hey, the target is met!",
        "Can I download it on Windows?",
        "Get Outlook for Bob, please.",
        "Download Outlook for Windows before the meeting.",
        "Outlook for Windows is slow.",
        "Sent by mail yesterday.",
        "Ich habe dir gestern eine Mail gesendet.",
        "明日メールで送信します。",
        "我取得了你的邮件。",
        "kan du få fat i min mobil?",
        "¿puedes descargar el mail?",
        "heb je mijn mail verzonden met de foto?",
        "scarica l'app per android.",
        "The invoice was sent from my Gmail account.",
    ],
)
def test_talk_of_mail_and_devices_is_own(line: str) -> None:
    assert mark_lines(line) == "o"
    assert mark_lines(f"Hi,\n\nyes.\n{line}") == "oboo"


def test_a_sentence_about_a_device_may_be_broken() -> None:
    assert mark_lines("Hi,\n\nthe photos were\nsent from my phone yesterday") == "oboo"
    assert mark_lines("Hi,\n\nyes.\n\nAnn Lee\nsent from my phone") == "obobos"


def test_a_disclaimer_is_signature() -> None:
    text = "This e-mail is confidential. If you received it in error, please delete it."

    assert mark_lines(f"Yes.\n\nAnn\n\n{text}\n\n{WROTE}\n> When?") == "obobsbqq"


def test_a_footer_of_a_list_is_signature_below_a_quote_too() -> None:
    footer = "_______________________________________________\nX mailing list\nx@example.org"

    assert mark_lines(f"> Shall we?\n\nYes.\n\nAnn\n{footer}") == "qbobosss"
    assert mark_lines(f"Yes.\n\n{WROTE}\n\nShall we?\n{footer}") == "obqbqsss"
    assert mark_lines(f"Yes.\n\n{WROTE}\n\nShall we?\n{footer}\n\n{footer}") == "obqbqqqqbsss"


@pytest.mark.parametrize(
    "text",
    [
        "Yes.\n\nI asked on the mailing list how to unsubscribe, and nobody knew.",
        "Hi,\nplease unsubscribe me: bob@example.org\nI get too much.\nBob",
        "Hi,\n\nplease unsubscribe me: bob@example.org",
        "Bonjour,\nvous recevez ce colis demain.\nMerci\nJean",
        "Hallo,\n\nwie kann ich mich abmelden? Bitte schreiben Sie an bob@example.org.",
        "Hi,\n\nI hope that when you receive this you are well again.",
        "Hi,\n\nI left Yahoo! Groups last year.",
    ],
)
def test_talk_of_a_list_is_own(text: str) -> None:
    assert set(mark_lines(text)) <= {"o", "b"}


@pytest.mark.parametrize(
    "footer",
    [
        "To unsubscribe from this group, send mail to team-leave@example.org",
        "You received this message because you are in the group.\nhttps://example.org/team",
        "To unsubscribe go to\nhttps://example.org/team",
    ],
)
def test_a_footer_without_a_line_above_has_an_address(footer: str) -> None:
    below = "s" * (footer.count("\n") + 1)

    assert mark_lines(f"Yes.\n\n{footer}") == f"ob{below}"
    assert set(mark_lines(footer)) == {"o"}


@pytest.mark.parametrize(
    "text",
    [
        "Agenda\n-----\nVirus protection\nBackup\nTeam lunch",
        "=====\nNews\n=====\nWe have 50 subscribed users now.",
    ],
)
def test_below_a_heading_words_are_own(text: str) -> None:
    assert set(mark_lines(text)) == {"o"}


def test_armour_is_signature_and_what_it_signs_is_not() -> None:
    text = (
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nYes.\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----"
    )

    assert mark_lines(text) == "ssbosbss"


GMAIL = f"""<div>Yes.</div><br><div class=gmail_quote><div>{WROTE}<br></div>
<blockquote class=gmail_quote>One?</blockquote><div>Right.</div>
<blockquote class=gmail_quote>Two?</blockquote><div>No.</div></div>"""
OUTLOOK = """<div>Yes.</div><hr><div><b>From:</b> Bob &lt;bob@example.org&gt;<br>
<b>Sent:</b> Monday<br><b>To:</b> Ann<br><b>Subject:</b> Hi</div><div>Shall we?</div>"""
APPLE = """<div>Yes.</div><blockquote type=cite><div>On 5 Jan 2026, at 15:04, Bob
&lt;bob@example.org&gt; wrote:</div><br><div>Shall we?</div></blockquote>"""


@pytest.mark.parametrize(
    ("html", "letters"), [(GMAIL, "oqqoqo"), (OUTLOOK, "oqqqqqq"), (APPLE, "oqqq")]
)
def test_replies_in_html_are_read_as_well(html: str, letters: str) -> None:
    text = html_to_text(html.replace("<bob@example.org>", "&lt;bob@example.org&gt;"))

    assert mark_lines(text).replace("b", "") == letters


def test_a_reply_is_its_parts() -> None:
    text = "\nHi,\n\n\n> One?\n\nYes.\n\n> Two?\nNo.\n\n\nBye\n\n-- \nAnn"

    reply = split_reply(text.replace("\n", "\r\n"))

    assert reply == Reply("Hi,\n\nYes.\n\nNo.\n\n\nBye", "> One?\n\n> Two?", "-- \nAnn")


def test_nothing_is_made_of_nothing() -> None:
    assert split_reply("") == split_reply(" \n\u00a0\n") == Reply("", "", "")
    assert mark_lines("") == "b"


PIECES = st.lists(
    st.sampled_from([
        "word", "Own words.", "", "", "> quote", ">> deep", "JD> x", "-- ", "--", "_____", "-----",
        "-----Original Message-----", WROTE, "Bob wrote:", "From: Bob <bob@example.org>", "To: Ann",
        "Sent: 5 January 2026 15:04", "Subject: Hi", "Best regards,", "Bob Lee", "Head of Sales",
        "Tel. +49 30 1234567", "Sent from my iPhone", "To unsubscribe: x@example.org", ">From x",
        "-----BEGIN PGP SIGNATURE-----", "-----END PGP SIGNATURE-----", ">>> 1", "| a", "\u00a0",
        "----- End forwarded message -----", "wrote:", ":", "a:  b", "王伟 写道：", "\u2028",
    ]) | st.text(max_size=20).filter(lambda line: "\n" not in line and "\r" not in line),
    max_size=30,
).map("\n".join)  # fmt: skip


@thoroughly
@given(PIECES)
def test_every_line_has_a_letter_and_blank_lines_are_blank(text: str) -> None:
    letters = mark_lines(text)

    assert len(letters) == text.count("\n") + 1
    assert set(letters) <= set("oqsb")
    for letter, line in zip(letters, text.split("\n"), strict=True):
        assert (letter == "b") == (not re.sub(r"[\u200b-\u206f\ufeff]", "", line).strip())


@thoroughly
@given(PIECES)
def test_no_line_is_lost_or_made_up(text: str) -> None:
    reply = split_reply(text)

    given_lines = re.sub(r"[\u2028\u2029]", "\n", text).split("\n")
    kept = [line for part in reply for line in part.split("\n") if line.strip()]
    assert sorted(kept) == sorted(line for line in given_lines if line.strip())
    assert all(part == part.strip("\n") for part in reply)


@thoroughly
@given(PIECES)
def test_line_ends_make_no_difference(text: str) -> None:
    assert mark_lines(text.replace("\n", "\r\n")) == mark_lines(text)


@pytest.mark.parametrize(
    "text",
    [
        ">\n" * 100_000,
        ">" * 1_000_000,
        f"{WROTE}\n" * 10_000,
        f"{WROTE}\n\ntext here\n\n" * 10_000 + "> quote",
        f"{WROTE}\n: a\n: b\n" * 5_000,
        "Bob wrote:\n" * 20_000,
        "word " * 200_000,
        "a" * 1_000_000 + ":",
        "a@" * 500_000 + ":",
        "- " * 500_000 + "x",
        ":  " * 300_000,
        ("<a " * 120 + ":\n") * 1_000,
        "From: a@example.org\n" * 50_000,
        "-- \na\n" * 50_000,
        "--\na\n" * 20_000,
        "Bob Lee\n+49 30 1234567\n\n" * 30_000,
        "_____\nX mailing list\n\n" * 30_000,
        "-----BEGIN PGP SIGNATURE-----\n" * 30_000,
        "> a\nb\n-- \nc\n" * 30_000,
        "a:\n\n> b\nc\n\n" * 20_000,
        "---------- Forwarded message ---------\na\n----- End forwarded message -----\n" * 5_000,
        "\n" * 1_000_000,
        "\r" * 300_000,
        "\u200b" * 1_000_000,
        f"{WROTE}\nx\n" * 20_000 + "\n" * 200_000 + "> x",
        "".join(f"{WROTE}\n{chr(0x2200 + at)} a\n{chr(0x2200 + at)} b\n" for at in range(5_000)),
    ],
    ids=lambda text: repr(text[:20]),
)
def test_no_text_takes_the_square_of_its_length(text: str) -> None:
    # What does would take minutes to hours here.
    assert len(mark_lines(text)) == text.count("\n") + 1
