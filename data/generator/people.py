"""Who writes: the company, its customers, and the programs they write with. All are invented.

Every domain is one that RFC 2606 keeps for examples, every telephone number one that is never
given to anybody.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from generator.clock import BEGIN

__all__ = [
    "COMPANY",
    "CUSTOMERS",
    "FRIENDS",
    "LISTENERS",
    "MIRA",
    "PROGRAMS",
    "STAFF",
    "VACATIONS",
    "Person",
    "Program",
    "by_name",
    "staff_of",
]

COMPANY = "fyrbak.example"


@dataclass(frozen=True, slots=True)
class Program:
    """A mail program, by its habits.

    Attributes
    ----------
    field, name
        The header field in which it names itself.
    form
        ``"plain"``, ``"flowed"``, ``"alternative"`` or ``"html"``.
    posting
        Where the answer stands: ``"top"``, ``"bottom"``, or ``"block"`` for an old message below a
        copy of its header.
    encoding
        Of text that is not ASCII.
    words
        ``"B"`` or ``"Q"`` (RFC 2047).
    """

    field: str
    name: str
    form: str
    posting: str
    encoding: str = "quoted-printable"
    words: str = "Q"


HERON = Program("User-Agent", "Heron/128.4.0", "flowed", "bottom", "8bit", "B")
KESTREL = Program("X-Mailer", "Kestrel Mail (2.3774)", "alternative", "top")
ALBATROSS = Program("X-Mailer", "Albatross Enterprise 16.0", "alternative", "block")
PELICAN = Program("User-Agent", "Pelican Webmail/1.6.9", "plain", "top", "base64", "B")
TERN = Program("User-Agent", "Tern/2.2.13 (2024-03-09)", "plain", "bottom", "8bit")
PUFFIN = Program("X-Mailer", "Puffin for Phones 18.2", "html", "top")
WAGTAIL = Program("X-Mailer", "Wagtail 6.00.11", "plain", "top", "base64", "B")
PROGRAMS = (HERON, KESTREL, ALBATROSS, PELICAN, TERN, PUFFIN, WAGTAIL)


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who writes.

    Attributes
    ----------
    name
        As it is written.
    mailbox
        The address.
    group
        A department of the company, or the organisation.
    role
        For the signature.
    zone
        A name of `clock.ZONES`.
    language
        A key of `languages.LANGUAGES`.
    charset
        That the program writes in.
    program
        The mail program.
    joined
        The first day.
    phone
        A number that is nobody's.
    """

    name: str
    mailbox: str
    group: str
    role: str = ""
    zone: str = "Sweden"
    language: str = "en"
    charset: str = "utf-8"
    program: Program = KESTREL
    joined: date = BEGIN
    phone: str = ""

    @property
    def domain(self) -> str:
        """The part of the address behind the at sign."""
        return self.mailbox.rpartition("@")[2]

    @property
    def first(self) -> str:
        """The first name."""
        return self.name.split(" ")[0]


def _staff(
    name: str,
    group: str,
    role: str,
    program: Program = KESTREL,
    *,
    zone: str = "Sweden",
    joined: str = "2024-07-01",
    local: str = "",
) -> Person:
    letters = str.maketrans("åäöéíóńčćřłżůýú", "aaoeionccrlzuyu")
    mailbox = local or ".".join(name.lower().translate(letters).split(" "))
    number = 100 + sum(map(ord, name)) % 100
    return Person(
        name,
        f"{mailbox}@{COMPANY}",
        group,
        role,
        zone,
        program=program,
        joined=date.fromisoformat(joined),
        phone=f"+1 555-0{number}",
    )


MIRA = _staff("Mira Holm", "Product", "Product manager, data services", HERON)

# fmt: off
STAFF = (
    MIRA,
    _staff("Astrid Lindqvist", "Management", "Managing director", PUFFIN),
    _staff("Henrik Brandt", "Management", "Finance", ALBATROSS),
    _staff("Karin Wall", "Office", "Accounts", ALBATROSS),
    _staff("Emil Lund", "Office", "Office and travel", KESTREL),
    _staff("Birgit Strand", "Office", "People", ALBATROSS),
    _staff("Jonas Ek", "Product", "Design", KESTREL),
    _staff("Nadia Rahimi", "Product", "Product manager, hardware", KESTREL, joined="2025-02-03"),
    _staff("Priya Raman", "Engineering", "Head of engineering", HERON),
    _staff("Tomasz Zieliński", "Engineering", "Back end", TERN),
    _staff("Leila Haddad", "Engineering", "Data", HERON),
    _staff("Ben Okafor", "Engineering", "Front end", KESTREL, zone="Britain"),
    _staff("Sofia Marques", "Engineering", "Quality", HERON, zone="Britain"),
    _staff("Oskar Nyström", "Engineering", "Firmware", TERN),
    _staff("Ana Kovač", "Engineering", "Back end", TERN, joined="2025-05-05"),
    _staff("Ravi Menon", "Engineering", "Data", HERON, zone="India", joined="2025-09-01"),
    _staff("Freja Dahl", "Hardware", "Mechanics", KESTREL),
    _staff("Marek Dvořák", "Hardware", "Electronics", HERON, zone="Central Europe"),
    _staff("Anders Bäck", "Hardware", "Field tests", PUFFIN),
    _staff("Ivo Tadić", "Operations", "Servers", TERN, zone="Central Europe"),
    _staff("Kerstin Åberg", "Operations", "Network and security", HERON),
    _staff("Clara Weiß", "Sales", "Northern Europe", ALBATROSS, zone="Central Europe", local="clara.weiss"),
    _staff("Daniel Moreau", "Sales", "Southern Europe", PUFFIN, zone="Central Europe"),
    _staff("Nora Quinn", "Sales", "Americas", KESTREL, zone="New York"),
    _staff("Kenji Aoki", "Sales", "Asia", KESTREL, zone="Japan", joined="2025-01-13"),
    _staff("Linnéa Sjö", "Support", "Support", PELICAN),
    _staff("Paul Carter", "Support", "Support", PELICAN, zone="New York"),
    _staff("Hana Kim", "Support", "Support", PELICAN, joined="2025-10-06"),
)

# fmt: on

#: When the owner of the mailbox is away, and nobody reads it.
VACATIONS = (
    (date(2024, 7, 15), date(2024, 8, 9)),
    (date(2024, 12, 23), date(2025, 1, 3)),
    (date(2025, 2, 17), date(2025, 2, 21)),
    (date(2025, 7, 7), date(2025, 8, 1)),
    (date(2025, 12, 22), date(2026, 1, 5)),
    (date(2026, 3, 2), date(2026, 3, 6)),
)

# fmt: off
CUSTOMERS = (
    Person("Haruka Endo", "h.endo@minato-survey.example", "Minato Survey", "Engineer", "Japan", "en", "us-ascii", WAGTAIL),
    Person("遠藤 春香", "endo@hokuto-kaiyo.example", "北斗海洋株式会社", "技術部", "Japan", "ja", "iso-2022-jp", WAGTAIL),
    Person("中村 大輔", "nakamura@shiokaze.example", "潮風測器", "営業部", "Japan", "ja", "iso-2022-jp", WAGTAIL),
    Person("佐々木 恵", "megumi.sasaki@port-lab.example", "港湾研究室", "研究員", "Japan", "ja", "utf-8", PELICAN),
    Person("Анна Соколова", "a.sokolova@polyarnik.example", "Полярник", "инженер", "Moscow", "ru", "koi8-r", TERN),
    Person("Игорь Лебедев", "lebedev@severmore.example", "Севморе", "главный метролог", "Moscow", "ru", "windows-1251", ALBATROSS),
    Person("王小明", "xiaoming.wang@haibin.example", "海滨仪器", "项目经理", "China", "zh", "gb18030", WAGTAIL),
    Person("李静", "li.jing@donghai.example", "东海观测站", "工程师", "China", "zh", "gb2312", PELICAN),
    Person("陳怡君", "yichun.chen@keelung-port.example", "基隆港務實驗室", "研究員", "China", "zh-tw", "big5", ALBATROSS),
    Person("김서연", "seoyeon@haeyang.example", "해양데이터", "연구원", "Korea", "ko", "euc-kr", WAGTAIL),
    Person("박준호", "junho.park@busan-tide.example", "부산조위연구소", "팀장", "Korea", "ko", "utf-8", KESTREL),
    Person("Ελένη Παπαδάκη", "e.papadaki@aigaio.example", "Αιγαίο Μετρήσεις", "υδρογράφος", "Eastern Europe", "el", "iso-8859-7", HERON),
    Person("Νίκος Γεωργίου", "ngeorgiou@limani.example", "Λιμάνι Α.Ε.", "τεχνικός", "Eastern Europe", "el", "utf-8", KESTREL),
    Person("Małgorzata Wójcik", "m.wojcik@baltyk-pomiar.example", "Bałtyk Pomiar", "kierownik projektu", "Central Europe", "pl", "iso-8859-2", HERON),
    Person("Paweł Kaźmierczak", "pawel@zatoka.example", "Zatoka", "hydrolog", "Central Europe", "pl", "utf-8", ALBATROSS),
    Person("Jiří Procházka", "prochazka@vltava-data.example", "Vltava Data", "vývojář", "Central Europe", "cs", "windows-1250", ALBATROSS),
    Person("Uwe Krüger", "u.krueger@pegelwerk.example", "Pegelwerk GmbH", "Vermessung", "Central Europe", "de", "iso-8859-15", HERON),
    Person("Sabine Großmann", "grossmann@kuestenamt.example", "Küstenamt", "Referat 4", "Central Europe", "de", "windows-1252", ALBATROSS),
    Person("Jörg Häberle", "joerg.haeberle@seezeichen.example", "Seezeichen AG", "Einkauf", "Central Europe", "de", "utf-8", KESTREL),
    Person("Hélène Fabre", "h.fabre@maregraphe.example", "Marégraphe SARL", "responsable technique", "Central Europe", "fr", "iso-8859-1", HERON),
    Person("Étienne Lacroix", "etienne.lacroix@littoral.example", "Littoral", "chargé de projet", "Central Europe", "fr", "windows-1252", ALBATROSS),
    Person("María Núñez", "maria.nunez@puertodelsur.example", "Puerto del Sur", "jefa de operaciones", "Central Europe", "es", "iso-8859-1", HERON),
    Person("Íñigo Aguirre", "inigo@mareas.example", "Mareas S.L.", "compras", "Central Europe", "es", "utf-8", KESTREL),
    Person("João Conceição", "joao.conceicao@mare-alta.example", "Maré Alta", "engenheiro", "Brazil", "pt", "windows-1252", ALBATROSS),
    Person("Beatriz Leitão", "b.leitao@farol.example", "Farol", "investigadora", "Britain", "pt", "utf-8", KESTREL),
    Person("Ayşe Yıldırım", "ayse.yildirim@bogazicisu.example", "Boğaziçi Su", "mühendis", "Turkey", "tr", "iso-8859-9", HERON),
    Person("Çağrı Şahin", "cagri@deniz-olcum.example", "Deniz Ölçüm", "proje müdürü", "Turkey", "tr", "windows-1254", ALBATROSS),
    Person("نور الحسن", "nour@khaleej-data.example", "بيانات الخليج", "مهندسة", "Gulf", "ar", "windows-1256", ALBATROSS),
    Person("יעל ברק", "yael@mador-yam.example", "מדור ים", "חוקרת", "Israel", "he", "windows-1255", ALBATROSS),
    Person("Göran Sjöström", "goran.sjostrom@hamnverket.example", "Hamnverket", "driftchef", "Sweden", "sv", "iso-8859-1", HERON),
    Person("Åsa Öberg", "asa.oberg@skargardsbolaget.example", "Skärgårdsbolaget", "inköp", "Sweden", "sv", "utf-8", KESTREL),
    Person("Siobhán Kelly", "s.kelly@galwaybay.example", "Galway Bay Survey", "Survey manager", "Britain", "en", "windows-1252", ALBATROSS),
    Person("Tom Hargreaves", "tom@hargreaves-marine.example", "Hargreaves Marine", "Owner", "Britain", "en", "us-ascii", TERN),
    Person("Grace Tan", "grace.tan@straitsdata.example", "Straits Data", "Procurement", "China", "en", "utf-8", ALBATROSS),
    Person("Dale Whitcomb", "dale@whitcomb-harbor.example", "Whitcomb Harbor Services", "Harbor master", "Pacific", "en", "us-ascii", PUFFIN),
    Person("Jill Noseworthy", "jnoseworthy@avalon-ocean.example.org", "Avalon Ocean Institute", "Data manager", "Newfoundland", "en", "utf-8", KESTREL),
    Person("Ruth Abernathy", "ruth@coastwatch.example.org", "Coastwatch", "Volunteer coordinator", "Melbourne", "en", "utf-8", KESTREL),
    Person("Deepa Iyer", "deepa.iyer@monsoonlab.example.org", "Monsoon Lab", "Postdoc", "India", "en", "utf-8", KESTREL),
)

#: Private mail: the choir, the family.
FRIENDS = (
    Person("Lotta Holm", "lotta.holm@example.net", "family", "", "Sweden", "sv", "utf-8", PUFFIN),
    Person("Per-Erik Holm", "per-erik@example.net", "family", "", "Sweden", "sv", "iso-8859-1", HERON),
    Person("Maja Friis", "maja.friis@example.org", "choir", "", "Central Europe", "en", "utf-8", KESTREL),
    Person("Gunnar Alm", "gunnar.alm@example.org", "choir", "", "Sweden", "en", "utf-8", PELICAN),
    Person("Ingrid Falk", "ingrid.falk@example.net", "choir", "", "Sweden", "en", "iso-8859-1", HERON),
    Person("Sam Osei", "sam.osei@example.com", "choir", "", "Sweden", "en", "utf-8", PUFFIN),
)

#: Who writes to the two technical lists.
LISTENERS = (
    Person("Ola Berntsen", "ola@fjordnett.example", "lists", "", "Central Europe", "en", "iso-8859-1", TERN),
    Person("Wendy Park", "wendy.park@tidal.example", "lists", "", "Pacific", "en", "utf-8", KESTREL),
    Person("Chidi Nwosu", "chidi@lagoonworks.example", "lists", "", "Central Europe", "en", "us-ascii", TERN),
    Person("Ilse de Vries", "ilse@waddenmeet.example", "lists", "", "Central Europe", "en", "utf-8", HERON),
    Person("Mateo Ríos", "mateo@rioplata.example", "lists", "", "Brazil", "en", "iso-8859-1", HERON),
    Person("Piotr Sowa", "psowa@example.org", "lists", "", "Central Europe", "en", "iso-8859-2", TERN),
    Person("Yuki Tanabe", "tanabe@kaihoken.example", "lists", "", "Japan", "en", "iso-2022-jp", WAGTAIL),
    Person("Fiona McRae", "fiona@hebridesbuoy.example.org", "lists", "", "Britain", "en", "utf-8", KESTREL),
    Person("Gil Barlow", "gbarlow@example.net", "lists", "", "New York", "en", "us-ascii", PELICAN),
    Person("Anneli Koski", "anneli.koski@saaristo.example", "lists", "", "Eastern Europe", "en", "utf-8", HERON),
)
# fmt: on


def staff_of(*groups: str, day: date | None = None) -> list[Person]:
    """Give the colleagues of departments, or all but the owner, who had joined by a day."""
    return [
        one
        for one in STAFF
        if one is not MIRA
        and (not groups or one.group in groups)
        and (day is None or one.joined <= day)
    ]


def by_name(name: str) -> Person:
    """Find someone by the beginning of the name."""
    everyone = (*STAFF, *CUSTOMERS, *FRIENDS, *LISTENERS)
    return next(one for one in everyone if one.name.startswith(name))
