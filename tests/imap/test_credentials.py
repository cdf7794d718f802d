"""Where a password comes from, where it is put, and what it is not shown in."""

from __future__ import annotations

import logging
import os
import pickle
import sys
import traceback
from functools import partial
from types import ModuleType
from typing import TYPE_CHECKING, NoReturn

import pytest

import mailframe as mf
from mailframe.exceptions import AuthenticationError, NotSupportedError
from mailframe.imap import netrc as netrc_file
from mailframe.imap.credentials import VARIABLE, Secret, find_password, forget, save, variable
from tests.conftest import require
from tests.rigs.scripted import in_turn

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from keyring.backend import KeyringBackend

    from tests.rigs.scripted import ScriptedServer

    Netrc = Callable[..., Path]

USER = "me@example.com"
HOST = "imap.example.com"
OWN = "MAILFRAME_PASSWORD_ME_EXAMPLE_COM"
MARK = "Zk9xQ7w"


def answer(_question: str) -> str:
    return "from-prompt"


def never(_question: str) -> NoReturn:
    pytest.fail("it was asked for without need")


def use(monkeypatch: pytest.MonkeyPatch, backend: KeyringBackend) -> None:
    monkeypatch.setattr(require("keyring.core", "keyring"), "_keyring_backend", backend)


@pytest.fixture(autouse=True)
def nothing_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Let no password of whoever runs the tests be found."""
    for name in [name for name in os.environ if name.startswith(VARIABLE)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("NETRC", str(tmp_path / "no-netrc"))
    use(monkeypatch, require("keyring.backends.null", "keyring").Keyring())


def in_memory(**overrides: Callable[..., object]) -> KeyringBackend:
    """Return a keyring that keeps what it is given, but for what is overridden."""
    kept: dict[tuple[str, str], str] = {}

    def delete(_self: object, service: str, username: str) -> None:
        del kept[service, username]

    members = {
        "priority": -1,  # no other test is to get it by accident
        "kept": kept,
        "get_password": lambda _self, service, username: kept.get((service, username)),
        "set_password": lambda _self, *key_and_value: kept.update(
            {key_and_value[:2]: key_and_value[2]}
        ),
        "delete_password": delete,
    }
    base = require("keyring.backend", "keyring").KeyringBackend
    backend: KeyringBackend = type("InMemory", (base,), members | overrides)()
    return backend


def broken(*_args: object) -> NoReturn:
    # As a back-end over D-Bus might, when nobody answers.
    raise RuntimeError(f"could not keep {MARK}")


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """Return what is in the keyring of this test: (service, user name) to password."""
    backend = in_memory()
    use(monkeypatch, backend)
    kept: dict[tuple[str, str], str] = backend.kept  # type: ignore[attr-defined] # made above
    return kept


@pytest.fixture
def netrc(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Netrc:
    """Return a function that writes the file."""

    def write(text: str | bytes, mode: int = 0o600) -> Path:
        path = tmp_path / "netrc"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        path.chmod(mode)
        monkeypatch.setenv("NETRC", str(path))
        return path

    return write


# -- the order


def test_the_places_are_asked_in_order(
    monkeypatch: pytest.MonkeyPatch, keyring: dict[tuple[str, str], str], netrc: Netrc
) -> None:
    path = netrc(f"machine {HOST} login {USER} password from-netrc")
    keyring["mailframe", USER] = "from-keyring"
    monkeypatch.setenv(VARIABLE, "for-all")
    monkeypatch.setenv(OWN, "for-this-one")
    found = [find_password(USER, "given", never, host=HOST)]
    found.append(find_password(USER, None, never, host=HOST))
    monkeypatch.delenv(OWN)
    found.append(find_password(USER, None, never, host=HOST))
    monkeypatch.delenv(VARIABLE)
    found.append(find_password(USER, None, never, host=HOST))
    keyring.clear()
    found.append(find_password(USER, None, never, host=HOST))
    path.unlink()
    found.append(find_password(USER, None, answer, host=HOST))
    assert [(one.value, one.origin, one.where) for one in found] == [
        ("given", "argument", ""),
        ("for-this-one", "environment", f"the environment variable {OWN}"),
        ("for-all", "environment", f"the environment variable {VARIABLE}"),
        ("from-keyring", "keyring", "the keyring"),
        ("from-netrc", "netrc", str(path)),
        ("from-prompt", "prompt", ""),
    ]


def test_what_was_found_before_is_not_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "from-environment")
    found = Secret("typed", "prompt")
    assert find_password(USER, found, never) is found


@pytest.mark.parametrize(
    ("username", "name"),
    [
        (USER, OWN),
        ("Müller+x@Example.com", "MAILFRAME_PASSWORD_M_LLER_X_EXAMPLE_COM"),
        ("bob2", "MAILFRAME_PASSWORD_BOB2"),
        ("a=b\0c", "MAILFRAME_PASSWORD_A_B_C"),
    ],
)
def test_each_account_has_a_variable_of_its_own(
    monkeypatch: pytest.MonkeyPatch, username: str, name: str
) -> None:
    monkeypatch.setenv(name, "its-own")
    assert variable(username) == name
    assert find_password(username).value == "its-own"


@pytest.mark.parametrize("empty", [None, ""])
def test_what_is_empty_is_no_password(
    monkeypatch: pytest.MonkeyPatch,
    keyring: dict[tuple[str, str], str],
    netrc: Netrc,
    empty: str | None,
) -> None:
    monkeypatch.setenv(VARIABLE, "")
    monkeypatch.setenv(OWN, "")
    keyring["mailframe", USER] = ""
    netrc(f"machine {HOST} login {USER}")
    assert find_password(USER, empty, answer, host=HOST).value == "from-prompt"


def test_the_question_names_the_account() -> None:
    questions: list[str] = []

    def ask(question: str) -> str:
        questions.append(question)
        return "secret"

    find_password(USER, None, ask)
    assert questions == [f"Password for {USER}: "]


@pytest.mark.parametrize("trouble", [None, "", EOFError, NotImplementedError, OSError])
def test_without_any_the_error_says_where_to_put_it(trouble: str | type[Exception] | None) -> None:
    def prompt(_question: str) -> str:
        if isinstance(trouble, str):
            return trouble
        assert trouble is not None
        raise trouble

    with pytest.raises(AuthenticationError, match=f"No password for {USER}") as caught:
        find_password(USER, None, None if trouble is None else prompt)
    assert OWN in caught.value.suggestion
    assert f"{VARIABLE}," in caught.value.suggestion
    assert f"mf.credentials.save('{USER}')" in caught.value.suggestion


def test_who_breaks_off_at_the_question_is_obeyed() -> None:
    def break_off(_question: str) -> NoReturn:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        find_password(USER, None, break_off)


# -- the keyring


def test_what_is_saved_is_found_on_any_server_until_it_is_forgotten(
    keyring: dict[tuple[str, str], str],
) -> None:
    save(USER, prompt=lambda question: f"typed at {question}")
    assert keyring == {("mailframe", USER): f"typed at Password for {USER}: "}
    assert find_password(USER, None, never).origin == "keyring"
    assert find_password(USER, None, never, host=HOST).value.startswith("typed at")
    assert forget(USER) is True
    assert forget(USER) is False
    assert keyring == {}
    assert find_password(USER, None, answer).origin == "prompt"


def test_what_is_saved_for_one_server_goes_to_no_other(
    keyring: dict[tuple[str, str], str],
) -> None:
    save("bob", "here-only", host="IMAP.Example.com")
    assert keyring == {("mailframe:imap.example.com", "bob"): "here-only"}
    found = find_password("bob", None, never, host=HOST)
    assert found.value == "here-only"
    assert "mf.credentials.save('bob', host='imap.example.com')" in found.remedy
    assert find_password("bob", None, answer, host="imap.example.org").origin == "prompt"
    assert find_password("bob", None, answer).origin == "prompt"
    assert forget("bob") is False
    assert forget("bob", host=HOST) is True


def test_what_is_saved_for_one_server_goes_before_what_is_for_all(
    keyring: dict[tuple[str, str], str],
) -> None:
    save(USER, "for-all")
    save(USER, "here-only", host=HOST)
    assert len(keyring) == 2
    assert find_password(USER, None, never, host=HOST).value == "here-only"
    assert find_password(USER, None, never, host="imap.example.org").value == "for-all"


@pytest.mark.usefixtures("keyring")
def test_a_name_that_may_be_anybodys_is_not_saved_for_every_server() -> None:
    with pytest.raises(AuthenticationError, match="host="):
        save("bob", "secret")


@pytest.mark.parametrize("unsendable", ["", f"{MARK}\n", f"{MARK}\0", f"{MARK}\udce9"])
def test_what_cannot_be_a_password_is_not_saved(
    keyring: dict[tuple[str, str], str], unsendable: str
) -> None:
    with pytest.raises(AuthenticationError) as caught:
        save(USER, prompt=lambda _question: unsendable)
    assert keyring == {}
    assert MARK not in str(caught.value)


def test_without_the_library_there_is_no_keyring_and_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)  # type: ignore[arg-type] # as if absent
    assert find_password(USER, None, answer).value == "from-prompt"
    for change in (save, forget):
        with pytest.raises(NotSupportedError, match=r"mailframe\[keyring\]") as caught:
            change(USER)
        assert OWN in caught.value.suggestion
    assert not caplog.records


def test_a_library_that_cannot_be_imported_is_as_good_as_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    module = ModuleType("keyring")
    monkeypatch.setattr(module, "__getattr__", broken, raising=False)
    monkeypatch.setitem(sys.modules, "keyring", module)
    monkeypatch.setitem(sys.modules, "keyring.errors", module)
    assert find_password(USER, None, answer).value == "from-prompt"


def test_a_machine_without_a_desktop_has_no_keyring_and_no_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use(monkeypatch, require("keyring.backends.fail", "keyring").Keyring())
    assert find_password(USER, None, answer).value == "from-prompt"
    assert not caplog.records
    with pytest.raises(NotSupportedError, match="NoKeyringError") as caught:
        save(USER, "secret")
    assert OWN in caught.value.suggestion
    with pytest.raises(NotSupportedError, match="NoKeyringError"):
        forget(USER)


def test_a_keyring_that_keeps_nothing_is_found_out() -> None:
    with pytest.raises(NotSupportedError, match="not there"):
        save(USER, "secret")


def test_a_keyring_that_fails_is_left_aside_and_named_where_nothing_else_is_found(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use(monkeypatch, in_memory(get_password=broken))
    assert find_password(USER, None, answer).value == "from-prompt"
    assert "keyring was left aside" in caplog.text
    with pytest.raises(AuthenticationError, match=r"cannot be read \(RuntimeError\)"):
        find_password(USER)
    with pytest.raises(NotSupportedError, match="did not remove"):
        forget(USER)
    assert MARK not in caplog.text


def test_a_keyring_that_fails_takes_no_password_and_shows_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    use(monkeypatch, in_memory(set_password=broken))
    caplog.set_level(logging.DEBUG)
    with pytest.raises(NotSupportedError, match="RuntimeError") as caught:
        save(USER, MARK)
    assert caught.value.__cause__ is caught.value.__context__ is None
    shown = "".join(traceback.format_exception(caught.value)) + repr(pickle.dumps(caught.value))
    assert MARK not in shown + caplog.text


# -- ~/.netrc


SEVERAL = f"""
# a comment, and password of nobody
#machine {HOST} login {USER} password commented-out
machine other.example.com # in its place
login {USER} password other-host
machine {HOST} login you@example.com password yours
machine {HOST} login {USER} password "mi ne"
machine {HOST} login bob password bobs
macdef init
  machine {HOST} login {USER} password in-macro

# the last
default login {USER} password by-default
"""


@pytest.mark.parametrize(
    ("text", "host", "found"),
    [
        (SEVERAL, HOST, "mi ne"),
        (SEVERAL, HOST.upper(), "mi ne"),
        (SEVERAL, "other.example.com", "other-host"),
        (SEVERAL, "third.example.com", "from-prompt"),
        (SEVERAL, "", "from-prompt"),
        (f"machine {HOST} password x", HOST, "x"),
        (f"machine {HOST} login you password x", HOST, "from-prompt"),
        (f"machine {HOST} login {USER} password pä§ß", HOST, "pä§ß"),
        (f"machine {HOST} login {USER} account a password #x", HOST, "#x"),
        (f"machine {HOST} user {USER} password back\\\\sl\\ ash", HOST, "back\\sl ash"),
        (f'machine {HOST} login {USER} password "say \\"hi\\""', HOST, 'say "hi"'),
        (f"\ufeffmachine {HOST} password x", HOST, "x"),
        (f"macdef x\n{HOST}", HOST, "from-prompt"),
        (f"machine {HOST} login", HOST, "from-prompt"),
        (f"machine {HOST} password", HOST, "from-prompt"),
        ("machine", HOST, "from-prompt"),
        (f"password x machine {HOST}", HOST, "from-prompt"),
        (f'machine {HOST} password "open', HOST, "open"),
        ("# nothing", HOST, "from-prompt"),
        ("", HOST, "from-prompt"),
    ],
)
def test_an_entry_counts_for_its_server_and_its_login(
    netrc: Netrc, caplog: pytest.LogCaptureFixture, text: str, host: str, found: str
) -> None:
    netrc(text)
    assert find_password(USER, None, answer, host=host).value == found
    assert not caplog.records


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o777])
def test_a_file_that_others_can_read_is_not_used(
    netrc: Netrc, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    path = netrc(f"machine {HOST} login {USER} password {MARK}", mode)
    assert find_password(USER, None, answer, host=HOST).value == "from-prompt"
    assert f"chmod 600 {path}" in caplog.text
    with pytest.raises(AuthenticationError, match="others can read it"):
        find_password(USER, host=HOST)
    path.chmod(0o400)
    assert find_password(USER, None, never, host=HOST).value == MARK


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize(("owner", "is_open"), [(0, False), (None, False), (1, True)])
def test_a_file_of_somebody_else_is_not_used(owner: int | None, is_open: bool) -> None:  # noqa: FBT001 a parameter
    whose = os.getuid() if owner is None else owner and os.getuid() + owner
    status = os.stat_result((0o100600, 0, 0, 1, whose, 0, 0, 0, 0, 0))
    assert netrc_file._is_open_to_others(status) is is_open


def test_windows_has_no_such_permissions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netrc_file.os, "name", "nt")
    status = os.stat_result((0o100666, 0, 0, 1, 0, 0, 0, 0, 0, 0))
    assert netrc_file._is_open_to_others(status) is False


@pytest.mark.parametrize(
    ("text", "words"),
    [
        # A password with a space in it that nobody quoted.
        (f"machine {HOST}\nlogin {USER}\npassword correct {MARK}\n", "line 3 cannot"),
        (f"{MARK}\n", "line 1 cannot"),
        (f'machine {HOST} password "{MARK}" "{MARK}"', "line 1 cannot"),
        (f"machine {HOST} password {MARK}".encode() + b"\xff\xfe", "UnicodeDecodeError"),
    ],
)
def test_a_file_that_cannot_be_read_is_left_aside_without_showing_its_words(
    netrc: Netrc, caplog: pytest.LogCaptureFixture, text: str | bytes, words: str
) -> None:
    path = netrc(text)
    caplog.set_level(logging.DEBUG)
    assert find_password(USER, None, answer, host=HOST).value == "from-prompt"
    assert f"{path} was left aside" in caplog.text
    assert words in caplog.text
    assert MARK not in caplog.text


@pytest.mark.parametrize("place", [os.devnull, ".", "netrc/below-a-file", "no-file", "no\0name"])
def test_what_is_no_file_is_left_aside(
    monkeypatch: pytest.MonkeyPatch, netrc: Netrc, place: str
) -> None:
    folder = netrc("").parent
    monkeypatch.setattr(netrc_file, "where", lambda: folder / place)
    assert find_password(USER, None, answer, host=HOST).value == "from-prompt"


def test_the_file_is_in_the_home_folder_unless_it_is_named(
    monkeypatch: pytest.MonkeyPatch, netrc: Netrc
) -> None:
    path = netrc(f"machine {HOST} password x")
    monkeypatch.delenv("NETRC")
    monkeypatch.setenv("HOME", str(path.parent))
    monkeypatch.setenv("USERPROFILE", str(path.parent))
    assert find_password(USER, None, answer, host=HOST).value == "from-prompt"
    home = path.rename(path.with_name(".netrc"))
    assert find_password(USER, None, never, host=HOST).where == str(home)


# -- in a session


def test_a_session_takes_the_password_from_where_it_is_and_says_so_where_it_is_refused(
    keyring: dict[tuple[str, str], str], netrc: Netrc, scripted: Callable[..., ScriptedServer]
) -> None:
    refused = b"<tag> NO [AUTHENTICATIONFAILED] Wrong\r\n"
    server = scripted({"LOGIN": in_turn(refused, refused, b"<tag> OK in\r\n")})
    connect = partial(mf.connect, server.host, USER, port=server.port, security="none")
    path = netrc(f"machine {server.host} password {MARK}")
    with pytest.raises(AuthenticationError, match=f"password from {path}") as caught:
        connect()
    assert f"{path}: correct it there" in caught.value.suggestion
    keyring["mailframe", USER] = MARK
    with pytest.raises(AuthenticationError, match="password from the keyring") as caught:
        connect()
    assert f"mf.credentials.save('{USER}')" in caught.value.suggestion
    assert MARK not in str(caught.value)
    connect().close()
    assert server.commands("LOGIN") == [f'"{USER}" "{MARK}"'.encode()] * 3


# -- what it is not shown in


def test_no_password_is_shown_with_what_holds_it(
    keyring: dict[tuple[str, str], str], netrc: Netrc, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [Secret(MARK), find_password(USER, None, lambda _question: MARK)]
    netrc(f"machine {HOST} password {MARK}")
    found.append(find_password(USER, host=HOST))
    keyring["mailframe", USER] = MARK
    found.append(find_password(USER, host=HOST))
    monkeypatch.setenv(VARIABLE, MARK)
    found.append(find_password(USER))
    assert [one.origin for one in found] == [
        "argument",
        "prompt",
        "netrc",
        "keyring",
        "environment",
    ]
    for one in found:
        assert one.value == MARK
        assert MARK not in f"{one} {one!r} {one.where} {one.remedy}"


def test_what_is_done_with_the_keyring_is_logged_without_the_password(
    keyring: dict[tuple[str, str], str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    save(USER, MARK)
    assert keyring
    find_password(USER, None, never)
    forget(USER)
    assert [record.levelname for record in caplog.records] == ["INFO", "INFO"]
    assert USER in caplog.text
    assert MARK not in caplog.text
