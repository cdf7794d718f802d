"""Languages in Latin letters, from ASCII alone to letters that only one charset has."""

from __future__ import annotations

from generator.languages.record import Language

__all__ = [
    "CZECH",
    "ENGLISH",
    "FRENCH",
    "GERMAN",
    "POLISH",
    "PORTUGUESE",
    "SPANISH",
    "SWEDISH",
    "TURKISH",
]

ENGLISH = Language(
    "Dear Mira,",
    "Kind regards,",
    "On {date} at {time}, {name} wrote:",
    "Re: ",
    ("-----Original Message-----", "From", "Sent", "To", "Subject"),
    (
        (
            "Gap in the readings of station {number}",
            "since {day} our station {number} shows a gap of several hours in Tideline. The gauge "
            "itself is running and its display is up to date.\nCould you check whether the "
            "readings arrived on your side and were only not stored?",
        ),
        (
            "Quote for {count} {product} units",
            "we plan to equip {count} more sites next season and would like a quote for the "
            "{product}, with brackets and two years of data service.\nPlease state delivery times "
            "as well; our budget closes at the end of the month.",
        ),
        (
            "Question about the API limits",
            "our script fetches the readings of {count} stations every minute and now gets the "
            "answer 429.\nIs the limit per key or per station, and can we ask for all stations in "
            "one request?",
        ),
        (
            "Visit on {date}",
            "two of us will be in Göteborg on {date} and would be glad to see the calibration tank."
            "\nWould an hour in the morning suit you? We bring the drifting sensor.",
        ),
        (
            "Calibration certificate for gauge {number}",
            "the auditor asks for the calibration certificate of gauge {number}.\nThe copy in our "
            "files ended last year. Could you send the current one?",
        ),
        (
            "Export in another time zone",
            "the CSV export gives all times in UTC, and our model wants local time without "
            "daylight saving.\nIs there a setting for it, or should we convert on our side?",
        ),
    ),
    (
        "I attach what our logger recorded in the meantime.",
        "That would work for us. Do you need anything else from our side?",
        "We see the same on the neighbouring station, but only at low water.",
        "Could you also tell us until when the offer is valid?",
    ),
    (
        "Thank you, that solved it.",
        "Perfect, thank you for the quick answer.",
        "Many thanks. I close the case on our side.",
    ),
    (
        "Automatic reply: {subject}",
        "Thank you for your message. I am away until {day} and will answer when I am back.",
    ),
)

SWEDISH = Language(
    "Hej Mira,",
    "Vänliga hälsningar",
    "Den {date} kl. {time} skrev {name}:",
    "SV: ",
    ("-----Ursprungligt meddelande-----", "Från", "Skickat", "Till", "Ämne"),
    (
        (
            "Saknade mätvärden från station {number}",
            "sedan {day} saknar vi flera timmars mätvärden från station {number}. Mätaren är igång "
            "och visar värden.\nKan ni se om de har kommit fram till er?",
        ),
        (
            "Offert på {count} mätare",
            "vi vill utrusta {count} bryggor till inför nästa säsong.\nKan ni skicka en offert med "
            "leveranstid?",
        ),
        (
            "Besök den {date}",
            "vi är i Göteborg den {date} och skulle gärna se kalibreringstanken.\nPassar det någon "
            "gång på förmiddagen?",
        ),
    ),
    (
        "Jag bifogar loggen från vår utrustning.",
        "Det passar bra. Behöver ni något mer från oss?",
        "Felet kommer tillbaka, men bara vid lågvatten.",
    ),
    ("Tack så mycket, nu fungerar det.", "Toppen, tack för snabbt svar!"),
    ("Autosvar: {subject}", "Jag är ledig till och med {day} och svarar när jag är tillbaka."),
)

GERMAN = Language(
    "Sehr geehrte Frau Holm,",
    "Mit freundlichen Grüßen",
    "Am {date} um {time} schrieb {name}:",
    "AW: ",
    ("-----Ursprüngliche Nachricht-----", "Von", "Gesendet", "An", "Betreff"),
    (
        (
            "Lücke in den Messwerten der Station {number}",
            "seit dem {day} fehlen uns für die Station {number} mehrere Stunden. Der Pegel selbst "
            "läuft und zeigt Werte an.\nKönnten Sie bitte prüfen, ob die Daten bei Ihnen "
            "angekommen sind?",
        ),
        (
            "Angebot über {count} Geräte",
            "für die nächste Saison möchten wir {count} weitere Standorte ausrüsten und bitten um "
            "ein Angebot einschließlich Halterungen.\nBitte nennen Sie uns auch die Lieferzeit.",
        ),
        (
            "Rückfrage zur Rechnung {number}",
            "auf der Rechnung {number} fehlt unsere Bestellnummer.\nOhne sie können wir leider "
            "nicht buchen. Könnten Sie uns eine neue Fassung schicken?",
        ),
        (
            "Kalibrierschein für Pegel {number}",
            "für die Prüfung im Herbst benötigen wir den gültigen Kalibrierschein des Pegels "
            "{number}.\nDer vorliegende ist im März abgelaufen.",
        ),
    ),
    (
        "Im Anhang finden Sie die Aufzeichnung unseres Datenloggers.",
        "Das würde uns passen. Benötigen Sie noch etwas von uns?",
        "Leider tritt der Fehler weiterhin auf, allerdings nur bei Niedrigwasser.",
        "Bis wann ist das Angebot gültig?",
    ),
    (
        "Vielen Dank für die schnelle Hilfe!",
        "Herzlichen Dank, damit hat sich die Sache erledigt.",
        "Besten Dank, jetzt läuft alles.",
    ),
    (
        "Automatische Antwort: {subject}",
        "Vielen Dank für Ihre Nachricht. Ich bin bis zum {day} nicht im Büro und antworte Ihnen "
        "nach meiner Rückkehr.",
    ),
)

FRENCH = Language(
    "Bonjour Madame Holm,",
    "Bien cordialement,",
    "Le {date} à {time}, {name} a écrit :",
    "RE: ",
    ("-----Message d'origine-----", "De", "Envoyé", "À", "Objet"),
    (
        (
            "Données manquantes, station {number}",
            "depuis le {day}, il nous manque plusieurs heures de mesures à la station {number}. Le "
            "marégraphe fonctionne et affiche des valeurs.\nPourriez-vous vérifier si les données "
            "sont arrivées chez vous ?",
        ),
        (
            "Demande de devis pour {count} appareils",
            "nous souhaitons équiper {count} sites supplémentaires l'été prochain.\nPourriez-vous "
            "nous envoyer un devis, avec les délais de livraison ?",
        ),
        (
            "Visite du {date}",
            "nous serons deux à Göteborg le {date} et aimerions voir le bassin d'étalonnage.\nUne "
            "heure dans la matinée vous conviendrait-elle ?",
        ),
    ),
    (
        "Vous trouverez ci-joint l'enregistrement de notre centrale.",
        "Cela nous conviendrait très bien. Avez-vous besoin d'autre chose ?",
        "Le problème persiste, mais seulement à marée basse.",
        "Jusqu'à quand votre offre est-elle valable ?",
    ),
    ("Merci beaucoup, tout fonctionne.", "Parfait, merci pour votre réponse rapide."),
    (
        "Réponse automatique : {subject}",
        "Je ne suis pas au bureau jusqu'au {day}. Je vous répondrai à mon retour.",
    ),
)

SPANISH = Language(
    "Estimada Mira:",
    "Un saludo,",
    "El {date} a las {time}, {name} escribió:",
    "RE: ",
    ("-----Mensaje original-----", "De", "Enviado", "Para", "Asunto"),
    (
        (
            "Faltan datos de la estación {number}",
            "desde el {day} nos faltan varias horas de datos de la estación {number}. El mareógrafo "
            "funciona y muestra valores.\n¿Podrían comprobar si los datos llegaron a su servidor?",
        ),
        (
            "Presupuesto para {count} equipos",
            "queremos equipar {count} puertos más el próximo año.\n¿Nos pueden enviar un "
            "presupuesto con los plazos de entrega?",
        ),
        (
            "¿Cómo exporto los datos en hora local?",
            "la exportación da todas las horas en UTC y nuestro modelo necesita la hora local.\n"
            "¿Hay alguna opción para cambiarlo?",
        ),
    ),
    (
        "Adjunto el registro de nuestro equipo.",
        "Nos parece bien. ¿Necesitan algo más de nuestra parte?",
        "El error sigue apareciendo, pero solo con la marea baja.",
    ),
    ("Muchas gracias, ya funciona.", "Perfecto, gracias por la rapidez."),
    ("Respuesta automática: {subject}", "Estaré fuera de la oficina hasta el {day}."),
)

PORTUGUESE = Language(
    "Olá, Mira,",
    "Cumprimentos,",
    "Em {date}, às {time}, {name} escreveu:",
    "RES: ",
    ("-----Mensagem original-----", "De", "Enviada", "Para", "Assunto"),
    (
        (
            "Falha nos dados da estação {number}",
            "desde o dia {day} faltam várias horas de medições da estação {number}. O aparelho está "
            "ligado e mostra valores.\nPodem verificar se os dados chegaram ao vosso servidor?",
        ),
        (
            "Cotação para {count} aparelhos",
            "pretendemos instalar {count} novas estações.\nPodem enviar uma cotação com os prazos "
            "de entrega?",
        ),
    ),
    (
        "Segue em anexo o registo do nosso equipamento.",
        "Está bem para nós. Precisam de mais alguma informação?",
        "O erro continua, mas só na maré baixa.",
    ),
    ("Agradeço muito, já está a funcionar.", "Ótimo, agradeço a rapidez."),
    ("Resposta automática: {subject}", "Estarei ausente até {day}."),
)

POLISH = Language(
    "Dzień dobry,",
    "Z poważaniem",
    "W dniu {date} o {time}, {name} pisze:",
    "Odp: ",
    ("-----Wiadomość oryginalna-----", "Od", "Wysłano", "Do", "Temat"),
    (
        (
            "Brak danych ze stacji {number}",
            "od dnia {day} brakuje nam kilku godzin pomiarów ze stacji {number}. Urządzenie działa "
            "i pokazuje wartości.\nCzy mogliby Państwo sprawdzić, czy dane dotarły na serwer?",
        ),
        (
            "Zapytanie o ofertę: {count} urządzeń",
            "w przyszłym roku chcemy wyposażyć {count} kolejnych stacji.\nProsimy o ofertę wraz z "
            "terminem dostawy.",
        ),
    ),
    (
        "W załączniku przesyłam zapis z naszego rejestratora.",
        "Ten termin nam odpowiada. Czy potrzebują Państwo czegoś jeszcze?",
        "Błąd nadal występuje, ale tylko przy niskim stanie wody.",
    ),
    ("Dziękuję bardzo, już działa.", "Świetnie, dziękuję za szybką odpowiedź."),
    (
        "Automatyczna odpowiedź: {subject}",
        "Nie będzie mnie w biurze do {day}. Odpowiem po powrocie.",
    ),
)

CZECH = Language(
    "Dobrý den,",
    "S pozdravem",
    "Dne {date} v {time} {name} napsal(a):",
    "Re: ",
    ("-----Původní zpráva-----", "Od", "Odesláno", "Komu", "Předmět"),
    (
        (
            "Chybějící data ze stanice {number}",
            "od {day} nám chybí několik hodin měření ze stanice {number}. Přístroj běží a ukazuje "
            "hodnoty.\nMohli byste prosím ověřit, zda data dorazila na server?",
        ),
        (
            "Žádost o nabídku na {count} přístrojů",
            "příští rok chceme vybavit {count} dalších míst.\nProsíme o nabídku včetně dodací lhůty.",
        ),
    ),
    (
        "V příloze posílám záznam z našeho přístroje.",
        "To by nám vyhovovalo. Potřebujete od nás ještě něco?",
    ),
    ("Děkuji, už to funguje.", "Výborně, děkuji za rychlou odpověď."),
)

TURKISH = Language(
    "Merhaba Mira Hanım,",
    "Saygılarımla,",
    "{date} {time} tarihinde {name} şunu yazdı:",
    "Ynt: ",
    ("-----Özgün İleti-----", "Kimden", "Gönderme", "Kime", "Konu"),
    (
        (
            "{number} numaralı istasyonda eksik veri",
            "{day} tarihinden beri {number} numaralı istasyondan birkaç saatlik veri gelmiyor. "
            "Cihaz çalışıyor ve değer gösteriyor.\nVerilerin sunucunuza ulaşıp ulaşmadığını kontrol "
            "eder misiniz?",
        ),
        (
            "{count} cihaz için fiyat teklifi",
            "gelecek yıl {count} limana daha cihaz kurmak istiyoruz.\nTeslim süresiyle birlikte "
            "fiyat teklifi gönderebilir misiniz?",
        ),
    ),
    (
        "Cihazımızın kaydını ekte gönderiyorum.",
        "Bu tarih bizim için uygun. Bizden başka bir şeye ihtiyacınız var mı?",
    ),
    ("Çok teşekkürler, sorun çözüldü.", "Harika, hızlı yanıtınız için teşekkür ederim."),
    ("Otomatik yanıt: {subject}", "{day} tarihine kadar ofiste olmayacağım."),
)
