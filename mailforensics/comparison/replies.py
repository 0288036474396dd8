"""Messages that only answers tell of."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from mailforensics._version import __version__
from mailforensics.comparison.frames import Mask, is_in, message_rows
from mailforensics.comparison.history import Event, History, fates_of, read_history
from mailforensics.comparison.identity import clean_ids
from mailforensics.comparison.places import deleted_folders, mailbox_keys
from mailforensics.schema import (
    Completeness,
    Confidence,
    DeletionState,
    FolderRole,
    Operation,
    RawKind,
    item_id,
)

__all__ = ["known_from_replies", "living_ids", "owners"]

_ID = re.compile(r"<([^<>\s]{3,990})>")
_OF_FIRST = ["cited", "item_id", "evidence_id", "custodian", "mailbox", "subject"]
_FREE_MAIL = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "live.com", "msn.com"),
        *("yahoo.com", "yahoo.co.jp", "icloud.com", "me.com", "aol.com", "gmx.de", "gmx.net"),
        *("web.de", "t-online.de", "mail.ru", "yandex.ru", "qq.com", "foxmail.com", "163.com"),
        *("126.com", "yeah.net", "sina.com", "sohu.com", "139.com", "189.cn", "aliyun.com"),
        *("naver.com", "daum.net", "proton.me", "protonmail.com", "zoho.com", "localhost"),
    }
)


def owners(messages: pd.DataFrame) -> pd.Series:
    """Return for each row the address of the person whose mailbox it is, missing where unclear.

    A mailbox that is named by an address is that person's; otherwise whoever wrote most of what
    lies in its folders of sent mail.
    """
    box = mailbox_keys(messages["mailbox"])
    place = messages["custodian"].fillna("") + "\0" + pd.Series(box, dtype="string[pyarrow]")
    sent = messages[is_in(messages["folder_role"], [FolderRole.SENT])]
    writers = pd.DataFrame({"place": place[sent.index], "who": sent["from_addr"].str.lower()})
    counts = writers.dropna().groupby(["place", "who"]).size().reset_index(name="count")
    counts = counts.sort_values(["count", "who"], ascending=[False, True])
    first = counts.drop_duplicates("place")
    most = dict(zip(first["place"], first["who"], strict=True))
    found = [
        name if "@" in name else most.get(where) for name, where in zip(box, place, strict=True)
    ]
    return pd.Series(found, index=messages.index, dtype="string[pyarrow]")


def known_from_replies(
    messages: pd.DataFrame,
    *,
    events: pd.DataFrame | None = None,
    evidence: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return rows for messages that nobody has, but that somebody here answered or was answered.

    A message that is cited and not there proves little: most such messages were never in this
    mailbox. A row is made only when the citing message answers it directly (In-Reply-To) and

    * was written by the owner of the mailbox, who must have had what they answer, or
    * was sent to that owner, and the Message-ID of what it answers was given out by the owner's own
      organisation: then it was written by the owner or came to them too.

    Nothing about the message is made up: no subject, no date.

    Parameters
    ----------
    messages : DataFrame
        Rows of the messages table.
    events : DataFrame, optional
        Messages that the log shows to be there are left out.
    evidence : DataFrame, optional
        Makes ``item_id`` the same in every case that holds this evidence.

    Returns
    -------
    DataFrame
        New rows of the messages table, one for each Message-ID, sorted by ``item_id``.
    """
    top = messages[messages["parent_item_id"].isna().to_numpy(dtype=bool)]
    top = top[~is_in(top["deletion_state"], [DeletionState.KNOWN_ONLY])].reset_index(drop=True)
    cited = _cited(top["in_reply_to"])
    known = set(clean_ids(messages["message_id"]).dropna().unique())
    if events is not None:
        known |= living_ids(messages, events)
    wanted = cited.notna().to_numpy(dtype=bool) & ~is_in(cited, frozenset(known))
    answers = top[wanted].assign(cited=cited[wanted], owner=owners(top)[wanted])
    answers = answers[_proves(answers)]
    order = ["sent_at", "item_id"]
    answers = answers.sort_values(order, na_position="last", kind="stable")
    different = answers.drop_duplicates(["cited", "message_id"])
    counts = different["cited"].value_counts().to_dict()
    hashes = _hashes(evidence)
    firsts = answers.drop_duplicates("cited")[_OF_FIRST].to_dict("records")
    rows = [_row(first, counts[first["cited"]], hashes) for first in firsts]
    return message_rows(sorted(rows, key=lambda row: str(row["item_id"])))


def _cited(column: pd.Series) -> pd.Series:
    """Return the Message-ID that In-Reply-To names, without brackets; old forms hold prose too."""
    found = column.str.extract(_ID.pattern, expand=False)
    bare = column.str.strip()
    plain = bare.where(bare.str.fullmatch(r"[^<>\s]{1,500}@[^<>\s]{1,490}"))
    return found.fillna(plain)


def _proves(answers: pd.DataFrame) -> Mask:
    owner = answers["owner"].fillna("")
    known = (owner != "").to_numpy(dtype=bool)
    written = (answers["from_addr"].fillna("").str.lower() == owner).to_numpy(dtype=bool)
    sent = is_in(answers["folder_role"], [FolderRole.SENT])
    received = np.array(
        [
            _is_among(who, to, cc) and _is_own(cited, who)
            for who, to, cc, cited in zip(
                owner, answers["to_addrs"], answers["cc_addrs"], answers["cited"], strict=True
            )
        ],
        dtype=bool,
    )
    proven: Mask = sent | (known & (written | received))
    return proven


def _is_among(owner: str, *lists: Any) -> bool:
    return any(owner == str(each).lower() for part in lists if part is not None for each in part)


def _is_own(message_id: str, owner: str) -> bool:
    """Say whether a Message-ID was given out by the domain of an address or a part of it."""
    domain = owner.rpartition("@")[2]
    given = message_id.rpartition("@")[2].lower()
    return domain not in _FREE_MAIL and (given == domain or given.endswith(f".{domain}"))


def _hashes(evidence: pd.DataFrame | None) -> dict[str, str]:
    if evidence is None:
        return {}
    pairs = zip(evidence["evidence_id"], evidence["sha256"], strict=True)
    return {name: digest for name, digest in pairs if not pd.isna(digest)}


def _row(first: dict[Any, Any], count: int, hashes: dict[str, str]) -> dict[str, Any]:
    """Build the row of a message of which the first answer is given."""
    message_id = f"<{first['cited']}>"
    ref = f"cited:{message_id}"
    subject = "" if pd.isna(first["subject"]) else f", subject “{first['subject']}”"
    many = f"{count} messages answer" if count > 1 else "One message answers"
    return {
        "item_id": item_id(hashes.get(first["evidence_id"], first["evidence_id"]), "", ref),
        "evidence_id": first["evidence_id"],
        "custodian": _plain(first["custodian"]),
        "mailbox": _plain(first["mailbox"]),
        "reader": "replies",
        "reader_version": __version__,
        "source_path": "",
        "source_ref": ref,
        "raw_kind": str(RawKind.NONE),
        "message_id": message_id,
        "date_source": "none",
        "deletion_state": str(DeletionState.KNOWN_ONLY),
        "deletion_basis": (
            f"{many} it and no copy holds it; the first answer is {first['item_id']}{subject}."
        ),
        "confidence": str(Confidence.POSSIBLE),
        "completeness": str(Completeness.METADATA_ONLY),
        "defects": ["reply_only"],
    }


def _plain(value: Any) -> Any:
    return None if pd.isna(value) else value


def living_ids(messages: pd.DataFrame, events: pd.DataFrame) -> set[str]:
    """Return the Message-IDs that the log shows to have arrived and not to have been removed."""
    arrived = events[
        is_in(events["operation"], [Operation.SAVE, Operation.DELIVER, Operation.COPY])
    ]
    ids = set(clean_ids(arrived["message_id"]).dropna().unique())
    history = read_history(events, deleted_folders(messages))
    return {each for each in ids if each not in history.of or _lives(history.of[each], history)}


def _lives(events: list[Event], history: History) -> bool:
    return any(fate.kept or fate.removal is None for fate in fates_of(events, history).values())
