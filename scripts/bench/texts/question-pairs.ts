/**
 * Lists of questions with answers, each also asked in other words, and questions that no row answers, for `npm run bench -- models`:
 * general ones in English, a shop's help, facts of a library, general ones in German and in French. All were written before any way to refuse was tried.
 */
import { HELD_BACK_QUESTIONS, KNOWN_QUESTIONS, type KnownQuestion, known } from "./known-questions.ts";
import { FAR_LIBRARY_QUESTIONS, LIBRARY_QUESTIONS, NEAR_LIBRARY_QUESTIONS } from "./library-questions.ts";

/** Rows of a model, and questions that none of them answers. */
export interface QuestionList {
  readonly name: string;
  readonly rows: readonly KnownQuestion[];
  readonly unanswerable: readonly string[];
}

const GENERAL_UNANSWERABLE = [
  "What is the capital of Norway?",
  "How many teeth does a dog have?",
  "Who painted The Night Watch?",
  "Why is grass green?",
  "What is osmosis?",
  "When did the First World War begin?",
  "At what temperature does iron melt?",
  "What is the smallest planet in the solar system?",
  "Who wrote Pride and Prejudice?",
  "How far is Mars from the Sun?",
  "What is the chemical symbol for silver?",
  "Which river flows through Paris?",
  "Who discovered X-rays?",
  "What does NASA stand for?",
  "How fast does sound travel in water?",
  "What is the currency of Switzerland?",
  "How do submarines dive?",
  "Who invented the light bulb?",
  "What do koalas eat?",
  "How long does it take to learn the piano?",
] as const;

const SHOP: QuestionList = {
  name: "shop",
  rows: (
    [
      [
        "How do I return an item?",
        "Open your order, choose Return, and print the label. You have 30 days from delivery.",
        "I want to send something back, what do I do?",
      ],
      [
        "When will I get my refund?",
        "We refund within five working days after the parcel is back with us.",
        "How long until the money is in my account again?",
      ],
      [
        "How much is shipping?",
        "Shipping is 4.90 euros, and free above 50 euros.",
        "What do I pay for delivery to my home?",
      ],
      [
        "Which countries do you ship to?",
        "We ship to all countries of the European Union, Norway and Switzerland.",
        "Can you deliver a parcel to Norway?",
      ],
      [
        "How can I track my order?",
        "The e-mail that says your parcel has left has a link for tracking.",
        "Where is my parcel right now?",
      ],
      [
        "Which payment methods do you accept?",
        "You can pay by card, bank transfer, PayPal or on invoice.",
        "Can I pay with PayPal?",
      ],
      [
        "How do I change my delivery address?",
        "Until the parcel leaves you can change the address under My orders.",
        "My order should go to another address, is that possible?",
      ],
      [
        "How do I cancel an order?",
        "Orders can be cancelled for one hour after you placed them, by the button Cancel.",
        "Is it possible to cancel what I ordered this morning?",
      ],
      [
        "How do I reset my password?",
        "Choose Forgotten password on the sign-in page; a link comes by e-mail.",
        "I forgot my password and cannot sign in.",
      ],
      [
        "How do I delete my account?",
        "Under Settings, choose Delete account. Invoices stay for ten years, as the law demands.",
        "Please remove my account and all my data.",
      ],
      [
        "Do you offer gift cards?",
        "Gift cards of 10 to 200 euros are under Gifts; they are valid for three years.",
        "I would like to buy a voucher as a gift for a friend.",
      ],
      [
        "My item arrived damaged. What now?",
        "Send us a picture of the damage within a week, and we send a new one at once.",
        "The lamp was broken when I unpacked it.",
      ],
      [
        "How long is the warranty?",
        "All articles have a warranty of two years, electric ones of three.",
        "For how many years is a device under warranty?",
      ],
      [
        "Can I exchange an item for another size?",
        "Yes: return it and write the size you want on the slip; the exchange is free.",
        "The shoes are too small, can I have them in a larger size?",
      ],
      [
        "Do you have a shop that I can visit?",
        "Our shop is at Harbour Street 12 in Bremen, open from Monday to Saturday.",
        "Where can I look at your goods in person?",
      ],
      [
        "How do I unsubscribe from the newsletter?",
        "Each newsletter has a link at its end by which you leave it.",
        "I do not want your newsletter any more.",
      ],
      [
        "Why was my payment declined?",
        "Most often the bank wants a confirmation in its app. Ask your bank if there is none.",
        "My card did not work at the checkout.",
      ],
      [
        "Are batteries included?",
        "Batteries are included where the page of the article says so.",
        "Do I have to buy batteries separately?",
      ],
      [
        "How do I use a discount code?",
        "Enter the code in the basket, below the list of articles. One code an order.",
        "Where do I type in my coupon code?",
      ],
      [
        "How do I reach customer service?",
        "Write to help@shop.example or call 0421 555 0100 on weekdays from nine to five.",
        "What is your phone number?",
      ],
    ] as const
  ).map(known),
  unanswerable: [
    "Do you hire students in the summer?",
    "How do I assemble the bookshelf?",
    "Which wood is the table made of?",
    "Can I wash the pillow at 60 degrees?",
    "Do you ship to Japan?",
    "Who founded your company?",
    "How heavy is the standing desk?",
    "Do you have vegan leather shoes?",
    "How many watts does the lamp have?",
    "Is there parking near the shop?",
    "How do I become a reseller?",
    "What is your stance on child labour?",
    "Can I order fabric samples?",
    "Why is my password visible to others?",
    "How do I descale the coffee machine?",
  ],
};

const GERMAN: QuestionList = {
  name: "german",
  rows: (
    [
      [
        "Was ist die Hauptstadt von Australien?",
        "Die Hauptstadt von Australien ist Canberra.",
        "In welcher Stadt sitzt die australische Regierung?",
      ],
      [
        "Wer hat die Mona Lisa gemalt?",
        "Leonardo da Vinci malte die Mona Lisa zu Beginn des 16. Jahrhunderts.",
        "Von welchem Künstler stammt das Gemälde Mona Lisa?",
      ],
      [
        "Warum ist der Himmel blau?",
        "Die Luft streut kurzwelliges Licht stärker, deshalb kommt blaues Licht aus allen Richtungen.",
        "Woher hat der Himmel am Tag seine Farbe?",
      ],
      [
        "Wie viele Knochen hat ein Mensch?",
        "Ein Erwachsener hat 206 Knochen, ein Neugeborenes etwa 300.",
        "Aus wie vielen Knochen besteht unser Skelett?",
      ],
      [
        "Wann endete der Zweite Weltkrieg?",
        "Der Zweite Weltkrieg endete 1945, in Europa im Mai.",
        "In welchem Jahr war der Zweite Weltkrieg vorbei?",
      ],
      [
        "Bei welcher Temperatur kocht Wasser?",
        "Auf Meereshöhe kocht Wasser bei 100 Grad Celsius.",
        "Wie heiß muss Wasser werden, bis es kocht?",
      ],
      [
        "Was ist der größte Planet im Sonnensystem?",
        "Jupiter ist der größte Planet des Sonnensystems.",
        "Welcher unserer Planeten hat die größte Masse?",
      ],
      [
        "Wer schrieb den Faust?",
        "Johann Wolfgang von Goethe schrieb den Faust.",
        "Wie heißt der Autor des Dramas Faust?",
      ],
      [
        "Wie weit ist der Mond von der Erde entfernt?",
        "Der Mond ist im Mittel 384.400 Kilometer entfernt.",
        "Welche Entfernung liegt zwischen uns und dem Mond?",
      ],
      [
        "Was ist der längste Fluss der Welt?",
        "Der Nil gilt mit etwa 6650 Kilometern als der längste Fluss.",
        "Gibt es einen Fluss, der länger ist als alle anderen?",
      ],
      [
        "Wer entdeckte das Penicillin?",
        "Alexander Fleming entdeckte das Penicillin im Jahr 1928.",
        "Wem verdanken wir die Entdeckung von Penicillin?",
      ],
      [
        "Wie schnell ist das Licht?",
        "Licht legt im Vakuum 299.792 Kilometer in der Sekunde zurück.",
        "Mit welcher Geschwindigkeit bewegt sich Licht?",
      ],
      [
        "Was ist der höchste Berg der Erde?",
        "Der Mount Everest ist mit 8849 Metern der höchste Berg.",
        "Welcher Berg ragt am weitesten über das Meer?",
      ],
      [
        "Wodurch entstehen Ebbe und Flut?",
        "Die Anziehung des Mondes auf die Meere bewirkt Ebbe und Flut.",
        "Warum steigt und fällt das Meer zweimal am Tag?",
      ],
      ["Welche Währung hat Japan?", "In Japan bezahlt man mit Yen.", "Mit welchem Geld bezahlen Japaner?"],
      [
        "Wie wirkt eine Impfung?",
        "Eine Impfung zeigt der Abwehr einen harmlosen Teil des Erregers.",
        "Auf welche Weise schützen Impfungen vor Krankheiten?",
      ],
      [
        "Wer erfand das Telefon?",
        "Alexander Graham Bell bekam 1876 das erste Patent auf ein Telefon.",
        "Wessen Erfindung war das Telefon?",
      ],
      [
        "Warum ist das Meer salzig?",
        "Flüsse waschen Salze aus dem Gestein und tragen sie ins Meer.",
        "Wie kam das Salz in die Ozeane?",
      ],
      [
        "Was ist ein Schaltjahr?",
        "Ein Schaltjahr hat 366 Tage, der 29. Februar kommt hinzu.",
        "Weshalb haben manche Jahre einen Tag mehr?",
      ],
      [
        "Welche Sprache spricht man in Brasilien?",
        "In Brasilien spricht man Portugiesisch.",
        "Was sprechen die Brasilianer?",
      ],
    ] as const
  ).map(known),
  unanswerable: [
    "Was ist die Hauptstadt von Kanada?",
    "Wer hat die Sixtinische Kapelle ausgemalt?",
    "Warum ist Gras grün?",
    "Wie viele Zähne hat ein Hund?",
    "Wann fiel die Berliner Mauer?",
    "Bei welcher Temperatur schmilzt Eisen?",
    "Wer schrieb die Buddenbrooks?",
    "Was fressen Pandas?",
    "Welche Währung hat die Schweiz?",
    "Wie funktioniert ein Magnet?",
    "Wer erfand die Glühbirne?",
    "Welche Sprache spricht man in Ägypten?",
    "Was ist ein Erdbeben?",
    "Wie viele Saiten hat eine Geige?",
    "Wo liegt der Bodensee?",
  ],
};

const FRENCH: QuestionList = {
  name: "french",
  rows: (
    [
      [
        "Quelle est la capitale de l'Australie ?",
        "La capitale de l'Australie est Canberra.",
        "Dans quelle ville siège le gouvernement australien ?",
      ],
      [
        "Qui a peint la Joconde ?",
        "Léonard de Vinci a peint la Joconde au début du XVIe siècle.",
        "De quel peintre est la Joconde ?",
      ],
      [
        "Pourquoi le ciel est-il bleu ?",
        "L'air diffuse davantage la lumière bleue que la lumière rouge.",
        "D'où vient la couleur du ciel pendant la journée ?",
      ],
      [
        "Combien d'os a un adulte ?",
        "Un adulte a 206 os.",
        "De combien d'os se compose le squelette d'un adulte ?",
      ],
      [
        "Quand la Seconde Guerre mondiale a-t-elle pris fin ?",
        "La Seconde Guerre mondiale a pris fin en 1945.",
        "En quelle année s'est achevée la Seconde Guerre mondiale ?",
      ],
      [
        "À quelle température l'eau bout-elle ?",
        "Au niveau de la mer l'eau bout à 100 degrés.",
        "À combien de degrés faut-il chauffer l'eau ?",
      ],
      [
        "Qui a écrit Les Misérables ?",
        "Victor Hugo a écrit Les Misérables en 1862.",
        "Quel écrivain est l'auteur des Misérables ?",
      ],
      [
        "Quelle est la plus haute montagne du monde ?",
        "L'Everest est la plus haute montagne, avec 8 849 mètres.",
        "Quelle montagne dépasse toutes les autres ?",
      ],
      [
        "Qui a découvert la pénicilline ?",
        "Alexander Fleming a découvert la pénicilline en 1928.",
        "À qui doit-on la découverte de la pénicilline ?",
      ],
      [
        "Quelle langue parle-t-on au Brésil ?",
        "Au Brésil on parle portugais.",
        "Que parlent les Brésiliens ?",
      ],
      [
        "Pourquoi la mer est-elle salée ?",
        "Les rivières apportent à la mer le sel des roches.",
        "D'où vient le sel de la mer ?",
      ],
      [
        "Quelle est la monnaie du Japon ?",
        "La monnaie du Japon est le yen.",
        "Avec quoi paie-t-on au Japon ?",
      ],
    ] as const
  ).map(known),
  unanswerable: [
    "Quelle est la capitale du Canada ?",
    "Qui a peint Guernica ?",
    "Pourquoi l'herbe est-elle verte ?",
    "Combien de dents a un chien ?",
    "Quand le mur de Berlin est-il tombé ?",
    "À quelle température le fer fond-il ?",
    "Qui a écrit Madame Bovary ?",
    "Que mangent les pandas ?",
    "Quelle est la monnaie de la Suisse ?",
    "Comment fonctionne un aimant ?",
  ],
};

/** The first list is that by which the way to find rows was chosen; limits were compared on all. */
export const QUESTION_LISTS: readonly QuestionList[] = [
  {
    name: "general",
    rows: KNOWN_QUESTIONS,
    unanswerable: HELD_BACK_QUESTIONS.map(({ question }) => question),
  },
  {
    name: "heldBack",
    rows: HELD_BACK_QUESTIONS,
    unanswerable: KNOWN_QUESTIONS.map(({ question }) => question),
  },
  { name: "generalOthers", rows: KNOWN_QUESTIONS, unanswerable: GENERAL_UNANSWERABLE },
  {
    name: "library",
    rows: LIBRARY_QUESTIONS,
    unanswerable: [...NEAR_LIBRARY_QUESTIONS, ...FAR_LIBRARY_QUESTIONS],
  },
  SHOP,
  GERMAN,
  FRENCH,
];
