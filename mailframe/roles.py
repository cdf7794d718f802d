"""What a folder is for, by the names that programs and servers give it."""

from __future__ import annotations

__all__ = ["ROLES_BY_NAME"]

#: As Outlook and other servers without SPECIAL-USE name them in some languages; by folded case.
ROLES_BY_NAME = {
    name.casefold(): role
    for role, names in {
        "\\Sent": (
            "Sent", "Sent Items", "Sent Mail", "Sent Messages", "Gesendet", "Gesendete Elemente",
            "Gesendete Objekte", "Éléments envoyés", "Elementos enviados", "Posta inviata",
            "Verzonden items", "Itens Enviados", "Отправленные", "已发送", "送信済みアイテム",
            "Messages envoyés", "Envoyés", "Enviados", "E-mails enviados", "Verzonden",
            "Verzonden berichten", "Skickat", "Skickade objekt", "Sendt", "Sendt post",
            "Sendte elementer", "Lähetetyt", "Wysłane", "Elementy wysłane", "Odeslané",
            "Odeslaná pošta", "Elküldött elemek", "Gönderilmiş Öğeler", "Надіслані", "已发送邮件",
            "寄件備份", "送信済みメール", "보낸편지함", "보낸 편지함",
        ),
        "\\Drafts": (
            "Drafts", "Draft", "Entwürfe", "Brouillons", "Borradores", "Bozze", "Concepten",
            "Rascunhos", "Черновики", "草稿箱", "下書き",
        ),
        "\\Trash": (
            "Trash", "Deleted", "Deleted Items", "Deleted Messages", "Bin", "Papierkorb",
            "Gelöschte Elemente", "Éléments supprimés", "Corbeille", "Elementos eliminados",
            "Posta eliminata", "Verwijderde items", "Itens Excluídos", "Удаленные", "已删除",
            "削除済みアイテム",
        ),
        "\\Junk": (
            "Junk", "Junk Email", "Junk E-mail", "Spam", "Bulk Mail", "Courrier indésirable",
            "Correo no deseado", "Posta indesiderata", "Ongewenste e-mail", "Lixo Eletrônico",
            "Нежелательная почта", "垃圾邮件", "迷惑メール",
        ),
        "\\Archive": ("Archive", "Archiv", "Archives", "Archivo", "Archivio", "Архив"),
    }.items()
    for name in names
}  # fmt: skip
