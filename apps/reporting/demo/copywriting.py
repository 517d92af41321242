"""What the demo campaigns say, in English, Norwegian, Polish and some German. Liquid merge fields as in the editor."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """One message in one language: subject, heading, text and button of the e-mail; the short text for SMS and calls."""

    subject: str
    heading: str
    text: str
    button: str
    short: str


COPY: dict[str, dict[str, Words]] = {
    "coats_store": {
        "en": Words(
            "{{ customer.given_name }}, winter coats are 20 % off in our stores",
            "Ready for the first frost",
            "Try them on, take them home: all winter coats are 20 % off in our stores this week. Our people help you find the right size.",
            "Find your store", "Fjell & Fjord: winter coats 20 % off in store this week. Stop: reply STOP"),
        "nb": Words(
            "{{ customer.given_name }}, 20 % på vinterkåper i butikk",
            "Klar for den første frosten",
            "Prøv dem på og ta dem med hjem: denne uka får du 20 % på alle vinterkåper i butikkene våre. Vi hjelper deg å finne riktig størrelse.",
            "Finn butikken din", "Fjell & Fjord: 20 % på vinterkåper i butikk denne uka. Stopp: svar STOP"),
        "pl": Words(
            "{{ customer.given_name }}, płaszcze zimowe 20 % taniej w sklepach",
            "Gotowi na pierwszy mróz",
            "Przymierz i zabierz do domu: w tym tygodniu wszystkie płaszcze zimowe w naszych sklepach są o 20 % tańsze. Pomożemy dobrać rozmiar.",
            "Znajdź sklep", "Fjell & Fjord: płaszcze zimowe 20 % taniej w sklepach. Rezygnacja: STOP"),
    },
    "coats_online": {
        "en": Words(
            "Coats at 30 % off, online only", "30 % off every coat",
            "For a few days every coat in the web shop is 30 % off with the code {{ offer.code }}. Delivered to your door, free returns within 60 days.",
            "See the coats", "Fjell & Fjord: 30 % off coats online with {{ offer.code }}: https://shop.fjellfjord.example/ Stop: reply STOP"),
        "nb": Words(
            "30 % på alle kåper, bare på nett", "30 % på alle kåper",
            "I noen dager får du 30 % på alle kåper i nettbutikken med koden {{ offer.code }}. Levert hjem, fri retur i 60 dager.",
            "Se kåpene", "Fjell & Fjord: 30 % på kåper på nett med {{ offer.code }}: https://shop.fjellfjord.example/ Stopp: svar STOP"),
        "pl": Words(
            "Płaszcze 30 % taniej, tylko online", "30 % zniżki na każdy płaszcz",
            "Przez kilka dni każdy płaszcz w sklepie internetowym jest o 30 % tańszy z kodem {{ offer.code }}. Dostawa do domu, darmowy zwrot przez 60 dni.",
            "Zobacz płaszcze", "Fjell & Fjord: płaszcze 30 % taniej z kodem {{ offer.code }}: https://shop.fjellfjord.example/ Rezygnacja: STOP"),
        "de": Words(
            "30 % auf alle Mäntel, nur online", "30 % auf jeden Mantel",
            "Einige Tage lang gibt es im Onlineshop 30 % auf jeden Mantel mit dem Code {{ offer.code }}. Lieferung nach Hause, 60 Tage Rückgabe.",
            "Zu den Mänteln", "Fjell & Fjord: 30 % auf Mäntel online mit {{ offer.code }}: https://shop.fjellfjord.example/ Stopp: STOP"),
    },
    "free_delivery": {
        "en": Words(
            "Free delivery all weekend", "We carry it to your door",
            "From Friday to Sunday we deliver every order free of charge, whatever you choose.",
            "To the shop", "Fjell & Fjord: free delivery until Sunday: https://shop.fjellfjord.example/ Stop: reply STOP"),
        "nb": Words(
            "Fri frakt hele helgen", "Vi bærer den hjem til deg",
            "Fra fredag til søndag leverer vi alle bestillinger fraktfritt, uansett hva du velger.",
            "Til nettbutikken", "Fjell & Fjord: fri frakt til søndag: https://shop.fjellfjord.example/ Stopp: svar STOP"),
        "pl": Words(
            "Darmowa dostawa przez cały weekend", "Zaniesiemy pod drzwi",
            "Od piątku do niedzieli każde zamówienie dostarczamy za darmo.",
            "Do sklepu", "Fjell & Fjord: darmowa dostawa do niedzieli: https://shop.fjellfjord.example/ Rezygnacja: STOP"),
    },
    "double_points": {
        "en": Words(
            "Double points until Sunday", "Twice the points on everything",
            "You have {{ attribute.points | default: 0 }} points. Until Sunday every purchase gives you twice as many new ones, in store and online.",
            "Use my points", "Fjell & Fjord Club: double points until Sunday. Stop: reply STOP"),
        "nb": Words(
            "Doble poeng til søndag", "Dobbelt opp på alt",
            "Du har {{ attribute.points | default: 0 }} poeng. Til søndag gir alle kjøp dobbelt så mange nye, i butikk og på nett.",
            "Bruk poengene", "Fjell & Fjord-klubben: doble poeng til søndag. Stopp: svar STOP"),
        "pl": Words(
            "Podwójne punkty do niedzieli", "Dwa razy więcej punktów",
            "Masz {{ attribute.points | default: 0 }} punktów. Do niedzieli każdy zakup daje dwa razy więcej nowych, w sklepie i online.",
            "Wykorzystaj punkty", "Klub Fjell & Fjord: podwójne punkty do niedzieli. Rezygnacja: STOP"),
    },
    "gold_preview": {
        "en": Words(
            "Gold members see it first", "A quiet hour before everyone else",
            "As a Gold member you can see and order the new winter collection two days before it opens to all, at full price and with your own adviser.",
            "See the preview", "Hello, this is Fjell & Fjord Club. We would like to invite you to the members' preview of the winter collection."),
        "nb": Words(
            "Gullmedlemmer ser det først", "En stille stund før alle andre",
            "Som gullmedlem kan du se og bestille vinterkolleksjonen to dager før den åpner for alle, til full pris og med din egen rådgiver.",
            "Se forhåndsvisningen", "Hei, dette er Fjell & Fjord-klubben. Vi vil gjerne invitere deg til medlemmenes forhåndsvisning av vinterkolleksjonen."),
        "pl": Words(
            "Złoci klubowicze widzą pierwsi", "Spokojna chwila przed wszystkimi",
            "Jako złoty klubowicz możesz obejrzeć i zamówić kolekcję zimową dwa dni wcześniej, w pełnej cenie i z własnym doradcą.",
            "Zobacz kolekcję", "Dzień dobry, tu klub Fjell & Fjord. Zapraszamy na przedpremierowy pokaz kolekcji zimowej."),
    },
    "recall": {
        "en": Words(
            "Important: stop using the head torch Tind 300", "Please stop using the head torch",
            "The battery of head torch Tind 300 can overheat. Stop using it and bring it to any store or send it to us free of charge. You get your money back at once.",
            "What to do now", "Fjell & Fjord safety notice: stop using head torch Tind 300, the battery can overheat. Bring it back, money returned."),
        "nb": Words(
            "Viktig: slutt å bruke hodelykten Tind 300", "Slutt å bruke hodelykten",
            "Batteriet i hodelykten Tind 300 kan bli overopphetet. Slutt å bruke den og lever den i en butikk eller send den gratis til oss. Du får pengene tilbake med en gang.",
            "Dette gjør du nå", "Fjell & Fjord sikkerhetsvarsel: slutt å bruke hodelykten Tind 300, batteriet kan overopphetes. Lever den, få pengene igjen."),
        "pl": Words(
            "Ważne: nie używaj czołówki Tind 300", "Prosimy nie używać czołówki",
            "Bateria czołówki Tind 300 może się przegrzać. Nie używaj jej i oddaj w dowolnym sklepie albo wyślij do nas za darmo. Pieniądze zwracamy od razu.",
            "Co teraz zrobić", "Fjell & Fjord, ostrzeżenie: nie używaj czołówki Tind 300, bateria może się przegrzać. Oddaj, zwrócimy pieniądze."),
    },
    "thanks": {
        "en": Words(
            "Thank you, {{ customer.given_name }}", "Thank you for your purchase",
            "We hope it keeps you warm for many winters. Here is how to care for it, and how to reach us if something is not right.",
            "Care and returns", "Thank you for your purchase. Questions? Just reply."),
        "nb": Words(
            "Takk, {{ customer.given_name }}", "Takk for handelen",
            "Vi håper du får mange varme vintre med det. Her ser du hvordan du tar vare på det, og hvordan du når oss hvis noe ikke stemmer.",
            "Stell og retur", "Takk for handelen. Spørsmål? Bare svar."),
        "pl": Words(
            "Dziękujemy, {{ customer.given_name }}", "Dziękujemy za zakup",
            "Mamy nadzieję, że ogrzeje Cię przez wiele zim. Tu znajdziesz wskazówki, jak o niego dbać, i jak się z nami skontaktować.",
            "Pielęgnacja i zwroty", "Dziękujemy za zakup. Pytania? Wystarczy odpisać."),
    },
    "newsletter": {
        "en": Words(
            "This week: wool, well kept", "Wool, well kept",
            "How to wash, air and mend wool so that it lasts. And three walks for a grey Sunday.",
            "Read on", "Fjell & Fjord weekly: https://shop.fjellfjord.example/"),
        "nb": Words(
            "Denne uka: ull som varer", "Ull som varer",
            "Slik vasker, lufter og reparerer du ull. Og tre turer for en grå søndag.",
            "Les mer", "Fjell & Fjord ukebrev: https://shop.fjellfjord.example/"),
        "pl": Words(
            "W tym tygodniu: wełna na lata", "Wełna na lata",
            "Jak prać, wietrzyć i naprawiać wełnę. I trzy spacery na szarą niedzielę.",
            "Czytaj dalej", "Fjell & Fjord, tydzień: https://shop.fjellfjord.example/"),
    },
    "survey": {
        "en": Words(
            "Two minutes: how did we do?", "How did we do?",
            "You bought from us this autumn. Four short questions help us do better. Nobody but us sees the answers.",
            "Answer four questions", "Fjell & Fjord: how did we do? https://shop.fjellfjord.example/"),
        "nb": Words(
            "To minutter: hvordan gjorde vi det?", "Hvordan gjorde vi det?",
            "Du har handlet hos oss i høst. Fire korte spørsmål hjelper oss å bli bedre. Bare vi ser svarene.",
            "Svar på fire spørsmål", "Fjell & Fjord: hvordan gjorde vi det? https://shop.fjellfjord.example/"),
        "pl": Words(
            "Dwie minuty: jak nam poszło?", "Jak nam poszło?",
            "Jesienią kupiłeś u nas. Cztery krótkie pytania pomogą nam się poprawić. Odpowiedzi widzimy tylko my.",
            "Odpowiedz na cztery pytania", "Fjell & Fjord: jak nam poszło? https://shop.fjellfjord.example/"),
    },
    "boots": {
        "en": Words(
            "Winter boots, 15 % off", "Dry feet, warm toes",
            "Lined, waterproof and made to be resoled: winter boots are 15 % off until Sunday with the code {{ offer.code }}.",
            "See the boots", "Fjell & Fjord: winter boots 15 % off with {{ offer.code }}. Stop: reply STOP"),
        "nb": Words(
            "15 % på vinterstøvler", "Tørre føtter, varme tær",
            "Fôret, vanntett og laget for å såles om: 15 % på vinterstøvler til søndag med koden {{ offer.code }}.",
            "Se støvlene", "Fjell & Fjord: 15 % på vinterstøvler med {{ offer.code }}. Stopp: svar STOP"),
        "pl": Words(
            "Buty zimowe 15 % taniej", "Sucho i ciepło",
            "Ocieplane, nieprzemakalne i łatwe do podzelowania: buty zimowe 15 % taniej do niedzieli z kodem {{ offer.code }}.",
            "Zobacz buty", "Fjell & Fjord: buty zimowe 15 % taniej z kodem {{ offer.code }}. Rezygnacja: STOP"),
    },
}
