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
            "Rascunhos", "Черновики", "草稿箱", "下書き", "Utkast", "Kladder", "Luonnokset",
            "Kopie robocze", "Wersje robocze", "Koncepty", "Piszkozatok", "Taslaklar", "Чернетки",
            "草稿", "임시보관함", "임시 보관함",
        ),
        "\\Trash": (
            "Trash", "Deleted", "Deleted Items", "Deleted Messages", "Bin", "Papierkorb",
            "Gelöschte Elemente", "Éléments supprimés", "Corbeille", "Elementos eliminados",
            "Posta eliminata", "Verwijderde items", "Itens Excluídos", "Удаленные", "已删除",
            "削除済みアイテム", "Gelöscht", "Gelöschte Objekte", "Messages supprimés", "Papelera",
            "Papelera de reciclaje", "Cestino", "Prullenbak", "Prullenmand", "Verwijderd",
            "Verwijderde berichten", "Lixeira", "Lixo", "Itens Eliminados", "Корзина", "Удалённые",
            "Papperskorgen", "Papperskorg", "Borttaget", "Borttagna objekt", "Papirkurv",
            "Slettet post", "Slettede elementer", "Slettede meldinger", "Roskakori", "Poistetut",
            "Poistetut kohteet", "Kosz", "Usunięte", "Elementy usunięte", "Koš",
            "Odstraněná pošta", "Kuka", "Lomtár", "Törölt elemek", "Çöp", "Çöp Kutusu",
            "Silinmiş Öğeler", "Кошик", "Видалені", "已删除邮件", "已刪除的郵件", "刪除的郵件",
            "废纸篓", "垃圾桶", "ゴミ箱", "ごみ箱", "削除済みメール", "휴지통", "지운편지함",
            "지운 편지함", "Deleted Mail",
        ),
        "\\Junk": (
            "Junk", "Junk Email", "Junk E-mail", "Spam", "Bulk Mail", "Courrier indésirable",
            "Correo no deseado", "Posta indesiderata", "Ongewenste e-mail", "Lixo Eletrônico",
            "Нежелательная почта", "垃圾邮件", "迷惑メール", "Junk Mail", "Junk-E-Mail",
            "Spamverdacht", "Indésirables", "Pourriel", "Correo basura", "Indesiderata",
            "Ongewenst", "Ongewenste berichten", "Lixo eletrónico", "Lixo Electrónico", "Спам",
            "Skräppost", "Uønsket mail", "Uønsket e-mail", "Uønsket e-post", "Søppelpost",
            "Roskaposti", "Wiadomości-śmieci", "Niechciane", "Nevyžádaná pošta", "Levélszemét",
            "Önemsiz", "Önemsiz E-posta", "Gereksiz E-posta", "Небажана пошта", "垃圾郵件",
            "迷惑メールフォルダー", "스팸메일함", "스팸 메일함", "정크 메일",
        ),
        "\\Archive": ("Archive", "Archiv", "Archives", "Archivo", "Archivio", "Архив"),
    }.items()
    for name in names
}  # fmt: skip
