"""Words that say nothing of anybody: those of standards, programs and this package.

What is anonymised keeps them, and nothing else that a sender could have written.
"""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING

from mailframe.roles import ROLES_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ADDRESS_WORDS",
    "CLOSED",
    "COUNTRY_SUFFIXES",
    "DEFECTS",
    "EXTENSIONS",
    "FIELD_WORDS",
    "FOLDERS",
    "HOST_LABELS",
    "KEYWORDS",
    "LABELS",
    "TYPES",
    "is_charset",
]


def _words(words: str, mark: str | None = None) -> frozenset[str]:
    return frozenset(words.split(mark))


#: Of columns whose words are few: those words, in lower case.
CLOSED: Mapping[str, frozenset[str]] = {
    name: _words(words, "|")
    for name, words in {
        "action": "flags|labels|move|copy|delete|append",
        "auto_submitted": "no|auto-generated|auto-replied|auto-notified",
        "command": "append|authenticate|capability|close|compress|copy|create|delete|done|enable|"
        "examine|expunge|fetch|id|idle|list|login|logout|lsub|move|namespace|noop|rename|search|"
        "select|starttls|status|store|subscribe|unselect|unsubscribe|uid copy|uid expunge|"
        "uid fetch|uid move|uid search|uid store",
        "delimiter": "/|.|\\|:|^|-|_|,|;|!|~|#|%|&|+|=|@|$|?|*|'",
        "direction": "received|sent|draft|mine|theirs|c|s",
        "disposition": "inline|attachment|form-data",
        "encoding": "7bit|8bit|binary|base64|quoted-printable|x-uuencode|uuencode|x-uue",
        "event": "new|flags|gone",
        "importance": "high|normal|low",
        "list_unsubscribe_post": "list-unsubscribe=one-click",
        "precedence": "bulk|junk|list|first-class|special-delivery|air-mail",
        "reason": "tag|name and local part|name and domain|tag, name and local part|"
        "tag, name and domain|name and local part, name and domain|"
        "tag, name and local part, name and domain",
        "role": "from|sender|reply_to|to|cc|bcc",
        "side": "server|here",
        "source": "given|sent|account|delivered",
        "special_use": "\\all|\\archive|\\drafts|\\flagged|\\junk|\\sent|\\trash|\\important",
        "state": "change|as it is|gone",
        "status": "done|gone|failed|unknown",
        "text_source": "plain|html|none",
        "waiting": "me|them",
        # RFC 3848 and RFC 6531, and what webmail writes.
        "with": "smtp|esmtp|esmtpa|esmtps|esmtpsa|lmtp|lmtpa|lmtps|lmtpsa|smtps|smtpsa|utf8smtp|"
        "utf8smtpa|utf8smtps|utf8smtpsa|utf8lmtp|utf8lmtpa|utf8lmtps|utf8lmtpsa|http|https|"
        "imap|mapi|pop|pop3|local|qmqp|uucp",
    }.items()
}

#: Parts of the part before the @ that are a machine's or an office's (RFC 2142), with a number
#: behind them: analyses tell by them what is no person's.
ADDRESS_WORDS = re.compile(
    r"(?<![^\W_])((?:(?:no|do?n.?t|do[-_.]?not|never)[-_.]?reply|mailer-daemon|abuse|accounts?|"
    r"admin|alerts?|announce(?:ments)?|billing|bounces?|contact|deals|digest|hello|"
    r"help(?:desk)?|hostmaster|info(?:lettre)?|invitations?|lists?|mail(?:ings?)?|"
    r"news(?:letters?)?|nieuwsbrief|noc|notif(?:y|ications?)|nyhe[td]sbrev|offers|office|"
    r"postmaster|promo(?:s|tions?)?|reply|root|rundbrief|sales|security|send-?only|services?|"
    r"support|team|updates|webmaster)\d*+)(?![^\W_])"
)

#: Names of machines, which tell what they are for.
HOST_LABELS = re.compile(
    r"(?:imap|lists?|localhost|mail|mta|mx|news|ns|outlook|pop3?|smtp|webmail|www)\d*"
)

#: What stands before the two letters of a country where names are registered below that.
COUNTRY_SUFFIXES = _words(
    "ac co com edu gen go gob gouv gov govt gv id ind info ltd me mil ne net nhs nom or org plc "
    "police sch web"
)

#: Levels of folder names, in lower case: INBOX, those of a role, and what holds other folders.
FOLDERS = frozenset(ROLES_BY_NAME) | _words(
    "inbox|[gmail]|[google mail]|all mail|starred|important|other users|user|shared|"
    "shared folders|public folders",
    "|",
)

#: Gmail's own labels, in lower case.
LABELS = _words(
    r"\all \archive \chats \draft \drafts \flagged \important \inbox \junk \muted \sent \spam "
    r"\starred \trash"
)

#: Flags, keywords (IANA's registry, and what programs set) and attributes of folders.
KEYWORDS = _words(
    r"\seen \answered \flagged \draft \deleted \recent \haschildren \hasnochildren \noselect "
    r"\nonexistent \noinferiors \marked \unmarked \subscribed \remote \all \archive \drafts \junk "
    r"\sent \trash \important \* $forwarded $mdnsent $junk $notjunk $phishing $important "
    "$submitted $submitpending $autosent $canunsubscribe $followed $hasattachment $hasmemo "
    "$hasnoattachment $imported $istrusted $maskedemail $memo $muted $new $notify $unsubscribed "
    "$mailflagbit0 $mailflagbit1 $mailflagbit2 $label1 $label2 $label3 $label4 $label5 $attachment "
    "$signed $encrypted $todo $replied $sent $recent $x-me-annot-2 forwarded junk nonjunk notjunk "
    "redirected"
)

#: Endings of file names.
EXTENSIONS = _words(
    "7z aac asc avi bin bmp bz2 c csv dat db doc docm docx dot dotx eml emf epub exe fits gif gpx "
    "gz h heic htm html ico ics ipynb jpeg jpg js json key kml log m4a mbox md mov mp3 mp4 mpeg "
    "mpg msg msi nc numbers odg odp ods odt ogg p7m p7s pages parquet pdf pgp png pps ppsx ppt "
    "pptm pptx ps py r rar rtf sig sql svg tar tex tgz tif tiff toml tsv txt vcf vcs wav webm webp "
    "wmf wmv wpd xls xlsb xlsm xlsx xml xz yaml yml zip zst"
)

_SUBTYPES = {
    "application": "epub+zip ics gzip java-archive javascript json mac-binhex40 ms-tnef msexcel "
    "mspowerpoint msword octet-stream ogg pdf pgp-encrypted pgp-keys pgp-signature pkcs7-mime "
    "pkcs7-signature pkcs8 postscript rtf vnd.android.package-archive "
    "vnd.apple.keynote vnd.apple.numbers vnd.apple.pages vnd.google-earth.kml+xml vnd.ms-excel "
    "vnd.ms-excel.sheet.binary.macroenabled.12 vnd.ms-excel.sheet.macroenabled.12 vnd.ms-outlook "
    "vnd.ms-powerpoint vnd.ms-tnef vnd.ms-word.document.macroenabled.12 "
    "vnd.oasis.opendocument.graphics vnd.oasis.opendocument.presentation "
    "vnd.oasis.opendocument.spreadsheet vnd.oasis.opendocument.text "
    "vnd.openxmlformats-officedocument.presentationml.presentation "
    "vnd.openxmlformats-officedocument.presentationml.slideshow "
    "vnd.openxmlformats-officedocument.spreadsheetml.sheet "
    "vnd.openxmlformats-officedocument.wordprocessingml.document "
    "vnd.openxmlformats-officedocument.wordprocessingml.template vnd.rar x-7z-compressed x-bzip2 "
    "x-compressed x-download x-gtar x-gzip x-iso9660-image x-msdownload x-msdos-program x-pdf "
    "x-pkcs7-mime x-pkcs7-signature x-rar x-rar-compressed x-sh x-shockwave-flash x-sqlite3 x-tar "
    "x-tex x-xz x-zip x-zip-compressed xhtml+xml xml zip zstd",
    "audio": "aac basic midi mp3 mp4 mpeg ogg wav webm x-m4a x-wav",
    "font": "otf ttf woff woff2",
    "image": "avif bmp gif heic heif jpeg jpg pjpeg png svg+xml tiff vnd.microsoft.icon webp "
    "x-emf x-icon x-ms-bmp x-png x-wmf",
    "message": "delivery-status disposition-notification external-body feedback-report global "
    "global-delivery-status global-disposition-notification global-headers http news partial "
    "rfc822",
    "multipart": "alternative appledouble byteranges digest encrypted form-data mixed parallel "
    "related report signed x-mixed-replace",
    "text": "calendar css csv directory enriched html javascript markdown plain rfc822-headers "
    "richtext rtf tab-separated-values vcard watch-html x-amp-html x-diff x-log x-markdown "
    "x-patch x-python x-vcalendar x-vcard xml yaml",
    "video": "3gpp mp4 mpeg ogg quicktime webm x-ms-asf x-ms-wmv x-msvideo",
}
#: Types of content.
TYPES = frozenset(f"{top}/{sub}" for top, subs in _SUBTYPES.items() for sub in subs.split())

#: What this package writes into ``defects``, word by word: behind a colon it quotes the message.
DEFECTS = _words(
    "a as base64 be because behind boundary bytes cannot characters charset closed content cut "
    "date declared deeper describe digit does empty encoding end field fields from further gone "
    "header impossible in is it its lines may message more multipart nested no not of or part "
    "parts read shown server show than text that the their three to too two unclear unknown "
    "unreadable verified was with without year zone"
)

#: Of Authentication-Results (RFC 8601) and Received-SPF (RFC 7208): methods, results, properties.
FIELD_WORDS = _words(
    "action arc auth bestguesspass bimi body.hash compauth dara dkim dkim-adsp dkim-atps dmarc "
    "dnswl domainkeys fail hardfail header.a header.b header.d header.from header.i header.s i "
    "iprev neutral none oreject pass permerror policy policy.dmarc policy.iprev policy.p "
    "quarantine reason reject rrvs sender-id smime smtp.auth smtp.client-ip smtp.helo "
    "smtp.mailfrom smtp.remote-ip softfail spf temperror unknown vbr client-ip envelope-from helo "
    "identity mailfrom receiver"
)

_ASCII_NAME = re.compile(r"[\w.:+-]{1,40}", re.ASCII)


def is_charset(name: str) -> bool:
    """Tell whether a charset is one that there is, and no word of a sender's.

    Parameters
    ----------
    name
        As declared.

    Examples
    --------
    >>> is_charset("iso-8859-15"), is_charset("anns-own")
    (True, False)
    """
    if name == "unknown-8bit":
        return True
    try:
        return bool(_ASCII_NAME.fullmatch(name)) and bool(codecs.lookup(name))
    except (LookupError, ValueError):
        return False
