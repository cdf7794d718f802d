"""What kind of thing an attachment is, more coarsely than its content type says."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe.analysis.columns import text

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAMILIES", "extensions", "families"]

#: Content types (RFC 6838) by what they are; the first pattern that fits counts.
_TYPES: Mapping[str, str] = {
    "pictures": r"image/.*",
    "PDF": r"(application|text)/(x-)?pdf",
    "office documents": r"application/(vnd\.(openxmlformats-officedocument|oasis\.opendocument|"
    r"ms-(word|excel|powerpoint|project|works)|visio|apple\.(pages|numbers|keynote))\b.*|"
    r"(x-)?(msword|ms-?excel|ms-?powerpoint|mspowerpoint|rtf)|x-iwork.*)|text/(rtf|richtext)",
    "archives": r"application/((x-)?(zip|zip-compressed|gzip|g?tar|bzip2?|xz|7z-compressed|"
    r"rar|rar-compressed|compress|compressed|lha|lzh|lzip|lzma|java-archive|iso9660-image)|"
    r"vnd\.(rar|debian\.binary-package|ms-cab-compressed)|zstd|.*\+zip)",
    "audio and video": r"(audio|video)/.*|application/(ogg|mxf|mp4)",
    "calendar": r"text/(x-v)?calendar|application/(ics|calendar\+(json|xml))",
    "messages": r"message/.*|text/rfc822-headers|application/(vnd\.ms-outlook|ms-tnef)",
    "signatures": r"application/((x-)?pkcs7-signature|pgp-signature)",
    "text": r"text/.*|application/(json|xml|sql|yaml|toml|(x-)?javascript|x-(sh|python|tex)|"
    r".*\+(json|xml))",
}
#: Of types that say nothing, the ends of file names.
_EXTENSIONS: Mapping[str, str] = {
    "pictures": "avif bmp gif heic heif ico jpe jpeg jpg png psd svg tif tiff webp",
    "PDF": "pdf",
    "office documents": "doc docm docx dot dotx key numbers odg odp ods odt pages potx pps ppsx "
    "ppt pptm pptx pub rtf vsd vsdx xls xlsb xlsm xlsx xltx",
    "archives": "7z bz2 cab deb dmg gz iso jar lzh rar tar tbz tgz txz xz zip zst",
    "audio and video": "3gp aac aif aiff amr avi flac flv m4a m4v mid mkv mov mp3 mp4 mpeg mpg "
    "oga ogg ogv opus wav webm wma wmv",
    "calendar": "ics ical ifb vcs",
    "messages": "eml mbox msg",
    "signatures": "p7s",
    "text": "asc c conf cpp css csv diff htm html ini java js json log md patch py r rst sh sql "
    "tex toml tsv txt vcf xml yaml yml",
}
_OTHER = "other"
FAMILIES = (*_TYPES, _OTHER)

_BY_TYPE = [(name, re.compile(pattern)) for name, pattern in _TYPES.items()]
_BY_EXTENSION = {end: name for name, ends in _EXTENSIONS.items() for end in ends.split()}
# What programs say that do not know; RFC 2046 section 4.5.1 has the first one for that.
_SAYING_NOTHING = frozenset(
    {"", "application/octet-stream", "application/octetstream", "application/binary",
     "application/download", "application/force-download", "application/unknown",
     "application/x-download", "application/x-octet-stream", "application/x-unknown",
     "application/x-unknown-content-type", "binary/octet-stream", "unknown/unknown"}
)  # fmt: skip
_LONGEST_EXTENSION = 12


def families(attachments: pd.DataFrame) -> pd.Series[Any]:
    """Tell what each attachment is.

    Parameters
    ----------
    attachments
        With the column ``content_type``; where there is ``filename``, its end decides what a type
        like ``application/octet-stream`` leaves open.

    Returns
    -------
    Series
        category: one of `FAMILIES`. It is what the sender says: nothing looks into the file.

    Examples
    --------
    >>> files = pd.DataFrame({
    ...     "content_type": ["image/png", "application/octet-stream", "application/zip"],
    ...     "filename": ["a.png", "Plan.XLSX", None],
    ... })
    >>> families(files).tolist()
    ['pictures', 'office documents', 'archives']
    """
    codes, types = pd.factorize(text(attachments, "content_type").str.lower().fillna(""))
    places = np.array([_place(_family(one)) for one in types], dtype="int8")[codes]
    unsaid = np.array([one in _SAYING_NOTHING for one in types], dtype=bool)[codes]
    if unsaid.any() and "filename" in attachments.columns:
        ends = extensions(attachments[unsaid]).map(_BY_EXTENSION).fillna(_OTHER)
        places[unsaid] = ends.map(_place).to_numpy("int8")
    kinds = pd.CategoricalDtype(pd.Index(FAMILIES, dtype="str"))
    values: Any = pd.Categorical.from_codes(places, dtype=kinds)
    return pd.Series(values, index=attachments.index, name="family")


def extensions(attachments: pd.DataFrame) -> pd.Series[Any]:
    """Return how each file's name ends: ``pdf``.

    Parameters
    ----------
    attachments
        With the column ``filename``.

    Returns
    -------
    Series
        Text in lower case; missing where the file has no name, or the name no such end.
    """
    names = text(attachments, "filename").str.strip()
    # Of names without a stem (.profile) the rest is no extension.
    found = names.str.extract(rf"[^./\\]\.(\w{{1,{_LONGEST_EXTENSION}}})$", expand=False)
    result: pd.Series[Any] = found.str.lower().astype("str")
    return result


def _family(content_type: str) -> str:
    return next((name for name, one in _BY_TYPE if one.fullmatch(content_type)), _OTHER)


def _place(family: str) -> int:
    return FAMILIES.index(family)
