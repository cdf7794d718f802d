"""What customers write, in their languages, and how their programs introduce what they quote."""

from __future__ import annotations

from generator.languages import latin, scripts
from generator.languages.record import Language

__all__ = ["LANGUAGES", "Language"]

#: By the tags of RFC 5646.
LANGUAGES = {
    "en": latin.ENGLISH,
    "sv": latin.SWEDISH,
    "de": latin.GERMAN,
    "fr": latin.FRENCH,
    "es": latin.SPANISH,
    "pt": latin.PORTUGUESE,
    "pl": latin.POLISH,
    "cs": latin.CZECH,
    "el": scripts.GREEK,
    "ru": scripts.RUSSIAN,
    "tr": latin.TURKISH,
    "ar": scripts.ARABIC,
    "he": scripts.HEBREW,
    "ja": scripts.JAPANESE,
    "ko": scripts.KOREAN,
    "zh": scripts.CHINESE,
    "zh-tw": scripts.TAIWANESE,
}
