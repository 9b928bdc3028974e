# Was Kundinnen und Kunden lesen. Jede Sprache hat dieselben Texte; ein Test vergleicht die Dateien.

## Um jede Seite

skip = Zum Inhalt springen
shop = Laden
menu = Menü
main-navigation = Hauptmenü
home = Startseite
all-pieces = Alle Stücke
new-pieces = Neue Stücke
more = Mehr
your-cart = Ihr Warenkorb
cart = Warenkorb
cart-with = { $count ->
    [one] Warenkorb, { $count } Stück
   *[other] Warenkorb, { $count } Stück
}
good-to-know = Gut zu wissen
trial-shop = Dies ist ein Probeladen: Es wird nichts berechnet und nichts verschickt.
you-are-here = Sie sind hier
look-at-these = Vielleicht gefällt Ihnen das
items = { $count ->
    [one] { $count } Stück
   *[other] { $count } Stück
}
date = { $day }. { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
} { $year }
free = Kostenlos
delivery-free = { $name } kostenlos
delivery-for = { $name } für { $price }
destinations-more = { $count ->
    [one] { $named } und ein weiteres Land
   *[other] { $named } und { $count } weitere Länder
}
sold-out = Ausverkauft
sale = Reduziert
from = Ab
from-price = { $title }, ab { $price }.
at-price = { $title }, { $price }.
see = { $title } ansehen
price-now = Jetzt
price-instead = statt
quantity = Menge
subtotal = Zwischensumme
delivery = Lieferung
total = Gesamt
order-summary = Bestellübersicht
your-order = Ihre Bestellung
summary = Übersicht
reduced-pieces = Reduzierte Stücke
delivers-to = Wir liefern nach { $destinations }.
runs-on = Läuft mit Tradewind
prices-in = Preise in { $currency }
colours = { $count ->
    [one] { $count } Farbe
   *[other] { $count } Farben
}

## Startseite

see-what-is-new = Neues ansehen
nothing-on-shelves = Die Regale sind noch leer.
looking-for = Was suchen Sie?
picked-first = Für Sie zuerst ausgesucht
new-on-shelves = Neu im Regal
all-new-pieces = Alles Neue

## Listen

within = In { $title }
products = Produkte
pieces = { $count ->
    [one] { $count } Stück
   *[other] { $count } Stücke
}
sort-by = Sortieren nach
sort = Sortieren
sort-featured = Empfehlung
sort-newest = Neueste
sort-price-ascending = Preis aufsteigend
sort-price-descending = Preis absteigend
sort-title = Name
nothing-on-shelf = In diesem Regal steht noch nichts.
see-all-pieces = Alle Stücke ansehen
pages = Seiten
more-pieces = Weitere Stücke
list-at = { $title } bei { $shop }.
previous-pieces = Vorige Stücke
first-pieces = Erste Stücke
filter = Filter
filters-active = { $count } aktiv
filter-in-stock = Auf Lager
filter-reduced = Reduziert
filter-price = Preis
filter-availability = Verfügbarkeit
filter-between = { $lowest } bis { $highest }
filter-at-least = Ab { $lowest }
filter-at-most = Bis { $highest }
lowest-price = Niedrigster Preis in { $currency }
highest-price = Höchster Preis in { $currency }
range-to = bis
more-values = { $count } weitere
apply-filter = Anwenden
show-result = { $result } zeigen
active-filters = Aktive Filter
remove-filter = Filter entfernen
clear-filters = Alle löschen
nothing-fits-title = Nichts passt zu allem davon
nothing-fits = Nehmen Sie einen der Filter weg oder fangen Sie neu an.

## Ein Produkt

pictures = Bilder
scroll-for-more = Für weitere Bilder scrollen
add-to-cart = In den Warenkorb
show-choice = Preis und Bestand dieser Auswahl zeigen
one-fewer = Eins weniger
one-more = Eins mehr
to-destinations = Nach { $destinations }
about-piece = Über dieses Stück
size-material-care = Maße, Material, Pflege
sku = Artikelnummer { $sku }
stock-in = Auf Lager
stock-low = Nur noch wenige da
not-made = In dieser Kombination nicht erhältlich
not-made-choose = In dieser Kombination gibt es das nicht. Bitte wählen Sie eine andere.
not-made-in = Nicht erhältlich in { $others }
sold-out-in = Ausverkauft in { $others }
quantity-range = Bitte wählen Sie eine Menge von 1 bis { $most }.
only-left-with-cart = Nur noch { $count } da, einschließlich der Menge in Ihrem Warenkorb. Bitte wählen Sie weniger.
choice-sold-out = Diese Auswahl ist ausverkauft. Bitte wählen Sie eine andere.
choice-not-sold = Diese Auswahl verkaufen wir nicht mehr. Bitte wählen Sie eine andere.
cart-being-paid = Der Warenkorb wird gerade bezahlt. Warten Sie, bis das beendet ist, und legen Sie dann mehr hinein.
not-added = Das wurde nicht in den Warenkorb gelegt. Bitte versuchen Sie es noch einmal.
not-made-brief = Gibt es nicht

## Der Warenkorb

is-in-cart = { $title } liegt in Ihrem Warenkorb.
cart-completing = Dieser Warenkorb wird gerade bezahlt.
see-payment = Stand der Zahlung ansehen
cart-blocked = Seit Sie das hineingelegt haben, hat sich etwas geändert. Bitte sehen Sie sich die markierten Zeilen an; alles andere ist, wie Sie es verlassen haben.
cart-items = Artikel
each = je { $price }
set-quantity = Menge setzen
one-fewer-of = Eins weniger von { $title }
one-more-of = Eins mehr von { $title }
quantity-of = Menge von { $title }
take = { $count } nehmen
remove = Entfernen
keep-looking = Weiter umsehen
go-to-checkout = Zur Kasse
mend-first = Bitte bringen Sie zuerst die markierten Zeilen in Ordnung.
no-account = Sie bestellen und bezahlen auf der nächsten Seite, ohne Konto.
cart-empty = Ihr Warenkorb ist leer. Hier ist etwas für den Anfang.
price-changed = Als Sie das hineingelegt haben, kostete es { $was }. Jetzt kostet es { $now }.
only-left = Nur noch { $count } da.
sold-out-since = Inzwischen ausverkauft. Nehmen Sie es heraus, um weiterzugehen.
no-longer-sold = Das verkaufen wir nicht mehr. Nehmen Sie es heraus, um weiterzugehen.
quantity-kept-only = Ihre Menge wurde nicht geändert. Es sind nur { $count } da.
quantity-kept = Ihre Menge wurde nicht geändert. So viele sind nicht da.
line-kept = Das wurde nicht geändert. Bitte versuchen Sie es noch einmal.
close-cart = Warenkorb schließen
view-cart = Warenkorb ansehen
cart-is-empty = Ihr Warenkorb ist leer.
cart-now = { $items } in Ihrem Warenkorb, { $subtotal }.

## Kasse

checkout = Kasse
back-to-cart = Zum Warenkorb
optional = { $label } (freiwillig)
country = Land
full-name = Vor- und Nachname
company = Firma
street = Straße und Hausnummer
extra = Wohnung, Stock, zu Händen
postcode = Postleitzahl
city = Ort
region = Bundesstaat oder Provinz
phone = Telefon
email = E-Mail
keep-what-is-there = Behalten, was da ist
things-to-mend = { $count ->
    [one] Eine Angabe braucht einen Blick:
   *[other] { $count } Angaben brauchen einen Blick:
}
nothing-lost = Alles andere ist noch da.
order-button = Bestellen
contact = Kontakt
email-hint = Damit wir Sie zu dieser Bestellung erreichen, und für nichts anderes.
delivery-address = Lieferadresse
phone-hint = Nur für den Zustelldienst, nur wenn er Sie nicht findet.
payment = Zahlung
test-card = Testkarte
no-real-card = Hier wird keine echte Karte verlangt oder angenommen.
no-way-to-pay = Hier ist noch keine Zahlungsart eingerichtet. Ihr Warenkorb bleibt erhalten; bitte kommen Sie später wieder.
billing-same = Rechnungsadresse ist dieselbe
billing-address = Rechnungsadresse
review = Prüfen
review-text = { $items } für { $subtotal }, { $name } { $delivery }. Mehr als den Gesamtbetrag von { $total } zahlen Sie nicht.
order-and-pay = Zahlungspflichtig bestellen: { $total }
field-country = Land
field-name = Name
field-company = Firma
field-street = Straße
field-extra = Adresszusatz
field-postcode = Postleitzahl
field-city = Ort
field-region = Bundesstaat oder Provinz
field-phone = Telefonnummer
field-email = E-Mail-Adresse
field-payment = Zahlung
field-test_card = Testkarte
field-of-billing = { $name } der Rechnungsadresse
hint-email = Bitte geben Sie eine E-Mail-Adresse wie name@example.com ein.
hint-country = Bitte wählen Sie ein Land, in das wir liefern.
hint-name = Bitte geben Sie Vor- und Nachnamen ein.
hint-street = Bitte geben Sie Straße und Hausnummer ein.
hint-city = Bitte geben Sie den Ort ein.
hint-payment = Bitte wählen Sie, wie Sie bezahlen möchten.
hint-test_card = Bitte wählen Sie eine der Testkarten.
hint-other = Das passt hier nicht. Bitte sehen Sie es sich noch einmal an.
hint-postcode = Postleitzahlen dieses Landes haben { $digits ->
    [4] vier
   *[5] fünf
} Ziffern, zum Beispiel { $example }.
order-changed-title = Bitte sehen Sie sich Ihre Bestellung noch einmal an
order-changed-total = Der Gesamtbetrag ist jetzt { $now }; zuletzt gesehen haben Sie { $was }. Es wurde noch nichts bestellt.
order-changed = Ihr Warenkorb hat sich geändert. Es wurde noch nichts bestellt.
order-short-title = Nicht alles ist noch da
order-short = Jemand war schneller: Es ist weniger da, als in Ihrem Warenkorb liegt. Es wurde noch nichts bestellt.
order-refused-title = Das konnte nicht bestellt werden
order-refused = Es wurde nichts bestellt. Bitte sehen Sie in Ihren Warenkorb und versuchen Sie es noch einmal.
order-unknown-title = Wir haben nicht rechtzeitig Antwort bekommen
order-unknown = Ihre Bestellung ist vielleicht schon da. Senden Sie das Formular noch einmal: Es zählt einmal, und Sie zahlen einmal.
payment-declined-title = Die Zahlung wurde abgelehnt
payment-declined = Es wurde nichts abgebucht. Versuchen Sie es mit einer anderen Karte oder Zahlungsart.
payment-canceled-title = Die Zahlung wurde abgebrochen
payment-canceled = Es wurde nichts abgebucht. Der Warenkorb ist, wie er war.
payment-expired-title = Die Zahlung wurde nicht rechtzeitig bestätigt
payment-expired = Es wurde nichts abgebucht. Der Warenkorb ist, wie er war.
method-manual = Überweisung
method-manual-text = Wir verschicken Ihre Bestellung, sobald die Überweisung da ist.
method-sandbox = Testkarte
method-sandbox-text = Nur zum Ausprobieren: Wählen Sie eine Testkarte. Es fließt kein Geld, und echte Karten werden abgelehnt.
card-0000000000001000 = Sofort angenommen
card-0000000000002001 = Abgelehnt: Die Bank sagt nein
card-0000000000002002 = Abgelehnt: nicht genug Geld
card-0000000000002003 = Abgelehnt: Karte abgelaufen
card-0000000000003000 = Verlangt einen zweiten Schritt
card-0000000000004000 = Keine Antwort, später angenommen
card-0000000000004001 = Die Anfrage kommt nie an
card-0000000000005000 = Nach zwei Sekunden angenommen
card-0000000000005001 = Nach zwei Sekunden abgelehnt
card-0000000000006000 = Angenommen und zweimal gesagt
card-0000000000007000 = Angenommen; Einzug unbeantwortet
card-0000000000008000 = Angenommen; Einzug abgelehnt
payment-working-title = Ihre Zahlung wird bestätigt
payment-working = Das dauert meist ein paar Sekunden. Die Seite sieht von selbst wieder nach und zeigt Ihre Bestellung, sobald sie da ist. Sie zahlen einmal, auch wenn Sie neu laden.
payment-unconfirmed-title = Ihre Zahlung ist noch nicht bestätigt
payment-unconfirmed = Ein Schritt auf der Zahlungsseite fehlt noch. Bis Sie dort bestätigen, wird nichts abgebucht.
go-on-to-payment = Weiter zur Zahlungsseite
confirmed-look-again = Ich habe bestätigt, noch einmal nachsehen
look-again = Noch einmal nachsehen

## Eine Bestellung

thank-you = Vielen Dank
thank-you-name = Vielen Dank, { $name }
order-is-in = Bestellung { $number } ist eingegangen.
order-kept = Dieser Browser merkt sich 60 Tage lang den Weg zu Ihrer Bestellung.
see-your-order = Bestellung ansehen
back-to-shop = Zurück zum Laden
order-number = Bestellung { $number }
made-on = Bestellt am { $date }.
going-to = Geht an
billed-to = Rechnung an
quantity-is = Menge { $count }
status-canceled = Storniert
status-waiting = Wartet auf die Zahlung
status-paid = Bezahlt
status-partly-paid = Teilweise bezahlt
status-authorized = Zahlung bestätigt
status-partly-refunded = Teilweise erstattet
status-refunded = Erstattet
status-voided = Zahlung freigegeben
status-pending = Zahlung steht aus
order-progress = Wie weit sie ist
step-ordered = Bestellt
step-confirmed = Zahlung bestätigt
order-canceled = Der Laden hat sie storniert.
nothing-to-pay = Es ist nichts zu zahlen.

## Wenn etwas nicht da ist

go-home = Zur Startseite
error-not-found-title = Dieses Regal ist leer
error-not-found = Die Seite ist umgezogen oder war nie da. Der Rest des Ladens ist, wo Sie ihn verlassen haben.
error-elsewhere-title = Das kam von anderswo
error-elsewhere = Das Formular wurde nicht von einer Seite dieses Ladens gesendet, darum ist nichts geschehen. Öffnen Sie die Seite noch einmal und senden Sie es von dort.
error-method-title = Das geht hier nicht
error-method = Diese Adresse nimmt so eine Anfrage nicht an. Es ist nichts geschehen.
error-unread-title = Das war nicht zu lesen
error-unread = Die Anfrage hatte keine Form, die wir kennen. Es ist nichts geschehen.
error-internal-title = Bei uns ist etwas fehlgeschlagen
error-internal = Es ist vermerkt und wird angesehen. Ihr Warenkorb ist sicher; bitte versuchen Sie es noch einmal.
error-away-title = Gleich wieder da
error-away = Ein Teil des Ladens ist gerade nicht erreichbar. Ihr Warenkorb ist sicher. Laden Sie die Seite in ein paar Sekunden neu; ein gesendetes Formular wird noch einmal gesendet und zählt einmal.
try-again = Noch einmal versuchen
closed-title = Wir sind gleich zurück
closed = Am Laden wird gearbeitet, er ist für kurze Zeit geschlossen. Ihr Warenkorb bleibt erhalten. Diese Seite schaut von selbst nach, ob wir wieder offen haben.
