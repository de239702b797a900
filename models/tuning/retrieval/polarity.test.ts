/** Tests of questions that are negated or take the opposite side: no row answers them whose question does not. */
import { describe, expect, it } from "vitest";
import { languageWordsOf } from "./function-words.ts";
import { QuestionMatcher } from "./match-questions.ts";
import { isContrary, stanceReader } from "./polarity.ts";
import { POLARITY_WORDS } from "./polarity-words.ts";
import { questionWords } from "./question-words.ts";

type Turns = readonly (readonly [string, string])[];
const ENGLISH: Turns = [
  ["Who may use the sauna?", "Members above the age of 16."],
  ["Which boats may guests row?", "The two green ones at the jetty."],
  ["Are helmets required on the climbing wall?", "Yes, from the second rope on."],
  ["Who can join the night hike?", "Everybody with a lamp and sturdy boots."],
  ["Can I park my trailer behind the hall?", "Yes, for three days."],
  ["May dogs run without a leash?", "Only on the meadow by the mill."],
  ["Is insurance included in the fee?", "Yes, for accidents on the grounds."],
  ["What do I pay before the course starts?", "A deposit of 40 euros."],
  ["What do I pay after the course starts?", "The rest in two parts."],
  ["How many people must at least sign up?", "Six, or the course is cancelled."],
  ["Which rooms are free for groups of more than twelve?", "The barn and the loft."],
  ["Who must not enter the workshop?", "Children, and whoever wears loose sleeves."],
  ["Which paths aren't lit at night?", "Those by the river."],
];
const GERMAN: Turns = [
  ["Wer bekommt einen Schlüssel zur Werkstatt?", "Alle, die den Lehrgang besucht haben."],
  ["Wer darf den Anhänger fahren?", "Nur wer den Führerschein BE hat."],
  ["Gibt es warme Duschen am Platz?", "Ja, im Haus neben der Wiese."],
  ["Darf man mit Hund in die Hütte?", "Ja, an der Leine."],
  ["Was kostet die Miete vor dem Sommer?", "Dreißig Euro am Tag."],
  ["Wie viele Personen müssen mindestens kommen?", "Fünf, sonst fällt der Kurs aus."],
  ["Welche Werkzeuge darf ich nicht ausleihen?", "Kettensägen und alles mit Gas."],
  ["Kann ich ohne Anmeldung mitfahren?", "Ja, wenn ein Platz frei bleibt."],
];
const FRENCH: Turns = [
  ["Qui peut entrer dans l'atelier ?", "Les membres de plus de seize ans."],
  ["Est-ce que le repas est compris dans le prix ?", "Oui, le midi et le soir."],
  ["Que dois-je payer avant le cours ?", "Quarante euros d'acompte."],
  ["Qui ne peut pas louer le bateau ?", "Les personnes de moins de dix-huit ans."],
  ["Où puis-je garer ma voiture ?", "Derrière la mairie, et la nuit devant l'école."],
];
const SPANISH: Turns = [
  ["¿Quién puede entrar en el taller?", "Los socios de más de dieciséis años."],
  ["¿Está incluida la comida en el precio?", "Sí, al mediodía y por la noche."],
  ["¿Qué tengo que pagar antes del curso?", "Cuarenta euros de señal."],
  ["¿Quién no puede alquilar el barco?", "Las personas de menos de dieciocho años."],
  ["¿Dónde se guardan las llaves de la cabaña?", "En la caja azul que está junto a la puerta."],
];
const matcherOf = (turns: Turns) =>
  new QuestionMatcher(
    turns.map(([prompt, answer]) => ({ prompt, answer })),
    languageWordsOf(turns.flat()),
  );

describe.each([
  [
    "English",
    ENGLISH,
    [
      "Who may not use the sauna?",
      "Who may never use the sauna?",
      "Which boats may guests not row?",
      "Which boats mayn't guests row?",
      "Aren't helmets required on the climbing wall?",
      "Are no helmets required on the climbing wall?",
      "Who can't join the night hike?",
      "Who can’t join the night hike?",
      "WHO CANNOT JOIN THE NIGHT HIKE?",
      "who cant join the night hike",
      "Can nobody join the night hike?",
      "Can I never park my trailer behind the hall?",
      "May dogs run with a leash?",
      "May dogs not run without a leash?",
      "Is insurance not included in the fee?",
      "How many people must at most sign up?",
      "Which rooms are free for groups of less than twelve?",
      "Which rooms are free for groups of no more than twelve?",
      "Who may enter the workshop?",
      "Which paths are lit at night?",
    ],
    [
      ["So who may use the sauna, members or not?", 0],
      ["Is it true that nobody may not use the sauna?", 0],
      ["What do I pay prior to the start of the course?", 7],
      ["What do I pay after the start of the course?", 8],
      ["Which paths are not lit at night?", 12],
      ["Which rooms are free for groups of above twelve?", 10],
    ],
  ],
  [
    "German",
    GERMAN,
    [
      "Wer bekommt keinen Schlüssel zur Werkstatt?",
      "Wer darf den Anhänger nicht fahren?",
      "Wer darf den Anhänger niemals fahren?",
      "Darf niemand den Anhänger fahren?",
      "Gibt es keine warmen Duschen am Platz?",
      "Darf man ohne Hund in die Hütte?",
      "Was kostet die Miete nach dem Sommer?",
      "Wie viele Personen müssen höchstens kommen?",
      "Welche Werkzeuge darf ich ausleihen?",
      "Kann ich mit Anmeldung mitfahren?",
      "Kann ich nicht ohne Anmeldung mitfahren?",
    ],
    [
      ["Gibt es am Platz warme Duschen oder nicht?", 2],
      ["Welche Werkzeuge kann man nicht ausleihen?", 6],
    ],
  ],
  [
    "French",
    FRENCH,
    [
      "Qui ne peut pas entrer dans l'atelier ?",
      "Qui ne peut jamais entrer dans l’atelier ?",
      "Est-ce que le repas n'est pas compris dans le prix ?",
      "Que dois-je payer après le cours ?",
      "Qui peut louer le bateau ?",
      "Où ne puis-je pas garer ma voiture ?",
    ],
    [["Est-ce que le repas est compris dans le prix ou pas ?", 1]],
  ],
  [
    "Spanish",
    SPANISH,
    [
      "¿Quién no puede entrar en el taller?",
      "¿Nadie puede entrar en el taller?",
      "¿No está incluida la comida en el precio?",
      "¿Qué tengo que pagar después del curso?",
      "¿Quién puede alquilar el barco?",
    ],
    [["¿No puede nadie alquilar el barco?", 3]],
  ],
] as const)("rows in %s", (_, turns, contrary, found) => {
  const matcher = matcherOf(turns);

  it("are found by their own questions, and where a negation or side is in other words", () => {
    for (const [row, [question]] of turns.entries())
      expect(matcher.find(question, 0), question).toMatchObject({ row });
    for (const [prompt, row] of found) expect(matcher.find(prompt, 0)?.row, prompt).toBe(row);
  });

  it("answer no question that says the opposite of theirs", () => {
    for (const prompt of contrary) expect(matcher.find(prompt, 0), prompt).toBeNull();
  });
});

it("counts negations of one concord once, numbers and neutral phrases not at all, and the longest phrase alone", () => {
  const read = stanceReader({
    negations: ["no", "not", "without"],
    concords: ["ne", "pas"],
    neutral: ["or not"],
    opposites: [
      [["at least", "no less than"], ["at most"]],
      [["more than"], ["less than"]],
    ],
  });
  const stance = (text: string) => read(questionWords(text).map(({ word }) => word));
  for (const [text, isNegated, sides] of [
    ["is it open", false, [0, 0]],
    ["is it not open", true, [0, 0]],
    ["is it not without a door", false, [0, 0]],
    ["ne pas", true, [0, 0]],
    ["is it open or not", false, [0, 0]],
    ["bus no. 7 or bus no", true, [0, 0]],
    ["no less than two and less than four, at most three", false, [3, 2]],
  ] as const)
    expect(stance(text), text).toEqual({ isNegated, sides });
  const sided = (...sides: number[]) => ({ isNegated: false, sides });
  expect(isContrary(sided(1, 0), sided(2, 0))).toBe(true);
  for (const other of [sided(0, 2), sided(1, 2), sided(3, 1)])
    expect(isContrary(sided(1, 0), other)).toBe(false);
});

it("has lists whose phrases are read as they are written, of each language once", () => {
  for (const [language, { concords = [], negations, neutral = [], opposites = [] }] of Object.entries(
    POLARITY_WORDS,
  )) {
    expect(opposites.length, language).toBeLessThanOrEqual(5);
    const own = [...negations, ...concords];
    expect(new Set(own).size, language).toBe(own.length);
    for (const phrase of [...own, ...neutral, ...opposites.flat(2)])
      expect(questionWords(phrase).length, `${language}: ${phrase}`).toBe(phrase.split(" ").length);
  }
});
