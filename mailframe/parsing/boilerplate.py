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

_SENT_FROM = phrases(*(language.sent_from for language in LANGUAGES.values()))
# "This message was" may stand before it, and in German who it is from.
_SENT_BEGINS = re.compile(
    r"(?:(?:this|the) (?:e-?mail|mail|message) (?:was|has been) |"
    r"(?:ce message|cet? e-?mail|ce courriel) a été |"
    r"(?:este mensaje|este correo) (?:fue|ha sido) |(?:esta mensagem|este e-?mail) foi |"
    r"questo messaggio è stato |dit bericht is |(?:это )?(?:сообщение|письмо) )?"
    rf"(?:{'|'.join(sorted(map(re.escape, _SENT_FROM), key=len, reverse=True))})"
    # Han and kana leave no blank behind it.
    r"(?:(?<=[^\x00-\u2fff])|(?!\w))"
)
_GERMAN_BEGINS = re.compile(
    r"(?:(?:diese (?:e-?mail|mail|nachricht) wurde )?(?:von|vom|mit|über) (?!.*\b(?:ich|wir)\b))"
)
_SENT_ENDS = tuple(_SENT_FROM)
# Where the verb stands last, the device stands first: "iPhoneから送信".
_DEVICE = re.compile(
    r"(?:from |my |나의 |내 |私の|从我的 ?|從我的 ?)?(?:[a-z]+ )?"
    r"(?:iphone|ipad|ipod|android|samsung|galaxy|outlook|windows|yahoo|gmail|huawei|xiaomi|k-9|"
    r"スマート|スマホ|携帯|아이폰|갤럭시|手机|手機)"
)
# "Get Outlook for iOS": the program, and what it is for; with the verb first or last.
_GET = re.compile(
    r"(?:(?:get|download|holen sie sich|beziehen sie|laden sie|obtenez|obtenir|télécharge[rz]|"
    r"obtener|obtenga|descargar?|ottieni|scarica|obter|obtenha|baixe|pobierz|uzyskaj|скачать|"
    r"получить|загрузить|отримати|获取|取得|下载|hämta|hent|få|skaff deg|last ned|hanki|lataa|"
    r"získejte|stáhnout) ?)?(?:the |die |l['’])?"
    r"(?:outlook|blue ?mail|yahoo|gmail|protonmail|proton mail|k-9|spark|typeapp|aqua ?mail|"
    r"thunderbird|fairemail|mailbird|tuta\w*)\b"
    # Nothing goes on behind it but a verb.
    r"(?: mail| mobile)? (?:\S+ ){1,2}(?:android|ios|iphone|ipad|windows|mac|macos|mobile|desktop)"
    r"(?: ?\S+)?"
    r"|(?:android|ios|iphone|ipad|windows|mac)\W?[^\W\d_]* (?:için )?outlook\W?\w{0,3} ?"
    r"(?:다운로드|edinin|indirin)"
)
_GET_VERB = re.compile(
    r"(?:get|download|hole|bezieh|lade|obten|obtiene|téléch|descarg|ottieni|scarica|obt|baixe|"
    r"pobierz|uzyskaj|скачать|получить|загрузить|отримати|获取|取得|下载|hämta|hent|få |skaff|"
    r"last ned|hanki|lataa|získ|stáh)|(?:downloaden|ophalen|を入手|다운로드|edinin|indirin|를 받기)"
    r"$"
)
_PLATFORM = re.compile(r"\b(?:android|ios|iphone|ipad|windows|mac|macos|mobile|desktop)")
_LINK = re.compile(r"[<\[(]?https?://\S+")
_AROUND = " \t.*_~-\u2013\u2014\u3002<>[]()\"'"
_PRODUCTS = phrases(
    "iphone, ipad, ipod, android, samsung, galaxy, blackberry, outlook, yahoo, "
    "proton, protonmail, gmx, thunderbird, spark, nokia, "
    "windows, huawei, xiaomi, mi, redmi, oppo, vivo, oneplus, pixel, honor, motorola, sony, "
    "xperia, htc, lg, tutanota, tuta, aol, fairmail, aquamail, bluemail, mailbird, evolution, "
    "kmail, airmail, hey, superhuman, gmail, palm, treo, handheld, phone, smartphone, mobile, "
    "handy, mobil, mobiltelefon, tablet, gsm, telefon, telefoon, móvil, telemóvel, celular, "
    "smartfona, telefonu, iphonu, mobilu, iphonesta, puhelimesta, яндекс, почты, "
    "телефона, мобильного"
)
_WORD = re.compile(r"[^\W\d_]+")
_PRODUCT_WITHIN = re.compile(
    r"\bmail (?:for|für|pour|para|per|voor|app)\b|k-9|iphone|ipad|android|outlook|"
    "手机|邮箱|邮件|手機|信箱|メール|スマート|아이폰|갤럭시"
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
# What people say too: a footer only below a line drawn, and with an address.
_FOOTER_BELOW_RULE = tuple(
    phrases(
        "mailing list, mailinglist, mailing-list, maillist, listinfo, unsubscribe, "
        "unsubscription, list archive, sponsor, groups.google, subscribed, abmelden, "
        "abbestellen, désinscri, désabonn, disiscriver, cancellati, descadastr, uitschrijven, "
        "afmelden, wypisać, wypisz, отписаться, отписка, рассылк, avregistrera, afmeld, "
        "avmeld, odhlásit, aboneliğ, メーリングリスト, відписатися, virus, viren"
    )
)
# The second kind of evidence: where to go, or who has added it.
_PLACE = re.compile(r"https?:|www\.|@|\.com\b|avast|avg\b|mailing[ -]?list|sf\.net")
_LEAVE_BEGIN = len("to unsubscribe")
_LEAVE = re.compile(
    r"(?:unsubscri|abmeld|abbestell|désinscri|désabonn|darse de baja|disiscri|descadastr|"
    r"uitschrijv|afmeld|wypis|отпис|avregistr|avmeld|odhlás|aboneli)[^\n]{0,80}?(?:https?:|"
    # Who asks to be removed gives an address as well, but none of a list.
    r"(?:request|leave|unsub|majordomo|listserv|sympa|owner|signoff|abmeld)[^\s@]{0,60}@)|"
    r"(?:https?://)[^\s]{0,120}(?:listinfo|unsubscri|optout|opt-out)|"
    r"mailing[ -]?list(?:$|\n| --? | <)|"
    r"(?:^|\n)to unsubscribe\b[^\n]*(?:\n[^\n]*)?(?:https?:|www\.|@)"
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
    # The whole line: "Did you get my mail?" has the words as well.
    core = _LINK.sub("", folded.replace("\u2019", "'")).strip(_AROUND)
    if core.endswith(("?", "\uff1f")):
        return False
    if _SENT_BEGINS.match(core):
        return True
    if core.endswith(_SENT_ENDS):
        return _DEVICE.match(core) is not None or _GERMAN_BEGINS.match(core) is not None
    return (
        _PLATFORM.search(core) is not None
        and _GET.fullmatch(core) is not None
        and _GET_VERB.search(core) is not None
    )


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
    """Find the first line that only a footer has, with an address or a page about it.

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
    text = "\n".join(lines)
    if not _is_footer(text) or _PLACE.search(text[:_LONGEST_FOOTER].casefold()) is None:
        return None
    return next(
        (
            at
            for at, line in enumerate(lines)
            if _is_footer(line) or line[:_LEAVE_BEGIN].casefold() == "to unsubscribe"
        ),
        None,
    )


def _is_footer(text: str) -> bool:
    folded = text[:_LONGEST_FOOTER].casefold()
    if any(map(folded.__contains__, _FOOTER)):
        return True
    has_place = "://" in folded or "@" in folded or "mailing" in folded
    return has_place and _LEAVE.search(folded) is not None


def may_be_footer(lines: Sequence[str]) -> bool:
    """Say whether lines are a footer if they stand below a line that is drawn.

    Parameters
    ----------
    lines
        Of a paragraph.
    """
    folded = "\n".join(lines)[:_LONGEST_FOOTER].casefold()
    if any(map(folded.__contains__, _FOOTER)):
        return True
    # Below a heading people talk of viruses and sponsors, too.
    is_listed = any(map(folded.__contains__, _FOOTER_BELOW_RULE))
    return is_listed and _PLACE.search(folded) is not None
