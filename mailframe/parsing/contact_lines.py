"""Lines of a business card, told from lines of running text by what they hold and by their look."""

# ruff: noqa: RUF001 - words are in a dozen scripts

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from mailframe.parsing.vocabulary import phrases

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = [
    "is_contact_block",
    "is_contact_line",
    "is_mail_address",
    "is_postscript",
    "is_sentence",
    "may_be_name",
]

MOST_LINES = 14
_LONGEST_LINE = 100
_MOST_NAMES = 6

_PHONE = re.compile(
    r"(?<![\w.,/-])(?:\+|\(?0)[\d\s()/.\u2011-]{6,24}(?!\w)"
    r"|(?<!\d)\(?\d{2,4}\)?[\s-]\d{3,4}-\d{4}(?!\d)"
)
_LABEL = re.compile(
    r"(?<!\w)(?:t[eé]l|telefon|telefoon|teléfono|telefone|telefono|téléphone|phone|ph|fone|mob|"
    r"mobile|mobil|móvil|cell|cel|handy|fax|telefax|direct|office|desk|notfall|hotline|tlf|tfno|"
    r"gsm|puh|тел|моб|факс|телефон|[tmfepdoh]|e-?mail|web|www|skype|電話|电话|手机|手機|传真|전화|"
    r"팩스|휴대폰)\.?\s?[:.]*\s?(?=[+(\d])"
    r"|(?<!\w)(?:e-?mail|web|website|homepage|internet|skype|phone|tel|fax|mobile|cell|адрес|сайт|"
    r"почта|地址|邮箱|住所|电话|電話|手机|網址|网址|주소|이메일|adres|adresse|indirizzo)\s?:"
)
# Pages are short on a card; long ones are what somebody wants to show.
_PAGE = re.compile(
    r"(?:https?://|www\.)[^\s<>]{1,40}+(?![^\s<>])"
    r"|(?<![\w@/.-])(?:[\w-]++\.)++(?:example|com|org|net|de|fr|es|it|nl|pl|ru|cn|jp|se|dk|no|fi|"
    r"cz|tr|kr|ua|uk|eu|br|pt|at|ch|be|io|edu|gov|info)(?:/[^\s<>]{0,30}+)?+(?![\w./])"
)
_MAIL = re.compile(r"[^\s@<>()\[\],;:|]++@[^\s@<>()\[\],;:|]++")
_COMPANIES = phrases(
    "gmbh, ag, kg, ohg, ug, mbh, inc, ltd, llc, llp, plc, corp, corporation, company, sarl, sas, "
    "srl, spa, aps, oy, oyj, ltda, lda, ооо, оао, зао, пао, тов"
)
_COMPANY_WITHIN = re.compile(
    r"(?<!\w)(?:e\. ?v\.|s\. ?a\.|s\. ?r\. ?l|s\. ?p\. ?a|b\. ?v|n\. ?v|a/s|s/a|s\.r\.o|a\.s|a\.ş|"
    r"ltd\. şti|sp\. z ?o\.?o|sp\. j)(?!\w)|"
    r"株式会社|有限会社|合同会社|有限公司|公司|集团|주식회사|㈜|연구소|大学|大學"
)
_TITLES = phrases(
    "manager, director, engineer, developer, architect, consultant, analyst, assistant, "
    "secretary, officer, president, chairman, chair, professor, prof, lecturer, researcher, "
    "editor, head, ceo, cto, cfo, coo, phd, partner, associate, "
    "coordinator, administrator, specialist, representative, executive, accountant, handler, "
    "department, dept, university, institute, division, office, team, sales, support",
    "leiter, leiterin, geschäftsführer, geschäftsführerin, referat, referent, referentin, "
    "sachbearbeiter, sachbearbeiterin, abteilung, vertrieb, einkauf, universität, institut, "
    "dipl, vorstand, assistenz, assistentin, ingenieur, technik, lehrstuhl, "
    "projektleiter, projektleiterin, verwaltung",
    "directeur, directrice, responsable, gestionnaire, chargé, chargée, ingénieur, service, "
    "secrétaire, université, association, conseiller, conseillère, comptable",
    "gerente, departamento, ingeniero, jefe, jefa, secretaria, universidad, coordinador, "
    "coordinadora, profesor, profesora, directora, lic, ing, abogado, abogada",
    "atendimento, coordenador, coordenadora, diretor, diretora, professora, analista",
    "direttore, direttrice, ufficio, ingegnere, dott, rag, università, "
    "responsabile, segreteria, avv",
    "medewerker, afdeling, adviseur, universiteit, hoofd, beleidsmedewerker",
    "kierownik, specjalista, dyrektor, asystent, asystentka, dział, uniwersytet, mgr, prezes",
    "менеджер, директор, начальник, отдел, специалист, инженер, бухгалтер, руководитель, "
    "университет, институт, кафедра, керівник, відділ",
    "chef, ansvarig, avdelning, universitet, projektledare, handläggare, ingenjör",
    "lægesekretær, konsulent, leder, rådgiver, avdeling",
    "johtaja, päällikkö, yliopisto, osasto, asiantuntija",
    "ředitel, ředitelka, vedoucí, oddělení, jednatel, univerzita, referentka",
    "müdür, müdürü, uzmanı, üniversitesi, mühendis, departmanı",
)
_TELLING_WORDS = _COMPANIES | _TITLES
_WORD = re.compile(r"[^\W\d_]+")
_TITLE_WITHIN = re.compile(
    "部|课长|課長|経理|经理|主管|总监|工程师|主任|事務局|営業|担当|教授|"
    "책임|팀장|대리|과장|부장|연구원|팀 |사원|이사"
)
_STREET = re.compile(
    r"\b\d{5}\b \w|\b\d{4} ?[a-z]{2} \w|\b[a-z]{1,2}\d[\da-z]? \d[a-z]{2}\b|\d{2}-\d{3} \w|〒|"
    r"(?:straße|strasse|str\.|weg|platz|allee|gasse|straat|gatan|vägen|vej|gade|veien|katu|tie) ?"
    r"\d|"
    r"\d[a-z]?,? (?:\w+ ){0,3}(?:street|st\.?|road|rd\.?|avenue|ave\.?|lane|row|drive|square|court|"
    r"way|house|place|quay)\b|"
    r"(?:^|[\s,])(?:ul\.|via|rue|quai|avenue|calle|rua|postbus|p\.? ?o\.? box|postfach|ул\.|am|"
    r"an der|avda\.|plaza|piazza|viale|room|suite|floor) [\w' .-]{0,40}\d|号|丁目|市.{1,20}区|路"
)
_DIGIT = re.compile(r"\d")
_ITEM = re.compile(r"[-*•+>→]\s|\(?(?:\d{1,2}[.)]|[a-z]\))\s|[-=]>|\[\d+\]")
_POSTSCRIPT = re.compile(r"p\.?\s?p?\.?\s?s\b|n\.?b\b|附:|追伸|추신|з\.ы|p\.d\.")


def is_mail_address(line: str) -> bool:
    """Say whether a line is a mail address and nothing else.

    Parameters
    ----------
    line
        Of the text.
    """
    return _MAIL.fullmatch(line) is not None


def is_postscript(line: str) -> bool:
    """Say whether a line begins with "P.S.".

    Parameters
    ----------
    line
        Of the text.
    """
    return _POSTSCRIPT.match(line[:_LONGEST_LINE].casefold()) is not None


def is_contact_line(line: str) -> bool:
    """Say whether a line has a number, an address, a company or a title.

    Parameters
    ----------
    line
        Of the text, not empty.
    """
    if len(line) > _LONGEST_LINE or is_sentence(line):
        return False
    folded = line.casefold()
    if not _TELLING_WORDS.isdisjoint(_WORD.findall(folded)):
        return True
    if _TITLE_WITHIN.search(line) or _COMPANY_WITHIN.search(folded):
        return True
    # What cannot be without a sign is looked for only where there is one.
    has_digit = _DIGIT.search(line) is not None
    return (
        (has_digit and (_PHONE.search(line) or _STREET.search(folded)) is not None)
        or ((has_digit or ":" in line) and _LABEL.search(folded) is not None)
        or ("." in line and _PAGE.search(folded) is not None)
        or ("@" in line and _MAIL.search(line) is not None)
    )


def is_contact_block(block: Sequence[str], least: int) -> bool:
    """Say whether lines are a business card: short, and some of them with what tells it.

    Parameters
    ----------
    block
        Lines, none of them empty, without those that are drawn.
    least
        So many must tell it. One is enough if it stands right below a name.
    """
    if not block or len(block) > MOST_LINES:
        return False
    lines = [block[0].lstrip("-\u2013\u2014~ ") or block[0], *block[1:]]  # as in "- Ann Lee"
    if any(len(line) > _LONGEST_LINE or _ITEM.match(line.casefold()) for line in lines):
        return False
    telling = [is_contact_line(line) for line in lines]
    if len(lines) == 1:
        return telling[0] and "|" in lines[0]  # name, company and number with bars between
    if _is_name(lines[0]) and telling[1]:
        least = 1
    if sum(telling) < least or is_postscript(lines[0]):
        return False
    # A motto may be among them.
    prose = [is_sentence(line) for line in lines]
    return sum(prose) == 0 or (sum(prose) == 1 and sum(telling) > 1 and not prose[0])


def _is_name(line: str) -> bool:
    words = line.split()
    return 2 <= len(words) <= 4 and all(word[0].isupper() or word[0] in "\"'(" for word in words)  # noqa: PLR2004 first and last name, initials


def may_be_name(line: str) -> bool:
    """Say whether a line may be a name, of somebody or of a company: a few words, no address.

    Parameters
    ----------
    line
        Not empty.
    """
    words = line.split(None, _MOST_NAMES)
    if len(words) > _MOST_NAMES or line[-1] in "?!:;\u3002\uff1f\uff01":
        return False
    if "@" in line or "/" in line or line.startswith("www."):
        return False
    # Above all in capitals; by itself, or as somebody types who never uses them, any word.
    small = sum(word[0].islower() for word in words)
    return small * 2 < len(words) or (len(words) <= 2 and line[-1] != ".")  # noqa: PLR2004 names


def is_sentence(line: str) -> bool:
    """Say whether a line is of running text: words in lower case above all, or a full stop.

    Parameters
    ----------
    line
        Not empty.
    """
    if line[-1] in "。！？":
        return True
    words = line[: 2 * _LONGEST_LINE].split()
    small = sum(word[0].islower() for word in words)
    if len(words) >= 6 and small * 2 > len(words):  # noqa: PLR2004 fewer are a title
        return True
    # "Sp. z o.o." ends in a stop as well.
    return len(words) >= 4 and small >= 2 and line[-1] in ".?!,:" and not line.endswith("..")  # noqa: PLR2004
