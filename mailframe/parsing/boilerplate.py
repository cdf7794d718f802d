"""Lines that nobody types: of devices, of lawyers, of mailing lists."""

# ruff: noqa: RUF001 - words are in a dozen scripts

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailframe.parsing.vocabulary import LANGUAGES, phrases

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

__all__ = ["find_footer_line", "is_disclaimer", "is_sent_from", "may_be_footer"]

_LONGEST_FOOTER = 3_000
_LONGEST_SENT_FROM = 100
_MOST_WORDS = 12
# So many different words of a disclaimer make one; where it begins like one, a single one.
_ENOUGH = 3
_SHORTEST_DISCLAIMER, _LONGEST_DISCLAIMER = 60, 2_000

_SENT_FROM = tuple(phrases(*(language.sent_from for language in LANGUAGES.values())))
_PRODUCTS = phrases(
    "iphone, ipad, ipod, android, samsung, galaxy, blackberry, outlook, yahoo, "
    "proton, protonmail, mail, gmx, thunderbird, spark, nokia, "
    "windows, huawei, xiaomi, mi, redmi, oppo, vivo, oneplus, pixel, honor, motorola, sony, "
    "xperia, htc, lg, tutanota, tuta, aol, fairmail, aquamail, bluemail, mailbird, evolution, "
    "kmail, airmail, hey, superhuman, gmail, palm, treo, handheld, phone, smartphone, mobile, "
    "handy, mobil, mobiltelefon, tablet, gsm, telefon, telefoon, móvil, telemóvel, celular, "
    "smartfona, telefonu, iphonu, mobilu, iphonesta, puhelimesta, яндекс, почты, "
    "телефона, мобильного"
)
_WORD = re.compile(r"[^\W\d_]+")
_PRODUCT_WITHIN = re.compile(
    "k-9|iphone|ipad|android|outlook|手机|邮箱|邮件|手機|信箱|メール|スマート|아이폰|갤럭시"
)

_DISCLAIMER = tuple(
    phrases(
        "confidential, intended recipient, intended solely, intended only, addressee, "
        "disclaimer, privileged, in error, by mistake, disclosure, liability for, "
        "registered in, unauthorized, destroy it, before printing, need to print, virus, "
        "legally binding, registered office",
        "vertraulich, irrtümlich, empfänger, unbefugt, datenschutz, handelsregister, "
        "amtsgericht, geschäftsführ, ust-id, sitz der gesellschaft, aus versehen, vernichten",
        "confidentiel, destinataire, par erreur, destinés à, détruire, imprimer",
        "confidencial, destinatario, por error, privilegiada, imprimir",
        "destinatário, por engano, sigilos",
        "riservat, per errore, destinatari, cancellarlo, stampare",
        "vertrouwelijk, geadresseerde, uitsluitend bestemd, vernietigen, abusievelijk, printen",
        "poufn, adresat, omyłkowo, przez pomyłkę, niniejsza wiadomość, rodo, drukowaniem",
        "конфиденциальн, адресат, по ошибке, уничтож, конфіденційн, помилково",
        "konfidentiell, mottagare, av misstag, fortrolig, modtager, ved en fejl, mottaker, "
        "ved en feil, luottamuksell, vastaanottaja, erehdyks",
        "důvěrn, omylem, příjemc, gizli, alıcı, yanlışlıkla",
        "机密, 保密, 误收, 機密, 秘密, 誤って, 비밀, 기밀, 잘못 수신, 수신인",
    )
)
_DISCLAIMER_START = re.compile(
    r"\**(?:disclaimer|virus-free|virenfrei|confidentiality|hinweis zum datenschutz|"
    r"the information contained|"
    r"this (?:e-?mail|message|communication) (?:and any|and its|is|may|contains|was|has)|"
    r"diese (?:e-?mail|nachricht)|ce (?:message|courriel)|este (?:mensaje|correo|e-?mail)|"
    r"esta mensagem|le informazioni contenute|questo messaggio|dit bericht|de informatie in dit|"
    r"ta wiadomość|niniejsza wiadomość|please consider|think before|bitte (?:denken|prüfen) sie|"
    r"pensez à|avant d'imprimer|antes de imprimir|prima di stampare|данное (?:сообщение|письмо)|"
    r"это сообщение|det här meddelandet|denne e-?mail|本邮件|本郵件|このメール|本メール|이 메일)"
)

# What only a footer says.
_FOOTER = tuple(
    phrases(
        "unsubscribe:, unsubscribe here, you received this message because, "
        "you receive this, you are receiving this, yahoo! groups, sf.net email is sponsored, "
        "to view this discussion, reply to this email directly, view it on github, "
        "message was sent using imp, checked for viruses, auf viren geprüft, avast.com, "
        "virus-free, to be removed from this",
        "sie erhalten diese, um sich abzumelden, vous recevez ce, pour vous désabonner, "
        "se désabonner, darse de baja, cancelar la suscripción, recibes este, "
        "has recibido este mensaje, hai ricevuto questo, cancelar inscrição, "
        "recebeu esta mensagem, você recebeu este, u ontvangt dit bericht, "
        "je ontvangt deze, uitschrijven:, otrzymałeś tę, aby zrezygnować, "
        "вы получили это, чтобы отписаться, ви отримали цей, avsluta prenumeration, "
        "du får detta, du modtager denne, du mottar denne, peruuta tilaus, odhlásit odběr, "
        "listeden çık, 退订, 取消订阅, 退訂, 配信停止, 수신거부, 수신 거부",
    )
)
# What people say too: a footer only below a line drawn, or with an address.
_FOOTER_BELOW_RULE = (
    *_FOOTER,
    *phrases(
        "mailing list, mailinglist, mailing-list, maillist, listinfo, unsubscribe, "
        "unsubscription, list archive, sponsor, groups.google, subscribed, abmelden, "
        "abbestellen, désinscri, désabonn, disiscriver, cancellati, descadastr, uitschrijven, "
        "afmelden, wypisać, wypisz, отписаться, отписка, рассылк, avregistrera, afmeld, "
        "avmeld, odhlásit, aboneliğ, メーリングリスト, відписатися, virus, viren"
    ),
)
_LEAVE = re.compile(
    r"(?:unsubscri|abmeld|abbestell|désinscri|désabonn|darse de baja|disiscri|descadastr|"
    r"uitschrijv|afmeld|wypis|отпис|avregistr|avmeld|odhlás|aboneli)[^\n]{0,80}?(?:https?:|@)|"
    r"(?:https?://)[^\s]{0,120}(?:listinfo|unsubscri|optout|opt-out)|"
    r"mailing[ -]?list(?:$|\n| --? | <)|(?:^|\n)to unsubscribe\b"
)


def is_sent_from(line: str) -> bool:
    """Say whether it is the line of a device or program: "Sent from my iPhone".

    Parameters
    ----------
    line
        Of the text.
    """
    if len(line) > _LONGEST_SENT_FROM:
        return False
    folded = line.casefold()
    is_named = not _PRODUCTS.isdisjoint(_WORD.findall(folded)) or _PRODUCT_WITHIN.search(folded)
    if not is_named or len(folded.split(None, _MOST_WORDS)) > _MOST_WORDS:
        return False
    return any(map(folded.replace("\u2019", "'").__contains__, _SENT_FROM))


def is_disclaimer(paragraph: Collection[str]) -> bool:
    """Say whether a paragraph is about confidence, viruses and who is liable.

    Parameters
    ----------
    paragraph
        Its lines.
    """
    folded = " ".join(paragraph)[:_LONGEST_DISCLAIMER].casefold()
    begins = _DISCLAIMER_START.match(folded) is not None
    if not begins and len(folded) < _SHORTEST_DISCLAIMER:
        return False
    return sum(map(folded.__contains__, _DISCLAIMER)) >= (1 if begins else _ENOUGH)


def find_footer_line(lines: Sequence[str]) -> int | None:
    """Find the first line that only a footer has.

    Parameters
    ----------
    lines
        Of a paragraph.

    Returns
    -------
    int or None
        Its place; None if there is none.
    """
    # All at once: nearly no paragraph has one.
    if not _is_footer("\n".join(lines)):
        return None
    return next((at for at, line in enumerate(lines) if _is_footer(line)), None)


def _is_footer(text: str) -> bool:
    folded = text[:_LONGEST_FOOTER].casefold()
    if any(map(folded.__contains__, _FOOTER)):
        return True
    has_place = "://" in folded or "@" in folded or "mailing" in folded or "to uns" in folded
    return has_place and _LEAVE.search(folded) is not None


def may_be_footer(lines: Sequence[str]) -> bool:
    """Say whether lines are a footer if they stand below a line that is drawn.

    Parameters
    ----------
    lines
        Of a paragraph.
    """
    folded = "\n".join(lines)[:_LONGEST_FOOTER].casefold()
    return any(map(folded.__contains__, _FOOTER_BELOW_RULE))
