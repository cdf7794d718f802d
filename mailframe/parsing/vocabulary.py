"""What mail programs and people write around a reply, language by language.

Each entry is words or phrases between commas, as they are written, whatever their case. A language
is added by a row; what is the same in two need be said only once.
"""

# ruff: noqa: RUF001 - words are in a dozen scripts

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LANGUAGES", "Language", "phrases"]


class Language(NamedTuple):
    """The words of one language.

    Attributes
    ----------
    wrote
        What says in an attribution that somebody wrote.
    between
        The other words of attributions: before dates, times and names.
    months, days
        In full, in the form that stands in a date; programs cut them short anywhere from the
        third letter on. Shorter ones are entries of their own.
    sender, sent, to, copy, subject
        Names of the header fields above what is quoted or forwarded.
    original, forwarded
        What stands between dashes, or before a colon, above such a message.
    sent_from
        How the line of a device or program begins, or ends where the verb stands there: "Sent
        from my iPhone".
    closing
        How letters end, above the name.
    """

    wrote: str
    between: str = ""
    months: str = ""
    days: str = ""
    sender: str = ""
    sent: str = ""
    to: str = ""
    copy: str = ""
    subject: str = ""
    original: str = ""
    forwarded: str = ""
    sent_from: str = ""
    closing: str = ""


LANGUAGES: Mapping[str, Language] = {
    "en": Language(
        wrote="wrote, writes, said, quoting, has written, spake, quoth, according to",
        between="on, at, in, article, message, am, pm, a.m., p.m., via, by, from, according, "
        "previously, st, nd, rd, th, gmt, utc, noon, midnight, time, standard, daylight, original, "
        "mail, email, e-mail, dated, the following",
        months="January, February, March, April, May, June, July, August, September, October, "
        "November, December",
        days="Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday",
        sender="From",
        sent="Sent, Date, Sent at, Sent on",
        to="To",
        copy="Cc, Bcc",
        subject="Subject",
        original="Original Message, Original, Original Mail, Original Email, Original Appointment, "
        "Reply message, Original message follows, Reply to message, Replied Message",
        forwarded="Forwarded message, Begin forwarded message, Forwarded by, Forwarded mail, "
        "Forwarded email, Forward message, Start of forwarded message, Forwarded Letter",
        sent_from="sent from, sent via, sent by, sent with, sent using, sent on, "
        "typed on, written on, composed on",
        closing="Regards, Best regards, Kind regards, Warm regards, Kindest regards, Best, "
        "Best wishes, All the best, Cheers, Thanks, Many thanks, Thank you, Thanks again, "
        "Thanks a lot, Thanks in advance, Thank you very much, Sincerely, Yours sincerely, "
        "Yours faithfully, Yours truly, Yours, Respectfully, Love, Cordially, Take care, "
        "With kind regards, With best regards, With best wishes, Talk soon, See you, Rgds, BR, "
        "KR, Greetings, Warmly, Very truly yours",
    ),
    "de": Language(
        wrote="schrieb, schreibt, hat geschrieben, geschrieben, zitat von",
        between="am, um, uhr, den, dem, der, von, vom, das, folgendes, mez, mesz, zu, im, auftrag, "
        "im auftrag von, beim",
        months="Januar, Jänner, Februar, März, Maerz, April, Mai, Juni, Juli, August, September, "
        "Oktober, November, Dezember",
        days="Montag, Dienstag, Mittwoch, Donnerstag, Freitag, Samstag, Sonnabend, Sonntag, "
        "Mo, Di, Mi, Do, Fr, Sa, So",
        sender="Von",
        sent="Gesendet, Gesendet am, Datum",
        to="An",
        copy="Kopie, Kopie (CC), Blindkopie",
        subject="Betreff",
        original="Ursprüngliche Nachricht, Original-Nachricht, Originalnachricht, "
        "Original Nachricht, "
        "Ursprüngliche Mail, Original-Mail, Urspruengliche Nachricht, Ursprünglicher Termin",
        forwarded="Weitergeleitete Nachricht, Anfang der weitergeleiteten Nachricht, "
        "Anfang der weitergeleiteten E-Mail, Weitergeleitete E-Mail, Weitergeleitet von",
        sent_from="gesendet von, gesendet mit, gesendet aus, gesendet, verschickt mit, verschickt",
        closing="Mit freundlichen Grüßen, Mit freundlichen Grüssen, Freundliche Grüße, "
        "Freundliche Grüsse, Viele Grüße, Viele Grüsse, Liebe Grüße, Liebe Grüsse, Beste Grüße, "
        "Beste Grüsse, Schöne Grüße, Herzliche Grüße, Herzliche Grüsse, Grüße, Gruß, Gruss, "
        "Lieben Gruß, Schönen Gruß, Mit besten Grüßen, Mit freundlichem Gruß, "
        "Mit herzlichen Grüßen, "
        "Mit vielen Grüßen, Mit lieben Grüßen, Hochachtungsvoll, MfG, LG, VG, BG, HG, Danke, "
        "Vielen Dank, Besten Dank, Danke und Gruß, Vielen Dank und Grüße, Tschüss, "
        "Mit freundlichen Gruessen, Viele Gruesse, Herzlichst, Ihr, Ihre, Dein, Deine",
    ),
    "fr": Language(
        wrote="a écrit, écrit, écrivait, a ecrit, a envoyé, selon, citation de",
        between="le, à, a, de, la, du, par, via, vers, cet, cest, cet",
        months="janvier, février, mars, avril, mai, juin, juillet, août, septembre, octobre, "
        "novembre, décembre",
        days="lundi, mardi, mercredi, jeudi, vendredi, samedi, dimanche",
        sender="De, Expéditeur",
        sent="Envoyé, Envoyé le, Date, Date d'envoi",
        to="À, A, Destinataire",
        copy="Copie, Copie à, Cci",
        subject="Objet, Sujet",
        original="Message d'origine, Message original, Message initial, Rendez-vous d'origine",
        forwarded="Message transféré, Message transmis, Début du message réexpédié, "
        "Début du message transféré, Courriel transféré, Mail transféré, Transféré par",
        sent_from="envoyé de, envoyé depuis, envoyé à partir de, envoyé avec, envoyé par, "
        "provenance",
        closing="Cordialement, Bien cordialement, Bien à vous, Bien à toi, Amicalement, "
        "Sincèrement, Salutations, Meilleures salutations, Salutations distinguées, "
        "Sincères salutations, Très cordialement, À bientôt, A bientôt, Merci, Merci d'avance, "
        "Merci beaucoup, Bises, Amitiés, Cdt, Cdlt, Bien amicalement, Respectueusement, "
        "Bonne journée, Belle journée, Bonne soirée, Salut, Je vous embrasse",
    ),
    "es": Language(
        wrote="escribió, escribio, escribe, ha escrito, citando a, mensaje citado por",
        between="el, a, las, la, los, de, del, día, dia, hora, horas, en, al, por",
        months="enero, febrero, marzo, abril, mayo, junio, julio, agosto, septiembre, setiembre, "
        "octubre, noviembre, diciembre",
        days="lunes, martes, miércoles, jueves, viernes, sábado, domingo",
        sender="De, Remitente",
        sent="Enviado, Enviado el, Enviada, Enviada el, Fecha",
        to="Para",
        copy="Copia, CCO",
        subject="Asunto",
        original="Mensaje original, Mensaje de origen, Correo original, Cita original",
        forwarded="Mensaje reenviado, Inicio del mensaje reenviado, Mensaje enviado, "
        "Inicio de mensaje reenviado",
        sent_from="enviado desde, enviado con, enviado por, enviado mediante",
        closing="Saludos, Un saludo, Saludos cordiales, Un cordial saludo, Cordialmente, "
        "Atentamente, Un abrazo, Abrazos, Gracias, Muchas gracias, Saludos atentos, "
        "Muy atentamente, "
        "Reciba un cordial saludo, Saludos y gracias, Gracias y saludos, Besos, "
        "Le saluda atentamente",
    ),
    "it": Language(
        wrote="ha scritto, scrive, scriveva, scrisse, citando",
        between="il, giorno, alle, ore, lo, la, del, dal, di, da, in, data, all",
        months="gennaio, febbraio, marzo, aprile, maggio, giugno, luglio, agosto, settembre, "
        "ottobre, novembre, dicembre",
        days="lunedì, martedì, mercoledì, giovedì, venerdì, sabato, domenica",
        sender="Da, Mittente",
        sent="Inviato, Data, Inviata",
        to="A",
        copy="Ccn, P.c.",
        subject="Oggetto",
        original="Messaggio originale, Messaggio di origine, Messaggio Originale",
        forwarded="Messaggio inoltrato, Inizio messaggio inoltrato, Messaggio Inoltrato, "
        "Inizio del messaggio inoltrato",
        sent_from="inviato da, inviato dal, inviato con",
        closing="Cordiali saluti, Distinti saluti, Saluti, Un saluto, Un caro saluto, Cari saluti, "
        "A presto, Grazie, Grazie mille, Cordialmente, Buona giornata, Buon lavoro, Ciao, "
        "Tanti saluti, Grazie e saluti, Un abbraccio, Baci",
    ),
    "pt": Language(
        wrote="escreveu, escrevia, escreve",
        between="em, às, as, de, do, da, no, dia, na, a, o, à, os, por",
        months="janeiro, fevereiro, março, abril, maio, junho, julho, agosto, setembro, outubro, "
        "novembro, dezembro",
        days="segunda-feira, segunda, terça-feira, terça, quarta-feira, quarta, quinta-feira, "
        "quinta, sexta-feira, sexta, sábado, domingo, feira",
        sender="De, Remetente",
        sent="Enviado, Enviada em, Enviado em, Enviada, Data",
        to="Para",
        copy="Cópia",
        subject="Assunto",
        original="Mensagem original, Mensagem de origem, Email original",
        forwarded="Mensagem encaminhada, Mensagem reencaminhada, Início da mensagem encaminhada, "
        "Início da mensagem reencaminhada, Forwarded message",
        sent_from="enviado do, enviado da, enviado a partir, enviado de, enviado via, "
        "enviado pelo, enviado através, enviado com",
        closing="Atenciosamente, Cumprimentos, Com os melhores cumprimentos, "
        "Melhores cumprimentos, "
        "Abraço, Abraços, Um abraço, Obrigado, Obrigada, Muito obrigado, Muito obrigada, "
        "Cordialmente, Saudações, Att, Grato, Grata, Beijos, Os melhores cumprimentos, Até breve",
    ),
    "nl": Language(
        wrote="schreef, schrijft, heeft geschreven, geschreven, het volgende geschreven",
        between="op, om, het, volgende, heeft, van, de, den, der, te, uur, namens",
        months="januari, februari, maart, mrt, april, mei, juni, juli, augustus, september, "
        "oktober, "
        "november, december",
        days="maandag, dinsdag, woensdag, donderdag, vrijdag, zaterdag, zondag, ma, di, wo, do, "
        "vr, "
        "za, zo",
        sender="Van, Afzender",
        sent="Verzonden, Verstuurd, Datum, Verzonden op",
        to="Aan",
        copy="Kopie",
        subject="Onderwerp",
        original="Oorspronkelijk bericht, Origineel bericht, Oorspronkelijke mail",
        forwarded="Doorgestuurd bericht, Begin doorgestuurd bericht, "
        "Begin van doorgestuurd bericht, Doorgezonden bericht",
        sent_from="verzonden vanaf, verstuurd vanaf, verzonden met, verstuurd met, verzonden via, "
        "verstuurd via, verzonden, verstuurd",
        closing="Met vriendelijke groet, Met vriendelijke groeten, Vriendelijke groet, "
        "Vriendelijke groeten, Groet, Groeten, Groetjes, Hartelijke groet, Hartelijke groeten, "
        "Mvg, Bedankt, Dank je, Dank u, Alvast bedankt, Met hartelijke groet, Hoogachtend, Dank",
    ),
    "pl": Language(
        wrote="napisał, napisała, napisał(a), pisze, napisal, cytowanie, napisana przez",
        between="w, dniu, dnia, o, godz, godzinie, użytkownik, następujące, słowa, od, r, roku, z, "
        "uzytkownik, pan, pani, do, na, wiadomość",
        months="stycznia, lutego, marca, kwietnia, maja, czerwca, lipca, sierpnia, września, "
        "października, paź, listopada, grudnia",
        days="poniedziałek, wtorek, wt, środa, środę, śr, czwartek, piątek, pt, sobota, sobotę, "
        "niedziela, niedzielę, niedz",
        sender="Od, Nadawca",
        sent="Wysłano, Wysłane, Data, Data wysłania",
        to="Do",
        copy="DW, UDW, Kopia",
        subject="Temat",
        original="Wiadomość oryginalna, Oryginalna wiadomość, Wiadomość pierwotna, "
        "Wiadomość oryginalna od",
        forwarded="Wiadomość przekazana, Przekazana wiadomość, Treść przekazanej wiadomości, "
        "Początek przekazywanej wiadomości, Przesłana wiadomość, Przekazywana wiadomość dalej",
        sent_from="wysłane z, wysłano z, wysłane przez, wysłano za pomocą, wysłane za pomocą",
        closing="Pozdrawiam, Z poważaniem, Pozdrowienia, Serdecznie pozdrawiam, Dziękuję, "
        "Z wyrazami szacunku, Pozdrawiam serdecznie, Z pozdrowieniami, Dzięki, Z góry dziękuję, "
        "Ukłony, Łączę pozdrowienia",
    ),
    "ru": Language(
        wrote="написал, написала, написал(а), написал (а), пишет, писал, писала, пишете, писали, "
        "вы писали",
        between="в, от, г, года, час, мск, сообщил, с, по, вы",
        months="января, февраля, марта, апреля, мая, июня, июля, августа, сентября, октября, "
        "ноября, декабря",
        days="понедельник, вторник, среда, среду, четверг, пятница, пятницу, суббота, субботу, "
        "воскресенье, пн, вт, ср, чт, пт, сб, вс",
        sender="От, От кого, Отправитель",
        sent="Отправлено, Дата, Дата отправки, Когда",
        to="Кому",
        copy="Копия, Скрытая копия",
        subject="Тема",
        original="Исходное сообщение, Оригинальное сообщение, Первоначальное сообщение, "
        "Исходное письмо",
        forwarded="Пересылаемое сообщение, Пересланное сообщение, Перенаправленное сообщение, "
        "Начало переадресованного сообщения, Начало пересылаемого сообщения, Пересылаемое письмо, "
        "Начало перенаправленного сообщения, Переадресованное сообщение, "
        "Конец пересылаемого сообщения",
        sent_from="отправлено с, отправлено из, отправлено через, отправлено, послано с",
        closing="С уважением, Всего доброго, Спасибо, С наилучшими пожеланиями, Всего хорошего, "
        "Заранее спасибо, Удачи, Целую, До встречи, До свидания, С приветом, Всех благ, Обнимаю, "
        "Большое спасибо, Благодарю",
    ),
    "uk": Language(
        wrote="пише, написав, написала, писав",
        between="о, р, року, від, у",
        months="січня, лютого, березня, квітня, травня, червня, липня, серпня, вересня, жовтня, "
        "листопада, грудня",
        days="понеділок, вівторок, середа, середу, четвер, п'ятниця, пʼятниця, субота, неділя, пн, "
        "вт, ср, чт, пт, сб, нд",
        sender="Від, Відправник",
        sent="Надіслано, Дата, Відправлено",
        to="Кому",
        copy="Копія",
        subject="Тема",
        original="Початкове повідомлення, Оригінальне повідомлення, Вихідне повідомлення",
        forwarded="Переслане повідомлення, Початок листа, що пересилається, "
        "Перенаправлене повідомлення",
        sent_from="надіслано з, відправлено з, надіслано через",
        closing="З повагою, Дякую, З найкращими побажаннями, Щиро, Гарного дня",
    ),
    "zh": Language(
        wrote="写道, 寫道, 写到, 已写道, 來信, 来信",
        between="在, 于, 於, 年, 月, 日, 周, 週, 星期",
        sender="发件人, 發件人, 寄件者, 寄件人, 发信人, 发送人",
        sent="发送时间, 发送日期, 日期, 時間, 时间, 傳送時間, 寄件日期, 發送時間, 寄送日期, 已傳送",
        to="收件人, 收件者, 收信人",
        copy="抄送, 抄送人, 副本, 密送",
        subject="主题, 主題, 主旨, 标题",
        original="原始邮件, 原始郵件, 邮件原件, 原邮件, 原始信件, 原始訊息, 回复的原邮件, "
        "回复的邮件",
        forwarded="转发的邮件, 转发邮件信息, 转发邮件, 转发的邮件信息, 轉寄的郵件, 轉寄郵件, "
        "下面是被转发的邮件, 以下是被转发的邮件, 开始转发的邮件, 開始轉寄郵件, 转发信息, 轉寄訊息, "
        "Forwarded message, 转发的原邮件, 已转发邮件",
        sent_from="发自, 發自, 从我的, 從我的, 传送自, 傳送自, 寄自, 发送自, 来自, 发送, 發送",
        closing="此致, 敬礼, 敬禮, 祝好, 谢谢, 謝謝, 顺颂商祺, 順頌商祺, 顺祝商祺, 祝工作顺利, "
        "致礼, 多谢, "
        "敬上, 此致敬礼, 祝顺利, 感谢",
    ),
    "ja": Language(
        wrote="のメール, は書きました, さんは書きました, が書きました, の書き込み, wrote, "
        "さんのメッセージ, 書き込み, "
        "書きました",
        between="",
        sender="差出人, 送信者, 送信元, From",
        sent="送信日時, 送信日, 日付, 日時, Sent",
        to="宛先, 送信先, To",
        copy="写し, 同報",
        subject="件名",
        original="元のメッセージ, 元のメール, オリジナルメッセージ, Original Message, 元メール",
        forwarded="転送されたメッセージ, 転送メッセージ, 転送メール, 転送されたメール, "
        "Forwarded Message, "
        "以下、転送されたメール, ここから転送",
        sent_from="から送信, から送信しました, で送信, より送信, から送られた, からの送信",
        closing="よろしくお願いします, よろしくお願いいたします, 宜しくお願い致します, 以上, 敬具, "
        "草々, "
        "よろしくお願い致します, 宜しくお願いします, 宜しくお願いいたします, "
        "どうぞよろしくお願いいたします, "
        "以上、よろしくお願いいたします, ありがとうございます, 何卒よろしくお願いいたします, "
        "以上、よろしくお願いします",
    ),
    "ko": Language(
        wrote="님이 작성, 작성, 님이 다음과 같이 썼습니다, 썼습니다, 님의 말, 작성했습니다",
        between="",
        sender="보낸 사람, 보낸사람, 발신",
        sent="보낸 날짜, 보낸 시간, 날짜, 보낸날짜, 일시",
        to="받는 사람, 받는사람, 수신",
        copy="참조",
        subject="제목",
        original="원본 메시지, 원본 메일, Original Message, 원본메시지",
        forwarded="전달된 메시지, 전달된 메일, Forwarded message, 전달된 메세지",
        sent_from="에서 보냄, 에서 보냈습니다, 에서 발송, 에서 전송",
        closing="감사합니다, 고맙습니다, 드림, 올림",
    ),
    "sv": Language(
        wrote="skrev, skriver",
        between="den, kl, kl., från, av, klockan, på, om, följande",
        months="januari, februari, mars, april, maj, juni, juli, augusti, september, oktober, "
        "november, december",
        days="måndag, tisdag, onsdag, torsdag, fredag, lördag, söndag, mån, tis, ons, tors, fre, "
        "lör, sön",
        sender="Från, Avsändare",
        sent="Skickat, Datum",
        to="Till",
        copy="Kopia",
        subject="Ämne",
        original="Ursprungligt meddelande, Originalmeddelande, Ursprungsmeddelande",
        forwarded="Vidarebefordrat meddelande, Vidarebefordrat brev, Vidarebefordrat mejl, "
        "Vidarebefordrat mail, Början på vidarebefordrat brev",
        sent_from="skickat från, skickat med, skickat via, skickades från",
        closing="Hälsningar, Med vänlig hälsning, Med vänliga hälsningar, Vänliga hälsningar, "
        "Mvh, Vänligen, Bästa hälsningar, Tack, Kram, Många hälsningar, Vänlig hälsning, Hälsar, "
        "Tack på förhand, Kramar",
    ),
    "da": Language(
        wrote="skrev, skriver",
        between="den, d., kl., kl, fra, af",
        months="januar, februar, marts, april, maj, juni, juli, august, september, oktober, "
        "november, december",
        days="mandag, tirsdag, onsdag, torsdag, fredag, lørdag, søndag",
        sender="Fra, Afsender",
        sent="Sendt, Dato",
        to="Til",
        copy="Kopi",
        subject="Emne",
        original="Oprindelig meddelelse, Original meddelelse, Oprindelig besked",
        forwarded="Videresendt meddelelse, Videresendt besked, Start på videresendt besked, "
        "Start på videresendt meddelelse",
        sent_from="sendt fra, sendt med, sendt via",
        closing="Hilsen, Med venlig hilsen, Venlig hilsen, Mvh, De bedste hilsner, Kærlig hilsen, "
        "Bedste hilsner, Hilsner, Tak, Mange hilsner, Mange tak, Vh, Kh",
    ),
    "no": Language(
        wrote="skrev, skreiv, skriver",
        between="den, kl., kl, fra, av, klokken",
        months="januar, februar, mars, april, mai, juni, juli, august, september, oktober, "
        "november, desember",
        days="mandag, tirsdag, onsdag, torsdag, fredag, lørdag, søndag, laurdag, sundag",
        sender="Fra, Avsender",
        sent="Sendt, Dato",
        to="Til",
        copy="Kopi",
        subject="Emne",
        original="Opprinnelig melding, Original melding, Opprinnelig e-post",
        forwarded="Videresendt melding, Videresendt e-post, Start på videresendt melding",
        sent_from="sendt fra, sendt med",
        closing="Hilsen, Med vennlig hilsen, Vennlig hilsen, Mvh, Beste hilsen, Takk, "
        "Mange hilsener, "
        "Hilsener, Klem, Hils, Vennligst",
    ),
    "fi": Language(
        wrote="kirjoitti, kirjoittaa, lähetti",
        between="klo, kello, na, pvm",
        months="tammikuuta, tammikuu, helmikuuta, maaliskuuta, huhtikuuta, toukokuuta, kesäkuuta, "
        "heinäkuuta, elokuuta, syyskuuta, lokakuuta, marraskuuta, joulukuuta",
        days="maanantai, maanantaina, tiistai, tiistaina, keskiviikko, keskiviikkona, torstai, "
        "torstaina, perjantai, perjantaina, lauantai, lauantaina, sunnuntai, sunnuntaina, ma, ti, "
        "ke, to, pe, la, su",
        sender="Lähettäjä",
        sent="Lähetetty, Päivämäärä, Päiväys, Pvm",
        to="Vastaanottaja",
        copy="Kopio",
        subject="Aihe",
        original="Alkuperäinen viesti",
        forwarded="Välitetty viesti, Edelleenlähetetty viesti, Välitetty viesti alkaa, "
        "Edelleenlähetetty viesti alkaa",
        sent_from="lähetetty, lähetetty laitteesta",
        closing="Terveisin, Ystävällisin terveisin, Parhain terveisin, Terv, Kiitos, T, Yst.terv, "
        "Ystävällisesti, Kiitoksia, Kiitos etukäteen, Terkuin",
    ),
    "cs": Language(
        wrote="napsal, napsala, napsal(a), píše, napísal, napísala",
        between="dne, v, odesílatel, od, o, hod, odosielateľ, uživatel",
        months="ledna, února, března, dubna, května, června, července, srpna, září, října, "
        "listopadu, prosince",
        days="pondělí, úterý, středa, středu, čtvrtek, pátek, sobota, sobotu, neděle, neděli, po, "
        "út, st, čt, pá, so, ne",
        sender="Od, Odesílatel",
        sent="Odesláno, Datum",
        to="Komu",
        copy="Kopie",
        subject="Předmět",
        original="Původní zpráva, Původní e-mail, Pôvodná správa",
        forwarded="Přeposlaná zpráva, Začátek přeposílané zprávy, Přeposílaná zpráva",
        sent_from="odesláno z, odesláno, odesláno pomocí, posláno z",
        closing="S pozdravem, Děkuji, Hezký den, S přátelským pozdravem, Zdravím, Díky, "
        "S úctou, Pěkný den, Mějte se hezky, Děkuji předem",
    ),
    "tr": Language(
        wrote="şunu yazdı, şunları yazdı, yazdı, yazmış",
        between="tarihinde, saat, saatinde, günü, şunu, şunları, tarihli",
        months="Ocak, Şubat, Mart, Nisan, Mayıs, Haziran, Temmuz, Ağustos, Eylül, Ekim, Kasım, "
        "Aralık",
        days="Pazartesi, Salı, Çarşamba, Perşembe, Cuma, Cumartesi, Pazar, Pzt, Sal, Çar, Per, "
        "Cum, "
        "Cmt, Paz",
        sender="Gönderen, Kimden",
        sent="Gönderildi, Gönderme Tarihi, Gönderim Tarihi, Tarih, Gönderilme",
        to="Kime, Alıcı",
        copy="Bilgi",
        subject="Konu",
        original="Orijinal Mesaj, Özgün İleti, Orijinal İleti, Orjinal Mesaj",
        forwarded="İletilen mesaj, Yönlendirilmiş ileti, Yönlendirilen mesaj, İletilmiş ileti, "
        "Yönlendirilen ileti, İleti başlangıcı",
        sent_from="gönderildi, gönderilmiştir",
        closing="Saygılarımla, İyi çalışmalar, Teşekkürler, Sevgiler, Selamlar, Saygılar, "
        "Teşekkür ederim, Kolay gelsin, İyi günler",
    ),
    "hu": Language(
        wrote="írta, ezt írta, a következőt írta",
        between="időpont, dátum, ekkor, h, k, sze, cs, p, szo, v",
        months="január, február, március, április, május, június, július, augusztus, "
        "szeptember, október, november, december",
        days="hétfő, kedd, szerda, csütörtök, péntek, szombat, vasárnap",
        sender="Feladó",
        sent="Dátum, Elküldve",
        to="Címzett",
        copy="Másolat, Másolatot kap",
        subject="Tárgy",
        original="Eredeti üzenet",
        forwarded="Továbbított üzenet, Továbbított levél",
        sent_from="küldve",
        closing="Üdvözlettel, Üdv, Köszönöm, Tisztelettel, Köszönettel",
    ),
    "ro": Language(
        wrote="a scris, scria",
        between="pe, la, în, din, data de, ora",
        months="ianuarie, februarie, martie, aprilie, mai, iunie, iulie, august, septembrie, "
        "octombrie, noiembrie, decembrie",
        days="luni, marți, miercuri, joi, vineri, sâmbătă, duminică",
        sender="De la",
        sent="Trimis, Dată, Data",
        to="Către",
        copy="Copie",
        subject="Subiect",
        original="Mesaj original",
        forwarded="Mesaj redirecționat",
        sent_from="trimis de pe, trimis din",
        closing="Cu stimă, Mulțumesc, Cu respect, Toate cele bune",
    ),
    "el": Language(
        wrote="έγραψε, έγραψαν",
        between="στις, ο, η, χρήστης, π.μ., μ.μ., την, το",
        months="Ιανουαρίου, Φεβρουαρίου, Μαρτίου, Απριλίου, Μαΐου, Ιουνίου, Ιουλίου, Αυγούστου, "
        "Σεπτεμβρίου, Οκτωβρίου, Νοεμβρίου, Δεκεμβρίου",
        days="Δευτέρα, Τρίτη, Τετάρτη, Πέμπτη, Παρασκευή, Σάββατο, Κυριακή",
        sender="Από",
        sent="Στάλθηκε, Ημερομηνία",
        to="Προς",
        copy="Κοιν.",
        subject="Θέμα",
        original="Αρχικό μήνυμα",
        forwarded="Προωθημένο μήνυμα",
        sent_from="στάλθηκε από, εστάλη από",
        closing="Με εκτίμηση, Φιλικά, Ευχαριστώ",
    ),
}


def phrases(*entries: str) -> frozenset[str]:
    """Take entries apart, in lower case (casefold).

    Parameters
    ----------
    *entries
        As they stand in `LANGUAGES`: between commas.

    Examples
    --------
    >>> sorted(phrases("From, Sender", "Von"))
    ['from', 'sender', 'von']
    """
    found = (phrase.strip().casefold() for entry in entries for phrase in entry.split(","))
    return frozenset(phrase for phrase in found if phrase)
