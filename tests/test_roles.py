"""Folders by their role, on servers that announce roles and on those that do not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import mailframe as mf
from mailframe.exceptions import FolderError
from tests.conftest import missing
from tests.rigs import messages
from tests.rigs.dovecot import Dovecot, dovecot_binary, modified_utf7

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs.scripted import Connection as Client
    from tests.rigs.scripted import Function, ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Talk = Callable[..., mf.Session]

REV1 = "IMAP4rev1"
ROLES = "IMAP4rev1 SPECIAL-USE LIST-EXTENDED"
#: Names that mail programs give in some languages, and the role each stands for.
GUESSED = {
    "Sent Items": "\\Sent",
    "Gesendete Elemente": "\\Sent",
    "Éléments envoyés": "\\Sent",
    "送信済みアイテム": "\\Sent",
    "Отправленные": "\\Sent",
    "SENT": "\\Sent",
    "Entwürfe": "\\Drafts",
    "Papierkorb": "\\Trash",
    "Kosz": "\\Trash",
    "Корзина": "\\Trash",
    "ゴミ箱": "\\Trash",
    "Junk E-mail": "\\Junk",
    "Skräppost": "\\Junk",
    "스팸메일함": "\\Junk",
    "Archiv": "\\Archive",
}
LOCALISED = """\
namespace inbox {
  mailbox Sent {
    special_use =
  }
  mailbox Drafts {
    special_use =
  }
  mailbox "Éléments envoyés" {
    special_use = \\Sent
    auto = create
  }
  mailbox "Entwürfe" {
    special_use = \\Drafts
    auto = create
  }
}
"""


@pytest.fixture(scope="module")
def localised() -> Iterator[Dovecot]:
    """Start a Dovecot whose folders have their roles under names of other languages."""
    if dovecot_binary() is None:
        missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
    with Dovecot(extra=LOCALISED) as server:
        yield server


@pytest.fixture
def talk() -> Iterator[Talk]:
    """Return a function that logs in to a server, scripted or not."""
    sessions = []

    def start(server: Any, user: str = "me@example.com") -> mf.Session:
        session = mf.connect(
            server.host,
            user,
            password=getattr(server, "password", "secret"),
            port=server.port,
            security="none",
            timeout=5,
        )
        sessions.append(session)
        return session

    yield start
    for session in sessions:
        session.close()


def line(name: str | bytes, attributes: bytes = b"", delimiter: bytes = b'"/"') -> bytes:
    r"""Write a line of LIST; a name in bytes goes out as it is."""
    octets = modified_utf7(name).encode() if isinstance(name, str) else name
    return b'* LIST (%b) %b "%b"\r\n' % (attributes, delimiter, octets)


def serve(scripted: Scripted, *lines: bytes, capabilities: str = REV1, **more: Any) -> Any:
    """Start a server that lists this, and has one message in every folder."""
    handlers = {"LIST": b"".join(lines) + b"<tag> OK done\r\n", **more.pop("handlers", {})}
    return scripted(handlers, capabilities=capabilities, messages={1: b"FLAGS ()"}, **more)


def found(session: mf.Session, folder: Any) -> list[str]:
    """Name the folders of the messages that are found."""
    return list(dict.fromkeys(session.search(folder=folder)["folder"]))


# -- on Dovecot


@pytest.mark.parametrize("role", ["\\Sent", "\\sent", "\\SENT", "\\Drafts", "\\Trash", "\\Junk"])
def test_dovecots_folders_are_found_by_role(
    dovecot: Dovecot, user: str, talk: Talk, role: str
) -> None:
    name = role.removeprefix("\\").title()
    dovecot.deliver(user, messages.many(2), name)
    frame = talk(dovecot, user).headers(folder=role)
    assert frame["folder"].tolist() == [name, name]


@pytest.mark.parametrize(
    ("role", "name"), [("\\Sent", "Éléments envoyés"), ("\\drafts", "Entwürfe")]
)
def test_dovecots_folders_are_found_by_role_whatever_they_are_called(
    localised: Dovecot, talk: Talk, role: str, name: str
) -> None:
    user = localised.new_user()
    localised.deliver(user, messages.many(2), name)
    session = talk(localised, user)
    assert found(session, role) == [name]
    assert session.count(folder=role) == 2
    assert session.folders().set_index("name")["special_use"][name].lower() == role.lower()


def test_every_reading_method_takes_a_role(dovecot: Dovecot, user: str, talk: Talk) -> None:
    dovecot.deliver(user, [messages.with_attachment(1)], "Sent")
    dovecot.deliver(user, messages.many(3), "INBOX")
    session = talk(dovecot, user)
    for name in ("search", "headers", "recipients", "bodies", "attachments"):
        assert set(getattr(session, name)(folder="\\Sent")["folder"]) == {"Sent"}
    assert session.count(folder="\\Sent") == 1


# -- announced


@pytest.mark.parametrize("capabilities", [ROLES, "IMAP4rev1 SPECIAL-USE", REV1])
def test_an_announced_role_is_found_in_any_case(
    scripted: Scripted, talk: Talk, capabilities: str
) -> None:
    server = serve(
        scripted,
        line("INBOX"),
        line("Sent", b"\\HasNoChildren"),
        line("Versandt", b"\\HasNoChildren \\sENT"),
        capabilities=capabilities,
    )
    for role in ("\\Sent", "\\SENT", "\\sent"):
        assert found(talk(server), role) == ["Versandt"]


def only_when_asked(_: bytes, args: bytes, __: Client) -> bytes:
    r"""Show roles only with RETURN (SPECIAL-USE), as RFC 6154 section 2 allows."""
    role = b"\\Sent" if b"RETURN (SPECIAL-USE)" in args else b""
    return line("INBOX") + line("Versandt", role) + b"<tag> OK done\r\n"


def test_a_role_that_is_shown_only_when_asked_for_is_found(scripted: Scripted, talk: Talk) -> None:
    server = scripted({"LIST": only_when_asked}, capabilities=ROLES, messages={1: b"FLAGS ()"})
    assert found(talk(server), "\\Sent") == ["Versandt"]
    assert server.commands("LIST") == [b'"" "*" RETURN (SPECIAL-USE)']


@pytest.mark.parametrize("role", ["\\Inbox", "\\INBOX", "\\inbox"])
@pytest.mark.parametrize("capabilities", [ROLES, REV1])
def test_the_inbox_has_a_role_everywhere(
    scripted: Scripted, talk: Talk, role: str, capabilities: str
) -> None:
    server = serve(scripted, line("Inbox"), line("Sent"), capabilities=capabilities)
    assert found(talk(server), role) == ["INBOX"]


def test_a_view_is_found_by_its_role(scripted: Scripted, talk: Talk) -> None:
    server = serve(
        scripted,
        line("INBOX"),
        line("[Gmail]", b"\\Noselect"),
        line("[Gmail]/Alle Nachrichten", b"\\All"),
        capabilities=ROLES,
    )
    assert found(talk(server), "\\all") == ["[Gmail]/Alle Nachrichten"]


@pytest.mark.parametrize("role", ["\\Sent", "\\Nonsense", "\\", "\\Sent Items"])
def test_an_unknown_role_is_refused_with_those_there_are(
    scripted: Scripted, talk: Talk, role: str
) -> None:
    server = serve(
        scripted, line("INBOX"), line("X", b"\\Trash"), line("Y", b"\\Junk"), capabilities=ROLES
    )
    with pytest.raises(FolderError, match="No folder has the role") as refused:
        talk(server).search(folder=role)
    assert f"role {role}." in str(refused.value)
    assert refused.value.suggestion == "The roles here: \\Junk, \\Trash."
    assert server.commands("EXAMINE") == []


def test_without_any_roles_the_folders_are_pointed_to(scripted: Scripted, talk: Talk) -> None:
    with pytest.raises(FolderError) as refused:
        talk(serve(scripted, line("INBOX"))).search(folder="\\Sent")
    assert "session.folders()" in refused.value.suggestion


@pytest.mark.parametrize("attribute", [b"\\Noselect", b"\\NonExistent"])
@pytest.mark.parametrize("capabilities", [ROLES, REV1])
def test_a_role_of_what_cannot_be_opened_is_no_role(
    scripted: Scripted, talk: Talk, attribute: bytes, capabilities: str
) -> None:
    lines = (line("INBOX"), line("S", b"\\Sent " + attribute))
    alone = serve(scripted, *lines, capabilities=capabilities)
    with pytest.raises(FolderError, match="No folder has the role"):
        talk(alone).search(folder="\\Sent")
    assert alone.commands("EXAMINE") == []
    second = serve(scripted, *lines, line("S2", b"\\Sent"), capabilities=capabilities)
    assert found(talk(second), "\\Sent") == ["S2"]


def test_a_role_that_is_refused_is_not_among_those_there_are(
    scripted: Scripted, talk: Talk
) -> None:
    lines = (line("INBOX"), line("S", b"\\Sent \\Noselect"), line("T", b"\\Trash"))
    with pytest.raises(FolderError) as refused:
        talk(serve(scripted, *lines, capabilities=ROLES)).search(folder="\\Sent")
    assert refused.value.suggestion == "The roles here: \\Trash."


@pytest.mark.parametrize(
    ("folder", "names"),
    [
        (["\\Sent", "Versandt"], ["Versandt"]),
        (["Versandt", "\\Sent"], ["Versandt"]),
        (["\\Sent", "\\SENT"], ["Versandt"]),
        (["V*", "\\Sent"], ["Vater", "Versandt"]),
        (["\\Sent", "V*"], ["Versandt", "Vater"]),
        (["INBOX", "\\Sent", "\\Trash", "\\Inbox"], ["INBOX", "Versandt", "Müll"]),
        (["\\inbox", "inbox", "I*"], ["INBOX"]),
        (["\\Trash", "*", "Müll"], ["Müll", "INBOX", "Vater", "Versandt"]),
        (("\\Trash",), ["Müll"]),
    ],
    ids=str,
)
def test_roles_names_and_patterns_go_together_and_no_folder_comes_twice(
    scripted: Scripted, talk: Talk, folder: Any, names: list[str]
) -> None:
    server = serve(
        scripted,
        line("INBOX"),
        line("Vater"),
        line("Versandt", b"\\Sent"),
        line("Müll", b"\\Trash"),
        capabilities=ROLES,
    )
    session = talk(server)
    assert found(session, folder) == names
    assert session.count(folder=folder) == len(names)
    opened = [args.decode().strip('"') for args in server.commands("EXAMINE")]
    assert opened == [modified_utf7(name) for name in names] * 2
    assert server.commands("STATUS") == []


# -- guessed


@pytest.mark.parametrize("name", GUESSED)
@pytest.mark.parametrize(("delimiter", "above"), [('"/"', ""), ('"."', "INBOX."), ('"/"', "A/B/")])
def test_a_role_is_guessed_by_name_where_none_is_announced(
    scripted: Scripted, talk: Talk, name: str, delimiter: str, above: str
) -> None:
    lines = [line(one, b"", delimiter.encode()) for one in ("INBOX", "Other", above + name)]
    session = talk(serve(scripted, *lines))
    assert found(session, GUESSED[name]) == [above + name]
    roles = session.folders().set_index("name")["special_use"]
    assert roles.dropna().to_dict() == {above + name: GUESSED[name]}


def test_a_name_in_raw_utf8_is_guessed_too(scripted: Scripted, talk: Talk) -> None:
    server = serve(scripted, line("INBOX"), line("Éléments envoyés".encode()))
    assert found(talk(server), "\\Sent") == ["Éléments envoyés"]


def test_without_a_delimiter_the_whole_name_counts(scripted: Scripted, talk: Talk) -> None:
    server = serve(
        scripted,
        line("INBOX", b"", b"NIL"),
        line("A/Sent", b"", b"NIL"),
        line("Sent Items", b"", b"NIL"),
    )
    assert found(talk(server), "\\Sent") == ["Sent Items"]


def test_another_delimiter_separates_nothing(scripted: Scripted, talk: Talk) -> None:
    server = serve(scripted, line("INBOX"), line("A.Sent"), line("B/Sent"))
    assert found(talk(server), "\\Sent") == ["B/Sent"]


def test_of_several_folders_the_first_has_the_guessed_role(scripted: Scripted, talk: Talk) -> None:
    session = talk(serve(scripted, line("Sent"), line("Sent Items"), line("Old/Sent")))
    assert found(session, "\\Sent") == ["Sent"]
    assert session.folders()["special_use"].notna().sum() == 1


@pytest.mark.parametrize(
    ("capabilities", "role"), [(ROLES, b"\\Trash"), (ROLES, b""), (REV1, b"\\Trash")]
)
def test_no_role_is_guessed_where_the_server_announces_some(
    scripted: Scripted, talk: Talk, capabilities: str, role: bytes
) -> None:
    lines = [line("INBOX"), line("Sent Items"), line("Müll", role)]
    session = talk(serve(scripted, *lines, capabilities=capabilities))
    with pytest.raises(FolderError, match=r"No folder has the role \\Sent"):
        session.search(folder="\\Sent")
    roles = session.folders().set_index("name")["special_use"].dropna()
    assert roles.to_dict() == ({"Müll": "\\Trash"} if role else {})


def test_a_folder_that_cannot_be_opened_takes_no_guessed_role_from_another(
    scripted: Scripted, talk: Talk
) -> None:
    session = talk(serve(scripted, line("Sent", b"\\Noselect"), line("Sent/Sent Items")))
    assert found(session, "\\Sent") == ["Sent/Sent Items"]


# -- other people's and shared folders

SPACES = b'(("" "/")) (("Other Users/" "/")) (("Shared/" "/")("#news." "."))'
ELSEWHERE = {
    b'"" "*"': [line("INBOX"), line("A")],
    b'"" "Other Users/*"': [line("Other Users/ann")],
    b'"" "Shared/*"': [line("Shared/x"), line("Shared/y")],
    b'"" "#news.*"': [line("#news.comp", b"", b'"."')],
}


def lister(folders: dict[bytes, list[bytes]]) -> Function:
    """List what matches, by what was asked for."""

    def answer(_: bytes, args: bytes, __: Client) -> bytes:
        asked = args.partition(b" RETURN")[0]
        return b"".join(folders.get(asked, [])) + b"<tag> OK done\r\n"

    return answer


def namespace(spaces: bytes) -> bytes:
    return b"* NAMESPACE %b\r\n<tag> OK done\r\n" % spaces


def spaced(
    scripted: Scripted,
    spaces: bytes,
    folders: dict[bytes, list[bytes]],
    *,
    capabilities: str = "IMAP4rev1 NAMESPACE",
    **handlers: Any,
) -> ScriptedServer:
    return scripted(
        {"NAMESPACE": namespace(spaces), "LIST": lister(folders), **handlers},
        capabilities=capabilities,
        messages={1: b"FLAGS ()"},
    )


def test_folders_of_others_are_listed_though_the_server_hides_them(
    scripted: Scripted, talk: Talk
) -> None:
    def status(_: bytes, args: bytes, __: Client) -> bytes:
        name = args.partition(b" (")[0]
        return b"* STATUS %b (MESSAGES 3)\r\n<tag> OK done\r\n" % name

    server = spaced(scripted, SPACES, ELSEWHERE, STATUS=status)
    session = talk(server)
    folders = session.folders()
    names = ["INBOX", "A", "Other Users/ann", "Shared/x", "Shared/y", "#news.comp"]
    assert folders["name"].tolist() == names
    assert folders["delimiter"].tolist() == ["/"] * 5 + ["."]
    assert folders["messages"].tolist() == [3] * 6
    assert server.commands("LIST") == list(ELSEWHERE)
    assert len(server.commands("STATUS")) == 6
    assert found(session, "Shared/*") == ["Shared/x", "Shared/y"]


def test_folders_of_others_are_not_asked_for_again_where_they_are_shown(
    scripted: Scripted, talk: Talk
) -> None:
    shown = {b'"" "*"': [one for lines in ELSEWHERE.values() for one in lines][:-1]}
    server = spaced(scripted, SPACES, shown | {b'"" "#news.*"': ELSEWHERE[b'"" "#news.*"']})
    assert talk(server).folders()["name"].tolist()[-2:] == ["Shared/y", "#news.comp"]
    assert server.commands("LIST") == [b'"" "*"', b'"" "#news.*"']


def test_the_name_above_the_folders_of_others_is_not_all_of_them(
    scripted: Scripted, talk: Talk
) -> None:
    hidden = {
        b'"" "*"': [line("INBOX"), line("Shared", b"\\Noselect")],
        b'"" "Shared/*"': [line("Shared/x")],
    }
    server = spaced(scripted, b'(("" "/")) NIL (("Shared/" "/"))', hidden)
    assert talk(server).folders()["name"].tolist() == ["INBOX", "Shared", "Shared/x"]


@pytest.mark.parametrize(
    "spaces",
    [
        b"NIL NIL NIL",
        b'(("" "/")) NIL NIL',
        b'(("INBOX." ".")) NIL NIL',
        b'(("" "/")) (("" "/")) NIL',
        b'(("" "/")) ((NIL NIL)) (())',
        b'(("" "/"))',
        b"",
        b"odd",
        b'"a" "b" "c"',
    ],
)
def test_without_other_namespaces_nothing_more_is_asked_for(
    scripted: Scripted, talk: Talk, spaces: bytes
) -> None:
    server = spaced(scripted, spaces, ELSEWHERE)
    assert talk(server).folders()["name"].tolist() == ["INBOX", "A"]
    assert server.commands("LIST") == [b'"" "*"']


def test_a_namespace_without_a_prefix_is_not_asked_for_twice(
    scripted: Scripted, talk: Talk
) -> None:
    server = spaced(scripted, b'(("" "/")) (("" "/")) NIL', {})
    assert talk(server).folders().empty
    assert server.commands("LIST") == [b'"" "*"']


@pytest.mark.parametrize("extension", [b' "TRANSLATION" ("Autres/")', b' "X-PARAM" ("a" "b")'])
def test_what_extensions_say_of_a_namespace_is_no_prefix(
    scripted: Scripted, talk: Talk, extension: bytes
) -> None:
    # RFC 2342 section 8, RFC 5255 section 3.4.
    spaces = b'(("" "/")) NIL (("Shared/" "/"%b))' % extension
    server = spaced(scripted, spaces, ELSEWHERE)
    assert talk(server).folders()["name"].tolist() == ["INBOX", "A", "Shared/x", "Shared/y"]


@pytest.mark.parametrize("raw", ["Öffentlich/", "共有/"])
@pytest.mark.parametrize("encode", [lambda n: modified_utf7(n).encode(), str.encode])
def test_a_prefix_may_be_in_any_language(
    scripted: Scripted, talk: Talk, raw: str, encode: Callable[[str], bytes]
) -> None:
    asked = b'"" "%b*"' % modified_utf7(raw).encode()
    folders = {b'"" "*"': [line("INBOX")], asked: [line(f"{raw}日本")]}
    server = spaced(scripted, b'(("" "/")) NIL (("%b" "/"))' % encode(raw), folders)
    session = talk(server)
    assert session.folders()["name"].tolist() == ["INBOX", f"{raw}日本"]
    assert server.commands("LIST") == list(folders)
    assert found(session, f"{raw}*") == [f"{raw}日本"]


@pytest.mark.parametrize("reply", [b"<tag> NO not now\r\n", b"<tag> BAD what?\r\n"])
def test_a_refused_namespace_leaves_the_list_as_it_is(
    scripted: Scripted, talk: Talk, reply: bytes
) -> None:
    server = spaced(scripted, b"", ELSEWHERE, NAMESPACE=reply)
    session = talk(server)
    assert session.folders()["name"].tolist() == ["INBOX", "A"]
    assert found(session, "*") == ["INBOX", "A"]


def test_a_refused_list_of_others_leaves_the_list_as_it_is(scripted: Scripted, talk: Talk) -> None:
    def refuse(_: bytes, args: bytes, __: Client) -> bytes:
        if args.startswith(b'"" "*"'):
            return line("INBOX") + line("A") + b"<tag> OK done\r\n"
        return b"<tag> NO [NOPERM] not yours\r\n"

    server = spaced(scripted, SPACES, {}, LIST=refuse)
    assert talk(server).folders()["name"].tolist() == ["INBOX", "A"]


def test_no_namespace_is_asked_for_where_none_is_offered(scripted: Scripted, talk: Talk) -> None:
    server = spaced(scripted, SPACES, ELSEWHERE, capabilities=REV1)
    assert talk(server).folders()["name"].tolist() == ["INBOX", "A"]
    assert server.commands("NAMESPACE") == []


def test_a_role_in_another_namespace_is_found(scripted: Scripted, talk: Talk) -> None:
    hidden = {b'"" "*"': [line("INBOX")], b'"" "Shared/*"': [line("Shared/x", b"\\Archive")]}
    server = spaced(scripted, b'(("" "/")) NIL (("Shared/" "/"))', hidden)
    assert found(talk(server), "\\Archive") == ["Shared/x"]


def test_ones_own_folder_has_the_guessed_role_before_anothers(
    scripted: Scripted, talk: Talk
) -> None:
    folders = {
        b'"" "*"': [line("INBOX"), line("Sent Items")],
        b'"" "Other Users/*"': [line("Other Users/ann/Sent")],
    }
    server = spaced(scripted, b'(("" "/")) (("Other Users/" "/")) NIL', folders)
    assert found(talk(server), "\\Sent") == ["Sent Items"]


# -- delimiters and names


@pytest.mark.parametrize(
    ("delimiter", "shown"), [(b"NIL", None), (b'"."', "."), (b'"/"', "/"), (b'"\\\\"', "\\")]
)
def test_a_delimiter_is_shown_as_the_server_has_it(
    scripted: Scripted, talk: Talk, delimiter: bytes, shown: str | None
) -> None:
    session = talk(serve(scripted, line("INBOX", b"", delimiter), line("A", b"", delimiter)))
    delimiters = session.folders()["delimiter"]
    assert delimiters.dropna().tolist() == ([shown] * 2 if shown else [])


@pytest.mark.parametrize("name", ["Büro", "共有 🍺", "R&D"])
def test_names_in_raw_utf8_are_shown_and_opened(scripted: Scripted, talk: Talk, name: str) -> None:
    server = serve(scripted, line("INBOX"), line(name.encode()))
    session = talk(server)
    assert session.folders()["name"].tolist() == ["INBOX", name]
    assert found(session, name) == [name]


# -- what is asked


COUNTS = b"MESSAGES UNSEEN UIDNEXT UIDVALIDITY"


@pytest.mark.parametrize(
    ("capabilities", "asked", "statuses"),
    [
        ("IMAP4rev1", b'"" "*"', [COUNTS]),
        ("IMAP4rev1 STATUS=SIZE", b'"" "*"', [COUNTS + b" SIZE"]),
        ("IMAP4rev1 LIST-EXTENDED", b'"" "*"', [COUNTS]),
        ("IMAP4rev1 SPECIAL-USE", b'"" "*"', [COUNTS]),
        (ROLES, b'"" "*" RETURN (SPECIAL-USE)', [COUNTS]),
        ("IMAP4rev1 LIST-STATUS LIST-EXTENDED", b'"" "*" RETURN (STATUS (%b))' % COUNTS, []),
        (
            "IMAP4rev1 LIST-STATUS LIST-EXTENDED STATUS=SIZE SPECIAL-USE",
            b'"" "*" RETURN (SPECIAL-USE STATUS (%b SIZE))' % COUNTS,
            [],
        ),
    ],
)
def test_extensions_are_used_where_they_are_announced_and_only_there(
    scripted: Scripted, talk: Talk, capabilities: str, asked: bytes, statuses: list[bytes]
) -> None:
    server = serve(
        scripted,
        line("INBOX"),
        line("X", b"\\Noselect"),
        capabilities=capabilities,
        handlers={"STATUS": b"<tag> OK done\r\n"},
    )
    session = talk(server)
    assert session.folders()["name"].tolist() == ["INBOX", "X"]
    assert server.commands("LIST") == [asked]
    assert server.commands("STATUS") == [b'"INBOX" (%b)' % one for one in statuses]
    session.search(folder="\\Inbox")
    offered = set(capabilities.split())
    bare = b'"" "*"' + (b" RETURN (SPECIAL-USE)" if set(ROLES.split()) <= offered else b"")
    assert server.commands("LIST")[1:] == [bare]
    assert len(server.commands("STATUS")) == len(statuses)


def test_counts_of_other_namespaces_come_with_their_list(scripted: Scripted, talk: Talk) -> None:
    counted = b'* STATUS "Shared/x" (MESSAGES 5 SIZE 1000)\r\n'
    folders = {b'"" "*"': [line("INBOX")], b'"" "Shared/*"': [line("Shared/x"), counted]}
    server = spaced(
        scripted,
        b'(("" "/")) NIL (("Shared/" "/"))',
        folders,
        capabilities="IMAP4rev1 NAMESPACE LIST-STATUS LIST-EXTENDED STATUS=SIZE",
    )
    counts = talk(server).folders().set_index("name")[["messages", "size"]].to_dict("index")
    assert counts["Shared/x"] == {"messages": 5, "size": 1000}
    returns = b" RETURN (STATUS (%b SIZE))" % COUNTS
    assert server.commands("LIST") == [asked + returns for asked in folders]
