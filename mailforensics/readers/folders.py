"""Folder names: what a folder is for, in whatever language it is named.

``垃圾箱`` is spam here, not trash: so QQ Mail, by far its largest user, names its spam folder
(its trash is ``已删除``), and to call spam deleted would be worse than the reverse. ``垃圾桶`` is
trash (Gmail in traditional Chinese), ``废件箱`` too (Foxmail).
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache
from types import MappingProxyType

from mailforensics.schema import Confidence, DeletionState, FolderRole, MessageRecord

__all__ = ["FOLDER_NAMES", "decode_imap_utf7", "path_parts", "place", "role_of"]

FOLDER_NAMES = MappingProxyType(
    {
        FolderRole.INBOX: (
            "Inbox|Posteingang|Boîte de réception|Courrier entrant|Bandeja de entrada|Entrada|"
            "Posta in arrivo|In arrivo|Caixa de entrada|A receber|Входящие|Postvak IN|"
            "Skrzynka odbiorcza|Odebrane|收件箱|收件匣|收件夹|收信箱|受信トレイ|受信箱|"
            "받은 편지함|받은편지함|받은메일함"
        ),
        FolderRole.SENT: (
            "Sent|Sent Items|Sent Mail|Sent Messages|Sent-Mail|sent_mail|[Gmail]/Sent Mail|"
            "Gesendet|Gesendete Elemente|Gesendete Objekte|Gesendete Nachrichten|"
            "Éléments envoyés|Messages envoyés|Envoyés|Elementos enviados|Enviados|"
            "Mensajes enviados|Correo enviado|Posta inviata|Inviati|Messaggi inviati|Inviata|"
            "Itens enviados|Mensagens enviadas|E-mails enviados|E-mail enviado|"
            "Отправленные|Отправленные письма|Verzonden items|Verzonden|Verzonden berichten|"
            "Elementy wysłane|Wysłane|Wysłane wiadomości|已发送|已發送|已发送邮件|已发邮件|"
            "已发送项目|已发送消息|已发送邮件箱|已发送信息|发件箱(已发送)|寄件備份|寄件備份匣|已傳送|"
            "已傳送的郵件|已寄出|已寄出郵件|已傳送郵件|送信済みアイテム|送信済みメール|送信済み|"
            "送信済みトレイ|送信済みメッセージ|보낸 편지함|보낸편지함|보낸 메일함|보낸메일함|"
            "보낸 항목|보낸 메시지"
        ),
        FolderRole.DRAFTS: (
            "Drafts|Draft|Entwürfe|Brouillons|Borradores|Borrador|Bozze|Rascunhos|Черновики|"
            "Concepten|Kopie robocze|Wersje robocze|Szkice|草稿|草稿箱|草稿匣|草稿夹|下書き|"
            "임시 보관함|임시보관함|임시 편지함|초안"
        ),
        FolderRole.DELETED: (
            "Trash|Deleted Items|Deleted Messages|Deleted|Bin|Recycle Bin|Wastebasket|Deleted Mail|"
            "Trash Can|Papierkorb|Gelöschte Elemente|Gelöschte Objekte|Gelöschte Nachrichten|"
            "Gelöscht|Corbeille|Éléments supprimés|Messages supprimés|Supprimés|Poubelle|"
            "Papelera|Elementos eliminados|Eliminados|Papelera de reciclaje|"
            "Mensajes eliminados|Correo eliminado|Cestino|Posta eliminata|Elementi eliminati|"
            "Eliminati|Messaggi eliminati|Lixeira|Lixo|Itens excluídos|Itens eliminados|"
            "Mensagens excluídas|Excluídos|Reciclagem|Корзина|Удаленные|Удалённые|"
            "Удаленные письма|Удалённые письма|Prullenbak|Prullenmand|Verwijderde items|"
            "Verwijderd|Verwijderde berichten|Kosz|Elementy usunięte|Usunięte|"
            "已删除|已删除邮件|已删除的邮件|已删除项目|已删除消息|已删除信息|废件箱|廢件箱|废纸篓|"
            "廢紙簍|回收站|垃圾桶|資源回收筒|回收筒|已刪除|已刪除郵件|已刪除的郵件|刪除的郵件|"
            "刪除的項目|已刪除的項目|已刪除項目|删除的邮件|刪除郵件匣|"
            "削除済みアイテム|削除済み|削除済みメール|ごみ箱|ゴミ箱|"
            "지운 편지함|지운편지함|삭제된 항목|휴지통|지운 메일함|삭제한 편지함"
        ),
        FolderRole.JUNK: (
            "Junk|Junk E-mail|Junk Email|Junk Mail|Spam|Bulk Mail|Bulk|Junk-E-Mail|Spamverdacht|"
            "Unerwünschte Werbung|Unbekannt (Spam)|Courrier indésirable|Indésirables|Pourriel|"
            "Correo no deseado|Correo basura|No deseado|Posta indesiderata|Indesiderata|"
            "Lixo eletrônico|Lixo Eletrónico|Correio não solicitado|E-mail de lixo|"
            "Нежелательная почта|Спам|Ongewenste e-mail|Ongewenst|Wiadomości-śmieci|"
            "Niechciana poczta|垃圾邮件|垃圾邮件箱|垃圾郵件|垃圾郵件匣|"
            "垃圾箱|广告邮件|廣告郵件|垃圾信件匣|垃圾信件|"
            "迷惑メール|迷惑メールフォルダ|정크 메일|정크메일|스팸 메일함|스팸메일함|스팸함|스팸"
        ),
        FolderRole.ARCHIVE: (
            "Archive|Archives|Archived|All Mail|Archiv|Alle Nachrichten|Archiver|"
            "Tous les messages|Archivo|Archivados|Todos|Archivio|Tutti i messaggi|Arquivo|"
            "Arquivo Morto|Todos os e-mails|Архив|Вся почта|Archief|Alle berichten|Archiwum|"
            "Wszystkie|存档|存檔|归档|歸檔|封存|已归档|已存档|所有邮件|所有郵件|全部郵件|全部邮件|"
            "アーカイブ|すべてのメール|보관|보관함|보관 처리|전체보관함"
        ),
        FolderRole.RECOVERABLE: (
            "Recoverable Items|.EXPUNGED|EXPUNGED|Purges|DiscoveryHolds|SubstrateHolds|"
            "可恢复的项目|可恢復的項目|Wiederherstellbare Elemente|Éléments récupérables"
        ),
    }
)
"""Role -> the names of such folders, separated by ``|``, as servers and programs write them."""

_UTF7 = re.compile(r"&([A-Za-z0-9+,]*)-")
_INHERITED = (FolderRole.RECOVERABLE, FolderRole.DELETED)
_STATES = {
    FolderRole.DELETED: DeletionState.IN_DELETED_FOLDER,
    FolderRole.RECOVERABLE: DeletionState.RECOVERABLE,
}
_BASES = {
    DeletionState.IN_DELETED_FOLDER: "It lies in the folder for deleted mail",
    DeletionState.RECOVERABLE: "It lies in a folder where the server keeps deleted mail",
}


def _key(name: str) -> str:
    """Fold case, accents, width and spaces, so that spellings of one name meet."""
    decomposed = unicodedata.normalize("NFKD", name.replace("’", "'").replace("_", " "))
    plain = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    return "".join(plain.casefold().split())


_ROLES = {_key(name): role for role, names in FOLDER_NAMES.items() for name in names.split("|")}


def _utf7_run(match: re.Match[str]) -> str:
    """Decode one shifted run, RFC 3501 section 5.1.3; a broken one stays as it is."""
    coded = match.group(1)
    if not coded:
        return "&"
    try:
        padded = coded.replace(",", "/") + "=" * (-len(coded) % 4)
        return base64.b64decode(padded, validate=True).decode("utf-16-be")
    except (binascii.Error, UnicodeDecodeError):
        return match.group(0)


def decode_imap_utf7(name: str) -> str:
    """Return a mailbox name out of modified UTF-7 (RFC 3501 section 5.1.3).

    Parameters
    ----------
    name : str
        As the server wrote it, such as ``&XfJSIJZk-``; runs that are not valid stay unchanged.

    Returns
    -------
    str
        Readable, such as ``已删除``.
    """
    return _UTF7.sub(_utf7_run, name) if "&" in name else name


def path_parts(name: str) -> list[str]:
    r"""Split a folder path at ``/`` and ``\`` (and at ``.`` after ``INBOX``) into its names."""
    parts = [part.strip() for part in re.split(r"[/\\]", name) if part.strip()]
    if parts and parts[0].upper().startswith("INBOX."):
        parts[:1] = [part for part in parts[0].split(".") if part]
    return parts


def _roles(name: str) -> Iterator[FolderRole]:
    for part in path_parts(decode_imap_utf7(name)):
        yield _ROLES.get(_key(part.lstrip(".")), FolderRole.OTHER)


@lru_cache(maxsize=4096)
def role_of(name: str) -> FolderRole:
    r"""Say what a folder is for by its name or path.

    The last part of the path decides, with two exceptions: whatever lies in a folder for deleted
    or recoverable mail is deleted or recoverable too (a folder that was itself deleted, or
    ``Recoverable Items/Versions``), and years under an archive are archive.

    Parameters
    ----------
    name : str
        A name or a path with ``/`` or ``\``, decoded or in modified UTF-7.
    """
    roles = list(_roles(name))
    if not roles:
        return FolderRole.OTHER
    for role in _INHERITED:
        if role in roles:
            return role
    if roles[-1] is FolderRole.OTHER and roles[0] is FolderRole.ARCHIVE:
        return FolderRole.ARCHIVE
    return roles[-1]


def place(
    records: Iterable[MessageRecord], *, mailbox: str | None, folder: str, role: FolderRole
) -> None:
    """Write into records where they lie, and what that says about deletion.

    Records that are marked deleted already keep their mark.
    """
    state = _STATES.get(role)
    for record in records:
        record.mailbox, record.folder, record.folder_role = mailbox or None, folder or None, role
        if state is not None and record.deletion_state is DeletionState.LIVE:
            record.deletion_state = state
            record.deletion_basis = f"{_BASES[state]}: {folder}"
            record.confidence = Confidence.CERTAIN
