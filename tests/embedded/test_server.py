"""What the server does for each command, and how it says so: RFCs' statements, on the wire."""

from __future__ import annotations

from base64 import b64encode
from typing import TYPE_CHECKING

import pytest

from tests.embedded.conftest import MIXED, OLD, PLAIN
from tests.embedded.wire import Client, opened, signed_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.embedded import Server


# -- in any state (RFC 3501 section 6.1)


def test_the_greeting_has_the_capabilities(server: Server) -> None:
    with Client(server) as client:
        greeting = client.reply()
        assert greeting.startswith(b"* OK [CAPABILITY IMAP4rev1 ")
        assert client.run("CAPABILITY").untagged[0].split() == greeting[6:].split(b"]")[0].split()


def test_more_is_offered_once_signed_in(server: Server) -> None:
    with Client(server) as client:
        before = client.reply()
        after = client.run("LOGIN ann secret").text
        assert b"AUTH=PLAIN" in before
        assert b"AUTH=PLAIN" not in after
        assert b"CONDSTORE" in after
        assert b"CONDSTORE" not in before


def test_logout_says_bye_and_ends(client: Client, other: Client) -> None:
    other.run("STORE 1 FLAGS (x)")
    answer = client.run("LOGOUT")
    assert (answer.status, len(answer.untagged)) == ("OK", 1)
    assert answer.untagged[0].startswith(b"BYE")
    assert client.reply() == b""


def test_id_names_the_server(client: Client) -> None:
    for given in ("NIL", "()", '("name" "x" "version" NIL)', '("name" {3+}\r\na b)'):
        assert client.run(f"ID {given}").untagged[0].startswith(b'ID ("name" "mailframe"')


def test_commands_are_not_case_sensitive(client: Client) -> None:
    assert client.run("uid fetch 1 (uid flags)").untagged == [b"1 FETCH (UID 1 FLAGS ())"]
    assert client.run("search unSeen").untagged == [b"SEARCH 1 3"]


# -- signing in (section 6.2)


def _b64(octets: bytes) -> bytes:
    return b64encode(octets)


PACKED = {
    "PLAIN": b"\0ann\0secret",
    "XOAUTH2": b"user=ann\x01auth=Bearer t0ken\x01\x01",
    "OAUTHBEARER": b"n,a=ann,\x01host=localhost\x01port=143\x01auth=Bearer t0ken\x01\x01",
}


@pytest.mark.parametrize("mechanism", PACKED)
def test_a_response_is_in_the_same_line_or_in_the_next(server: Server, mechanism: str) -> None:
    response = _b64(PACKED[mechanism])
    with Client(server) as client:
        client.reply()
        assert client.run(b"AUTHENTICATE %b %b" % (mechanism.encode(), response)).status == "OK"
    with Client(server) as client:
        client.reply()
        client.send(b"x AUTHENTICATE %b\r\n" % mechanism.encode())
        assert client.reply() == b"+ \r\n"
        client.send(response + b"\r\n")
        assert client.reply().startswith(b"x OK [CAPABILITY ")


def test_the_mechanism_login_asks_twice(server: Server) -> None:
    with Client(server) as client:
        client.reply()
        client.send(b"x AUTHENTICATE LOGIN\r\n")
        assert client.reply() == b"+ %b\r\n" % _b64(b"Username:")
        client.send(_b64(b"ann") + b"\r\n")
        assert client.reply() == b"+ %b\r\n" % _b64(b"Password:")
        client.send(_b64(b"secret") + b"\r\n")
        assert client.reply().startswith(b"x OK ")


@pytest.mark.parametrize("mechanism", ["XOAUTH2", "OAUTHBEARER"])
def test_what_is_wrong_with_a_token_is_told_before_the_no(server: Server, mechanism: str) -> None:
    response = _b64(PACKED[mechanism].replace(b"t0ken", b"wrong"))
    with Client(server) as client:
        client.reply()
        client.send(b"x AUTHENTICATE %b %b\r\n" % (mechanism.encode(), response))
        assert client.reply() == b"+ %b\r\n" % _b64(
            b'{"status":"invalid_token","schemes":"bearer","scope":"mail"}'
        )
        client.send(b"AQ==\r\n")
        assert client.reply().startswith(b"x NO [AUTHENTICATIONFAILED]")
        assert client.run("LOGIN ann secret").status == "OK"


def test_a_token_is_no_password(server: Server) -> None:
    with Client(server) as client:
        client.reply()
        assert client.run("LOGIN ann t0ken").text.startswith(b"[AUTHENTICATIONFAILED]")
        assert client.run("LOGIN nobody secret").text.startswith(b"[AUTHENTICATIONFAILED]")
        plain = _b64(b"ben\0ann\0secret")
        assert client.run(b"AUTHENTICATE PLAIN " + plain).status == "BAD", "nobody acts for others"


def test_each_user_has_mail_of_his_own(server: Server) -> None:
    with opened(server, user="ben") as ben:
        assert ben.run("SELECT INBOX").lines(b"EXISTS") == [b"0 EXISTS"]
        assert ben.run('LIST "" *').untagged == [b'LIST (\\HasNoChildren) "/" "INBOX"']


# -- mailboxes (section 6.3)


def test_inbox_is_not_case_sensitive_and_others_are(client: Client) -> None:
    assert client.run("SELECT inBox").status == "OK"
    assert client.run("STATUS Inbox (MESSAGES)").untagged == [b'STATUS "INBOX" (MESSAGES 3)']
    assert client.run('LIST "" inb%').untagged == [b'LIST (\\HasNoChildren) "/" "INBOX"']
    assert client.run("STATUS archive (MESSAGES)").text.startswith(b"[NONEXISTENT]")
    assert client.run("CREATE inbox").text.startswith(b"[ALREADYEXISTS]")
    assert client.run("DELETE inbox").status == "NO"
    assert client.run("FETCH 1 UID").status == "OK", "it is still selected"


def test_select_tells_all_that_a_client_needs(server: Server) -> None:
    with signed_in(server) as client:
        answer = client.run("SELECT INBOX")
        assert answer.text.startswith(b"[READ-WRITE]")
        first_words = [line.split(b"] ")[0] for line in answer.untagged]
        assert first_words == [
            b"FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work)",
            b"OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft work \\*)",
            b"3 EXISTS",
            b"0 RECENT",
            b"OK [UNSEEN 1",
            b"OK [UIDVALIDITY 1000",
            b"OK [UIDNEXT 4",
            b"OK [HIGHESTMODSEQ 4",
        ]


def test_a_mailbox_that_is_not_there_leaves_none_selected(client: Client) -> None:
    assert client.run("SELECT nowhere").status == "NO"
    assert client.run("FETCH 1 FLAGS").status == "BAD"


def test_examine_changes_nothing(client: Client, other: Client) -> None:
    other.run("APPEND INBOX {3+}\r\nnew")
    answer = client.run("EXAMINE INBOX")
    assert answer.text.startswith(b"[READ-ONLY]")
    assert b"OK [PERMANENTFLAGS ()]" in answer.lines(b"PERMANENT")[0]
    for command in ("STORE 1 +FLAGS (x)", "EXPUNGE", "UID EXPUNGE 1", "MOVE 1 Sent"):
        assert client.run(command).status == "NO"
    assert client.run("FETCH 1 BODY[TEXT]").untagged == [b"1 FETCH (BODY[TEXT] {7}\r\nHello\r\n)"]
    assert client.run("FETCH 1 FLAGS").untagged == [b"1 FETCH (FLAGS ())"]
    assert client.run("COPY 1 Sent").status == "OK", "which changes another mailbox"
    assert client.run("CLOSE").status == "OK"


def test_a_message_is_recent_for_the_first_alone(server: Server, client: Client) -> None:
    client.run("UNSELECT")
    client.run("APPEND INBOX {3+}\r\nnew")
    assert client.run("STATUS INBOX (RECENT)").untagged == [b'STATUS "INBOX" (RECENT 1)']
    assert client.run("EXAMINE INBOX").lines(b"RECENT") == [b"1 RECENT"]
    assert client.run("FETCH 4 FLAGS").untagged == [b"4 FETCH (FLAGS (\\Recent))"]
    with opened(server) as first, opened(server) as second:
        assert first.run("SEARCH RECENT").untagged == [b"SEARCH 4"]
        assert second.run("SEARCH RECENT").untagged == [b"SEARCH"]
        assert first.run("SEARCH NEW").untagged == [b"SEARCH 4"]
        assert first.run("STORE 4 FLAGS (\\Recent)").untagged == [b"4 FETCH (FLAGS (\\Recent))"]


def test_close_expunges_and_unselect_does_not(client: Client, other: Client) -> None:
    client.run("STORE 1 +FLAGS (\\Deleted)")
    assert client.run("UNSELECT").status == "OK"
    assert client.run("STATUS INBOX (MESSAGES)").untagged == [b'STATUS "INBOX" (MESSAGES 3)']
    client.run("SELECT INBOX")
    assert client.run("CLOSE").untagged == [], "of which nothing is said"
    assert client.run("STATUS INBOX (MESSAGES)").untagged == [b'STATUS "INBOX" (MESSAGES 2)']
    assert client.run("CLOSE").status == client.run("UNSELECT").status == "BAD"
    assert other.run("NOOP").untagged == [
        b"1 EXPUNGE",
    ]


def test_names_are_modified_utf_7(client: Client) -> None:
    assert client.run('LIST "" Entw*').untagged == [
        b'LIST (\\Drafts \\HasNoChildren) "/" "Entw&APw-rfe"'
    ]
    assert client.run('STATUS "Entw&APw-rfe" (MESSAGES)').status == "OK"
    assert client.run("STATUS {9+}\r\nEntwürfe (MESSAGES)").status == "OK", "as some send it"
    assert client.run('CREATE "a&-b"').status == "OK"
    assert client.run('LIST "" a*').lines(b"a&-b")


def test_list_finds_by_level(client: Client) -> None:
    def names(command: str) -> list[bytes]:
        return [line.split(b'"/" ')[1].strip(b'"') for line in client.run(command).untagged]

    every = [b"INBOX", b"Archive", b"Archive/2026", b"Entw&APw-rfe", b"Sent"]
    assert names('LIST "" *') == every
    assert names('LIST "" %') == [name for name in every if b"/" not in name]
    assert names("LIST Archive/ *") == names("LIST Arch %/%") == [b"Archive/2026"]
    assert names('LIST "" ""') == [b""], "the delimiter alone is asked for"
    assert names('LIST "" (Sent Archive)') == [b"Archive", b"Sent"]
    client.run("CREATE deep/er/still")
    assert client.run('LIST "" deep').untagged == [b'LIST (\\Noselect \\HasChildren) "/" "deep"']
    client.run("DELETE deep/er/still")
    assert names('LIST "" deep*') == []


def test_list_tells_special_use_subscriptions_and_status(client: Client) -> None:
    assert client.run('LIST (SPECIAL-USE) "" *').untagged == [
        b'LIST (\\Archive \\HasChildren) "/" "Archive"',
        b'LIST (\\Drafts \\HasNoChildren) "/" "Entw&APw-rfe"',
        b'LIST (\\Sent \\HasNoChildren) "/" "Sent"',
    ]
    assert client.run('LIST (SUBSCRIBED) "" *').untagged == [
        b'LIST (\\HasNoChildren \\Subscribed) "/" "INBOX"',
        b'LIST (\\HasNoChildren \\Subscribed) "/" "Archive/2026"',
    ]
    assert client.run('LIST (SUBSCRIBED RECURSIVEMATCH) "" %').untagged == [
        b'LIST (\\HasNoChildren \\Subscribed) "/" "INBOX"',
        b'LIST (\\Archive \\HasChildren) "/" "Archive" ("CHILDINFO" ("SUBSCRIBED"))',
    ]
    assert client.run('LIST "" INBOX RETURN (SUBSCRIBED STATUS (MESSAGES UNSEEN))').untagged == [
        b'LIST (\\HasNoChildren \\Subscribed) "/" "INBOX"',
        b'STATUS "INBOX" (MESSAGES 3 UNSEEN 2)',
    ]


def test_lsub_lists_subscriptions(client: Client) -> None:
    assert client.run('LSUB "" *').untagged == [
        b'LSUB () "/" "Archive/2026"',
        b'LSUB () "/" "INBOX"',
    ]
    assert client.run('LSUB "" %').untagged == [
        b'LSUB () "/" "INBOX"',
        b'LSUB (\\Noselect) "/" "Archive"',
    ]
    assert client.run("SUBSCRIBE Sent").status == "OK"
    assert client.run("UNSUBSCRIBE inbox").status == "OK"
    assert client.run("SUBSCRIBE nowhere").status == "NO"
    assert len(client.run('LSUB "" *').untagged) == 2


def test_status_counts(client: Client) -> None:
    client.run("STORE 1 +FLAGS (\\Deleted)")
    items = "MESSAGES RECENT UIDNEXT UIDVALIDITY UNSEEN SIZE HIGHESTMODSEQ DELETED"
    size = len(PLAIN + MIXED + OLD)
    assert client.run(f"STATUS INBOX ({items})").lines(b"STATUS") == [
        b'STATUS "INBOX" (MESSAGES 3 RECENT 0 UIDNEXT 4 UIDVALIDITY 1000 UNSEEN 2 SIZE %d '
        b"HIGHESTMODSEQ 5 DELETED 1)" % size
    ]
    assert client.run("STATUS nowhere (MESSAGES)").text.startswith(b"[NONEXISTENT]")


def test_rename_takes_what_is_below_with_it(client: Client) -> None:
    client.run("APPEND Archive/2026 {3+}\r\nabc")
    assert client.run("RENAME Archive Old").status == "OK"
    assert client.run("STATUS Old/2026 (MESSAGES UIDVALIDITY)").untagged == [
        b'STATUS "Old/2026" (MESSAGES 1 UIDVALIDITY 1002)'
    ]
    assert client.run("RENAME Old Sent").text.startswith(b"[ALREADYEXISTS]")
    assert client.run("RENAME Old Old/x").status == "NO"
    assert client.run("RENAME Archive x").text.startswith(b"[NONEXISTENT]")


def test_renaming_inbox_moves_its_messages(client: Client, other: Client) -> None:
    assert client.run("RENAME INBOX Old").untagged == [b"3 EXPUNGE", b"2 EXPUNGE", b"1 EXPUNGE"]
    assert client.run("SELECT Old").lines(b"EXISTS") == [b"3 EXISTS"]
    assert other.run("NOOP").lines(b"EXPUNGE") == [b"3 EXPUNGE", b"2 EXPUNGE", b"1 EXPUNGE"]


def test_a_mailbox_made_again_has_another_uidvalidity(client: Client) -> None:
    before = client.run("STATUS Sent (UIDVALIDITY)").untagged
    client.run("DELETE Sent")
    assert client.run("SELECT Sent").status == "NO"
    client.run("CREATE Sent")
    assert client.run("STATUS Sent (UIDVALIDITY)").untagged > before


def test_one_s_own_mailbox_may_be_deleted_and_another_s_not_under_him(
    ann: Callable[..., Client],
) -> None:
    client, other = ann("Sent"), ann("Sent")
    assert client.run("DELETE Sent").status == "OK"
    assert client.run("FETCH 1 FLAGS").status == "BAD", "nothing is selected"
    other.send(b"x NOOP\r\n")
    assert other.reply().startswith(b"* BYE"), "there are no words for it but these"
    assert other.reply() == b""
