"""What the filter put into Junk: at all hours, from look-alikes, with checks that failed."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Unpack

from generator import mime
from generator.automatic import Options, post
from generator.chance import Dice
from generator.clock import END, ZONES, days, growth, moment
from generator.people import COMPANY, MIRA

if TYPE_CHECKING:
    from datetime import date

    from generator.mailbox import Stored
    from generator.mime import Fields

__all__ = ["junk"]

# "fyrbak" with a Cyrillic letter, as the name system has it (RFC 3492): it looks the same.
_LOOK_ALIKE = "xn--frbak-eze.example"

_NAMES = ("Admin", "Helpdesk", "Billing Dept.", "Mail Service", "Security Team", "Customer Care")


def junk() -> list[Stored]:
    """Make 110 messages that nobody wanted."""
    dice = Dice("junk")
    makers = (_password, _parcel, _boss, _prize, _offer, _factory, _russian, _voice, _invoice)
    weights = (5, 3, 1, 2, 4, 2, 2, 2, 3)
    calendar = days()
    chosen = sorted(
        dice.weighted(calendar, [growth(day) ** 3 for day in calendar]) for _ in range(110)
    )
    return [
        dice.weighted(makers, weights)(dice, min(day, END - timedelta(days=1))) for day in chosen
    ]


def _junk(
    dice: Dice,
    day: date,
    author: tuple[str, str],
    subject: str,
    body: mime.Entity,
    *,
    extra: Fields = (),
    to: str = "",
    charset: str = "utf-8",
    words: str = "Q",
    **options: Unpack[Options],
) -> Stored:
    chosen: Options = {
        "verdict": dice.pick(("fail", "fail", "softfail", "none", "pass")),
        "spam": 5 + dice.between(1, 180) / 10,
        "relays": dice.between(1, 3),
        "zone": dice.pick(("China", "Moscow", "New York", "Central Europe", "Brazil", "India")),
        "signed": dice.chance(0.4),
        "seen": dice.chance(0.1),
        "keywords": "$Junk",
    }
    chosen.update(options)
    when = moment(day, dice.below(1440), ZONES[chosen["zone"]])
    return post(
        dice,
        "Junk",
        when,
        author,
        subject,
        body,
        extra=extra,
        to=to,
        charset=charset,
        words=words,
        **chosen,
    )


def _page(dice: Dice, *paragraphs: str, charset: str = "utf-8") -> mime.Entity:
    body = "".join(f"<p>{one}</p>\n" for one in paragraphs)
    page = f'<html><head><meta charset="{charset}"></head><body>\n{body}</body></html>'
    how = dice.pick(("base64", "quoted-printable"))
    return mime.text_part(page, charset, how, subtype="html")


def _link(dice: Dice, host: str, words: str, shown: str = "") -> str:
    return f'<a href="https://{host}/{dice.token(9)}">{shown or words}</a>'


def _password(dice: Dice, day: date) -> Stored:
    host = dice.pick((f"login.{_LOOK_ALIKE}", "fyrbak-login.example", "secure.fyrbaak.example"))
    link = _link(dice, host, "", f"https://mail.{COMPANY}/renew")
    return _junk(
        dice,
        day,
        (f"{COMPANY} {dice.pick(_NAMES)}", f"noreply@{host}"),
        dice.pick(
            (
                "Your password expires today",
                f"Action required: {MIRA.mailbox}",
                "Mailbox 98 % full",
                "(3) messages are held back",
            )
        ),
        _page(
            dice,
            f"Dear {MIRA.mailbox},",
            dice.pick(
                (
                    "your password will stop working in 4 hours.",
                    "your mailbox has reached its limit and cannot receive new mail.",
                    "we hold three messages for you.",
                )
            ),
            f"Please confirm here: {link}",
            f"IT of {COMPANY}",
        ),
        keywords="$Junk $Phishing",
        verdict="fail",
    )


def _parcel(dice: Dice, day: date) -> Stored:
    number = dice.between(10**8, 10**9)
    return _junk(
        dice,
        day,
        ("Paketbåten", f"kundtjanst@paketb{dice.pick(('aaten', 'aten-se', 'atenn'))}.example"),
        f"Ditt paket {number} väntar",
        _page(
            dice,
            "Hej kund,",
            f"ditt paket {number} kunde inte levereras eftersom tullen är obetald (19 SEK).",
            _link(dice, "betala.paketbaten-se.example", "Betala nu"),
        ),
        charset="iso-8859-1",
        keywords="$Junk $Phishing",
    )


def _boss(dice: Dice, day: date) -> Stored:
    text = (
        "Hi Mira,\n\nare you at your desk? I am in a meeting and need your help with a payment that "
        "must go out today. Please answer by mail only.\n\nAstrid"
    )
    return _junk(
        dice,
        day,
        (
            "Astrid Lindqvist",
            f"astrid.lindqvist@{dice.pick((_LOOK_ALIKE, 'office-mail.example.net'))}",
        ),
        dice.pick(("Quick question", "Urgent", "Are you available?")),
        mime.text_part(text, "us-ascii", "7bit"),
        extra=(("Reply-To", f"<ceo.office{dice.between(10, 99)}@example.com>"),),
        keywords="$Junk $Phishing",
    )


def _prize(dice: Dice, day: date) -> Stored:
    text = (
        "CONGRATULATIONS!!!\n\nYour address has been drawn among 4,000,000 others. To receive your "
        f"prize of EUR {dice.between(2, 9)}50,000 send us name, birthday and a copy of your passport."
        "\n\nDr. Barnaby Quill\nNotary"
    )
    return _junk(
        dice,
        day,
        ("Dr. Barnaby Quill", f"notary{dice.between(1, 99)}@lucky-draw.example"),
        dice.pick(("YOU HAVE WON", "Final notice: unclaimed prize", "Winner No. 4711")),
        mime.text_part(text, "us-ascii", "7bit"),
        to="undisclosed-recipients:;",
    )


def _offer(dice: Dice, day: date) -> Stored:
    return _junk(
        dice,
        day,
        (
            dice.pick(("Growth Team", "Jessica", "SEO Experts")),
            f"hello@{dice.pick(('rank-top', 'leads4you', 'boostify'))}.example",
        ),
        dice.pick(
            (
                f"More visitors for {COMPANY}",
                "Re: our last conversation",
                "9,400 contacts of port managers",
                "Is this still the right address?",
            )
        ),
        _page(
            dice,
            "Hi there,",
            "I came across your beautiful web site and noticed that it is not on page one.",
            f"We can change that in 14 days. {_link(dice, 'rank-top.example', 'See how')}",
            "P.S. If you do not answer I will write again on Thursday.",
        ),
        verdict="pass",
    )


def _factory(dice: Dice, day: date) -> Stored:
    return _junk(
        dice,
        day,
        ("销售部", f"sales{dice.between(1, 88)}@bolt-factory.example"),
        dice.pick(("不锈钢螺丝 厂家直销", "低价供应传感器外壳", "发票代开")),
        _page(
            dice,
            "您好，",
            "我们是不锈钢螺丝生产厂家，质量可靠，价格优惠。",
            "欢迎来电咨询。",
            charset="gb2312",
        ),
        charset="gb2312",
        words="B",
        zone="China",
    )


def _russian(dice: Dice, day: date) -> Stored:
    text = "Добрый день!\n\nПредлагаем базы данных компаний по низким ценам. Скидка только сегодня."
    return _junk(
        dice,
        day,
        ("Отдел рекламы", f"info{dice.between(1, 500)}@baza-firm.example"),
        dice.pick(("Базы данных компаний", "Скидка 70 процентов", "Реклама для вашего бизнеса")),
        mime.text_part(text, "koi8-r", dice.pick(("base64", "8bit"))),
        charset="koi8-r",
        words="B",
        zone="Moscow",
    )


def _voice(dice: Dice, day: date) -> Stored:
    page = (
        '<html><body><form action="https://login.xn--frbak-eze.example/voice" method="post">'
        'Password: <input name="p" type="password"><input type="submit"></form></body></html>'
    )
    body = mime.multipart(
        "mixed",
        (
            mime.text_part(
                "You have a new voice message (0:42). Open the attachment.", "us-ascii", "7bit"
            ),
            mime.attachment("voice_message.html", "text/html", page.encode()),
        ),
        f"=_{dice.token(18)}",
    )
    return _junk(
        dice,
        day,
        ("Voice Mail", f"voip@{_LOOK_ALIKE}"),
        f"New voice message from +1 555-01{dice.between(10, 99)}",
        body,
        keywords="$Junk $Phishing",
        verdict="fail",
    )


def _invoice(dice: Dice, day: date) -> Stored:
    number = dice.between(10_000, 99_999)
    body = mime.multipart(
        "mixed",
        (
            _page(
                dice,
                "Dear customer,",
                f"your invoice {number} is overdue. Details are in the archive.",
            ),
            # What is called an archive here is a text that says so: nothing in it can do harm.
            mime.attachment(f"Invoice_{number}.pdf.zip", "application/zip", b"PK\5\6" + bytes(18)),
        ),
        f"=_{dice.token(18)}",
    )
    return _junk(
        dice,
        day,
        ("Accounts", f"accounts{dice.between(1, 99)}@payables.example"),
        f"OVERDUE: Invoice {number}",
        body,
    )
