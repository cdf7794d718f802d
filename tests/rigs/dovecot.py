"""A private Dovecot on free ports of 127.0.0.1, its Maildirs written and read as files.

::

    with Dovecot() as dovecot:
        user = dovecot.new_user()
        dovecot.deliver(user, [b"Subject: Hello\\r\\n\\r\\nYou\\r\\n"])
        client = imaplib.IMAP4_SSL(
            dovecot.host, dovecot.tls_port, ssl_context=dovecot.ssl_context
        )
        client.login(user, dovecot.password)
"""

from __future__ import annotations

import base64
import grp
import itertools
import os
import pwd
import re
import shutil
import socket
import string
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

from tests.rigs.certificates import Certificates

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

Delivery = bytes | tuple[bytes, "Collection[str]", "datetime | None"]

# The letters of Maildir's info field, as Dovecot writes them.
LETTERS = {"D": "\\Draft", "F": "\\Flagged", "R": "\\Answered", "S": "\\Seen", "T": "\\Deleted"}
# The server is asked what a token is worth; asked at /userinfo, a bad one is a "temporary failure".
OAUTH = """\
tokeninfo_url = {url}/tokeninfo?access_token=
username_attribute = email
openid_configuration_url = {url}/.well-known/openid-configuration
"""
OAUTH_PASSDB = """\
auth_mechanisms = plain login xoauth2 oauthbearer
passdb {{
  driver = oauth2
  mechanisms = xoauth2 oauthbearer
  args = {path}
}}
"""
SPECIAL_USE = ("Sent", "Drafts", "Trash", "Junk", "Archive")
START_SECONDS = 10

CONFIG = """\
base_dir = {root}/run
state_dir = {root}/run
log_path = {root}/dovecot.log
protocols = imap
listen = 127.0.0.1
login_greeting = {greeting}
default_internal_user = {internal_user}
default_internal_group = {internal_group}
default_login_user = {internal_user}
first_valid_uid = 0
disable_plaintext_auth = no
auth_failure_delay = 0
mail_fsync = never
ssl_cert = <{certificate.path}
ssl_key = <{certificate.key}
passdb {{
  driver = static
  args = password={password}
  {for_passwords}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/mail/%u
}}
mail_location = {mail_location}
mailbox_list_index = yes
mail_plugins = zlib
protocol imap {{
  mail_plugins = zlib imap_zlib
  mail_max_userip_connections = {max_connections}
  {capability}
}}
namespace inbox {{
  inbox = yes
  separator = /
  {mailboxes}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = {tls_port}
    ssl = yes
  }}
}}
# Without this, failed logins are answered up to 15 seconds late.
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
{extra}
"""


def dovecot_binary() -> str | None:
    """Return where Dovecot is installed; ``sbin`` is not in every user's path."""
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


class Dovecot:
    r"""A Dovecot that lives as long as the ``with`` block.

    Parameters
    ----------
    capability
        What is announced, in place of everything it can: ``"IMAP4rev1 UIDPLUS"``.
    extra
        Configuration text, put at the end, where it overrides what is above.
    max_connections
        For one user from one address; one more gets ``[LIMIT]`` at login.
    oauth_server
        The address of an `OAuthRig` whose tokens are accepted, by XOAUTH2 and OAUTHBEARER.
    storage
        ``"maildir"``, or ``"mdbox"``, which is filled by `deliver` and then `import_mdbox`.

    Attributes
    ----------
    port
        Plain text and STARTTLS.
    tls_port
        TLS from the first byte.
    password
        Of every user; any name is a user.
    ssl_context
        A client's context that trusts this server.
    """

    host = "127.0.0.1"
    password = "correct-horse-battery-staple"

    def __init__(
        self,
        *,
        capability: str = "",
        extra: str = "",
        max_connections: int = 50,
        oauth_server: str = "",
        storage: str = "maildir",
    ) -> None:
        self._capability = f"imap_capability = {capability}" if capability else ""
        self._extra = extra
        self._max_connections = max_connections
        self._oauth_server = oauth_server
        self._mail_location = {"maildir": "maildir:~/Maildir", "mdbox": "mdbox:~/mdbox"}[storage]
        self._numbers = itertools.count(1)
        self._users = itertools.count(1)
        # As root, mail belongs to nobody: Dovecot refuses to serve the mail of uid 0.
        self._is_root = os.getuid() == 0
        self._owner = pwd.getpwnam("nobody") if self._is_root else pwd.getpwuid(os.getuid())

    def __enter__(self) -> Self:
        self._root = Path(tempfile.mkdtemp(prefix="mailframe-dovecot-"))
        try:
            # mkdtemp's 0700 would lock out the users that root's Dovecot runs as.
            self._root.chmod(0o755)
            (self._root / "mail").mkdir()
            self._give_to_owner(self._root / "mail")
            self._certificate = Certificates(self._root).good
            self.ssl_context = self._certificate.client_context()
            self._start()
        except BaseException:
            shutil.rmtree(self._root, ignore_errors=True)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        shutil.rmtree(self._root, ignore_errors=True)

    def new_user(self) -> str:
        """Return a user name that nobody has used before, with an empty mailbox."""
        return f"user{next(self._users)}"

    def deliver(
        self,
        user: str,
        messages: Iterable[Delivery],
        folder: str = "INBOX",
        *,
        recent: bool = False,
    ) -> list[str]:
        r"""Put messages into a folder, bytes as given, UIDs ascending in this order.

        A message is its bytes, or ``(bytes, flags, internal date)`` with flags spelled as in IMAP
        (``"\\Seen"``, ``"$Junk"``). With ``recent`` they go into ``new/``, where a SELECT, but no
        EXAMINE, takes them from. Returns the file names without the flags, as `flags` has them.
        """
        maildir = self._make_maildir(user, folder)
        keywords = _Keywords(maildir / "dovecot-keywords")
        names = []
        for message in messages:
            content, flags, internal_date = (
                (message, (), None) if isinstance(message, bytes) else message
            )
            number = next(self._numbers)
            # Dovecot numbers new files by these seconds, then by the microseconds behind the M.
            name = f"{1_600_000_000 + number // 10**6}.M{number % 10**6:06}.localhost"
            letters = "".join(sorted(map(keywords.letter, flags)))
            target = maildir / "new" / name if recent else maildir / "cur" / f"{name}:2,{letters}"
            descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                self._give_to_owner(descriptor)
            if internal_date is not None:
                seconds = internal_date.timestamp()
                os.utime(target, (seconds, seconds))
            names.append(name)
        if keywords.save():
            self._give_to_owner(keywords.path)
        return names

    def maildir(self, user: str, folder: str = "INBOX") -> Path:
        """Return where a folder's ``cur`` and ``new`` are; sub-folders are those of Maildir++."""
        root = self._root / "mail" / user / "Maildir"
        if folder.upper() == "INBOX":
            return root
        return root / ("." + modified_utf7(folder).replace("/", "."))

    def flags(self, user: str, folder: str = "INBOX") -> dict[str, frozenset[str]]:
        r"""Read every message's flags from the file names, ``\Recent`` for those in ``new/``."""
        maildir = self.maildir(user, folder)
        keywords = _Keywords(maildir / "dovecot-keywords")
        found = {path.name: frozenset({"\\Recent"}) for path in (maildir / "new").iterdir()}
        for path in (maildir / "cur").iterdir():
            name, _, letters = path.name.partition(":2,")
            found[name] = frozenset(map(keywords.flag, letters))
        return found

    def uids(self, user: str, folder: str = "INBOX") -> dict[int, str]:
        """Read which file has which UID; Dovecot gives UIDs when the folder is first opened."""
        lines = (self.maildir(user, folder) / "dovecot-uidlist").read_text().splitlines()[1:]
        pairs = (line.split(" ", 1) for line in lines)
        return {int(uid): rest.rpartition(":")[2].partition(":")[0] for uid, rest in pairs}

    def expunge(self, user: str, message: int | str, folder: str = "INBOX") -> None:
        """Remove a message, by UID or file name, behind the back of whoever has it open."""
        name = self.uids(user, folder)[message] if isinstance(message, int) else message
        maildir = self.maildir(user, folder)
        [path] = [*maildir.glob(f"cur/{name}:2,*"), *maildir.glob(f"new/{name}")]
        path.unlink()

    def import_mdbox(self, user: str) -> None:
        """Copy what was delivered into the mdbox that is served (``storage="mdbox"``)."""
        source = f"maildir:{self.maildir(user)}"
        subprocess.run(
            ["doveadm", "-c", self._config, "import", "-u", user, source, "", "ALL"], check=True
        )

    def log(self) -> str:
        """Return Dovecot's log so far."""
        path = self._root / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _start(self) -> None:
        binary = dovecot_binary()
        if binary is None:
            msg = "Dovecot is not installed: apt-get install dovecot-imapd"
            raise FileNotFoundError(msg)
        for _ in range(5):
            self.port, self.tls_port = _free_ports(2)
            self._config = self._write_config()
            self._process = subprocess.Popen(
                [binary, "-F", "-c", self._config],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            if self._is_up():
                return
            self._stop()
            if "Address already in use" not in self.log():
                break
        msg = f"Dovecot did not start:\n{self.log()}"
        raise RuntimeError(msg)

    def _write_config(self) -> Path:
        internal_user = "dovecot" if self._is_root else self._owner.pw_name
        internal_group = grp.getgrgid(pwd.getpwnam(internal_user).pw_gid).gr_name
        for_passwords, oauth = "", ""
        if self._oauth_server:
            settings = self._root / "oauth2.conf.ext"
            settings.write_text(OAUTH.format(url=self._oauth_server))
            for_passwords, oauth = "mechanisms = plain login", OAUTH_PASSDB.format(path=settings)
        path = self._root / "dovecot.conf"
        path.write_text(
            CONFIG.format(
                root=self._root,
                greeting=self._root.name,
                internal_user=internal_user,
                internal_group=internal_group,
                certificate=self._certificate,
                password=self.password,
                for_passwords=for_passwords,
                uid=self._owner.pw_uid,
                gid=self._owner.pw_gid,
                mail_location=self._mail_location,
                max_connections=self._max_connections,
                capability=self._capability,
                mailboxes="\n  ".join(map(_special_use, SPECIAL_USE)),
                port=self.port,
                tls_port=self.tls_port,
                extra=oauth + self._extra,
            )
        )
        return path

    def _is_up(self) -> bool:
        deadline = time.monotonic() + START_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                with socket.create_connection((self.host, self.port), timeout=1) as connection:
                    # The greeting has our folder's name: another server may have taken the port.
                    return self._root.name.encode() in connection.recv(1000)
            except OSError:
                time.sleep(0.01)
        return False

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _make_maildir(self, user: str, folder: str) -> Path:
        maildir = self.maildir(user, folder)
        if not (maildir / "cur").is_dir():
            root = self.maildir(user)
            for path in (root.parent, root, maildir, *(maildir / d for d in ("cur", "new", "tmp"))):
                if not path.is_dir():
                    path.mkdir(mode=0o700)
                    self._give_to_owner(path)
            if maildir != root:
                (maildir / "maildirfolder").touch()
                self._give_to_owner(maildir / "maildirfolder")
        return maildir

    def _give_to_owner(self, path: Path | int) -> None:
        if self._is_root:
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)


def modified_utf7(name: str) -> str:
    """Encode a folder's name as RFC 3501 section 5.1.3 wants; not the client's code."""

    def encode(run: re.Match[str]) -> str:
        if run[0] == "&":
            return "&-"
        encoded = base64.b64encode(run[0].encode("utf-16-be")).decode()
        return "&" + encoded.rstrip("=").replace("/", ",") + "-"

    return re.sub(r"&|[^ -~]+", encode, name)


class _Keywords:
    """The file that says which of the letters a to z is which keyword in a Maildir."""

    def __init__(self, path: Path) -> None:
        self.path = path
        lines = path.read_text().splitlines() if path.exists() else []
        self._saved = [line.partition(" ")[2] for line in lines]
        self._names = list(self._saved)

    def letter(self, flag: str) -> str:
        if flag.startswith("\\"):
            return next(letter for letter, name in LETTERS.items() if name == flag)
        if flag not in self._names:
            self._names.append(flag)
        return string.ascii_lowercase[self._names.index(flag)]

    def flag(self, letter: str) -> str:
        if letter.isupper():
            return LETTERS[letter]
        return self._names[string.ascii_lowercase.index(letter)]

    def save(self) -> bool:
        if self._names == self._saved:
            return False
        lines = (f"{number} {name}\n" for number, name in enumerate(self._names))
        self.path.write_text("".join(lines))
        return True


def _special_use(name: str) -> str:
    return f"mailbox {name} {{\n    auto = subscribe\n    special_use = \\{name}\n  }}"


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
