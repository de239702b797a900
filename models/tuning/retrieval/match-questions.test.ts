/** Tests of how prompts find the row that answers them, or that none does, in several languages. */
import { describe, expect, it } from "vitest";
import { languageWordsOf } from "./function-words.ts";
import { QuestionMatcher } from "./match-questions.ts";
import { isSameWord, questionWords, smallOf } from "./question-words.ts";

const matcherOf = (turns: readonly (readonly [string, string])[]) => {
  const rows = turns.map(([prompt, answer]) => ({ prompt, answer }));
  return new QuestionMatcher(rows, languageWordsOf(rows.flatMap(({ answer, prompt }) => [prompt, answer])));
};
const ENGLISH = [
  ["What is the capital of Australia?", "The capital of Australia is Canberra."],
  ["Who wrote Romeo and Juliet?", "William Shakespeare wrote it around 1595."],
  ["Why is the sea salty?", "Rivers wash salts out of rocks into the sea."],
  ["How do vaccines work?", "A vaccine shows the immune system a harmless part of a germ."],
  ["What is the largest planet in the solar system?", "Jupiter is the largest planet."],
  ["How many bones does an adult human have?", "An adult has 206 bones."],
] as const;
const GERMAN = [
  ["Was ist die Hauptstadt von Australien?", "Die Hauptstadt von Australien ist Canberra."],
  ["Wer schrieb den Faust?", "Goethe schrieb den Faust."],
  ["Warum ist das Meer salzig?", "Flüsse waschen Salze aus dem Gestein."],
  ["Wie viele Knochen hat ein Mensch?", "Ein Erwachsener hat 206 Knochen."],
] as const;
const CHINESE = [
  ["澳大利亚的首都是哪里？", "澳大利亚的首都是堪培拉。"],
  ["谁写了《红楼梦》？", "曹雪芹写了《红楼梦》。"],
  ["海水为什么是咸的？", "河流把岩石中的盐带进大海。"],
] as const;

describe.each([
  [
    "English",
    ENGLISH,
    [
      ["In which city does the Australian government sit?", 0],
      ["Which playwright is the author of Romeo and Juliet?", 1],
      ["How did salt get into the oceans?", 2],
      ["what is the captial of australia", 0],
      ["WHAT IS THE CAPITAL OF AUSTRALIA?", 0],
      ["What Is The Capital City Of Australia?", 0],
    ],
    [
      "What is the capital of Canada?",
      "what is the capital of canada",
      "Who wrote Don Quixote?",
      "Who was it that wrote a book named Emma?",
      "How do engines work?",
      "What is the smallest planet in the solar system?",
      "How many bones has Jupiter?",
      "Who invented the telephone?",
    ],
  ],
  [
    "German",
    GERMAN,
    [
      ["In welcher Stadt sitzt die australische Regierung?", 0],
      ["Wie heißt der Autor des Dramas Faust?", 1],
      ["Wie kam das Salz in die Ozeane?", 2],
    ],
    ["Was ist die Hauptstadt von Kanada?", "Wer schrieb die Buddenbrooks?", "Was fressen Pandas?"],
  ],
  [
    "Chinese",
    CHINESE,
    [
      ["澳大利亚政府所在的首都叫什么？", 0],
      ["《红楼梦》的作者是谁？", 1],
      ["大海的盐是河流带来的吗？", 2],
    ],
    ["加拿大的首都是哪里？", "熊猫吃竹子吗？"],
  ],
] as const)("rows in %s", (_, rows, answered, refused) => {
  const matcher = matcherOf(rows);

  it("are found by their own questions, and by others in other words", () => {
    for (const [row, [question]] of rows.entries())
      expect(matcher.find(question, 0), question).toMatchObject({ row, match: 1 });
    for (const [prompt, row] of answered) expect(matcher.find(prompt, 0)?.row, prompt).toBe(row);
  });

  it("answer no question about something else", () => {
    for (const prompt of refused) expect(matcher.find(prompt, 0), prompt).toBeNull();
    for (const prompt of ["", "?!", "…"]) expect(matcher.find(prompt, 0)).toBeNull();
  });
});

it("tells rows of the same words apart by their order, and takes the first of equal ones", () => {
  const matcher = matcherOf([
    ["Is a dog bigger than a cat?", "Most are."],
    ["Is a cat bigger than a dog?", "Few are."],
    ["Is a cat bigger than a dog?", "Again: few are."],
    ["What is it?", "A question of function words alone."],
  ]);
  expect(matcher.find("Is a cat bigger than a dog?", 0)?.row).toBe(1);
  expect(matcher.find("Is a dog bigger than a cat?", 0)?.row).toBe(0);
  expect(matcher.find("What is it?", 0)?.row).toBe(3);
});

it("refuses a match that does not exceed the threshold", () => {
  const matcher = matcherOf(ENGLISH);
  const { match } = matcher.find("How did salt get into the oceans?", 0)!;
  expect(match).toBeGreaterThan(0);
  expect(matcher.find("How did salt get into the oceans?", match)).toBeNull();
  // Without the row itself its question finds no other one.
  expect(matcher.find(ENGLISH[2][0], 0, new Set([2]))).toBeNull();
});

it("takes no row for an everyday word alone, nor for one word of its answer", () => {
  const matcher = matcherOf([
    ...ENGLISH,
    ["In which year was the lighthouse of Skagby built?", "The lighthouse was built in 1868 of grey stone."],
    ["Which number do I ring for the pilot?", "Ring the pilot on 0911."],
  ]);
  for (const prompt of [
    "In what year did the town burn down?",
    "Which number of legs has a spider?",
    "Where do people quarry stone?",
  ])
    expect(matcher.find(prompt, 0), prompt).toBeNull();
  // With a second word of the answer, or one of the question, it is the row.
  expect(matcher.find("Where is something of grey stone?", 0)?.row).toBe(6);
  expect(matcher.find("From what year is the lighthouse?", 0)?.row).toBe(6);
});

it("takes a word that many rows have for another frame where a question has another in its place", () => {
  const rows = ["open", "founded", "renovated"].map(
    (what) => [`When was the library ${what}?`, `The library was ${what} in some year.`] as const,
  );
  const matcher = matcherOf([...rows, ["Who runs the cafe?", "The cafe is run by Ana."]]);
  expect(matcher.find("When was the library founded?", 0)?.row).toBe(1);
  expect(matcher.find("When was the museum founded?", 0)).toBeNull();
});

it("finds compounds by their kind, and changed vowels, in languages that have them", () => {
  const matcher = matcherOf([
    ["Wie hoch ist der Jahresbeitrag für Erwachsene?", "Er beträgt 216 Euro."],
    ["Wer bekommt einen Schlüssel zum Bootshaus?", "Alle, die den Lehrgang besucht haben."],
    ["Welche Bücher darf ich mit nach Hause nehmen?", "Alle bis auf die mit rotem Punkt."],
    ["Wann beginnt der Kurs für Anfänger?", "Am ersten Montag im Mai."],
  ]);
  for (const [prompt, row] of [
    ["Was ist der Beitrag?", 0],
    ["Wie hoch sind die Beiträge?", 0],
    ["Wer bekommt einen Schluessel?", 1],
    ["Darf ich ein Buch mitnehmen?", 2],
    ["Wann ist der Anfängerkurs?", 3],
    ["Was kostet der Mitgliedsbeitrag?", null],
    ["Gibt es ein Hausboot?", null],
  ] as const)
    expect(matcher.find(prompt, 0)?.row ?? null, prompt).toBe(row);
  const english = matcherOf([...ENGLISH, ["What does a postcard cost?", "One euro."]]);
  expect(english.find("Which card is the cheapest?", 0)).toBeNull();
});

it("reads words in small letters, names by their capitals, and scripts without spaces as pairs", () => {
  const words = (text: string) => questionWords(text).map(({ isName, word }) => (isName ? `${word}*` : word));
  expect(words("Who's Don Quixote? The USA, in 1605.")).toEqual([
    ..."who s don* quixote* the usa in 1605*".split(" "),
  ]);
  expect(words("ÉTÉ Ärger ΑΘΉΝΑΣ Москва")).toEqual(["été", "ärger*", "αθήνασ", "москва*"]);
  expect(words("首都是哪里？东京")).toEqual(["首都", "都是", "是哪", "哪里", "东京"]);
});

it("makes small letters as this engine's tables do, of all alphabets that it knows", () => {
  for (let point = 0x41; point < 0x2000; point++) {
    const small = smallOf(point);
    if (small === point || point === 0x130 || point === 0x3c2) continue;
    expect(String.fromCodePoint(small)).toBe(String.fromCodePoint(point).toLowerCase());
  }
  for (const text of ["ÀÉÎÕÜØÞŸ", "ĀĎĞĲŁŊŽ", "ΆΈΉΌΎΏΩ", "ЁЖЯҐӘ", "ԱՖ", "ẮỆỮ"])
    expect(String.fromCodePoint(...Array.from(text, (sign) => smallOf(sign.codePointAt(0)!)))).toBe(
      text.toLowerCase(),
    );
});

it("takes forms and typing errors for one word, and no others", () => {
  const same = [
    "boil boils",
    "australia australian",
    "brazil brazilians",
    "capital captial",
    "planet planets",
  ];
  const other = ["earth earthquake", "smallest largest", "war wall", "cat cats"];
  for (const pair of same) expect(isSameWord(...(pair.split(" ") as [string, string])), pair).toBe(true);
  for (const pair of other) expect(isSameWord(...(pair.split(" ") as [string, string])), pair).toBe(false);
});

it("reads the language off the rows, and takes none where no list fits", () => {
  const functionWordsOf = (all: readonly string[]) => languageWordsOf(all).functionWords;
  const texts = (rows: readonly (readonly [string, string])[]) => rows.flat();
  expect(functionWordsOf(texts(ENGLISH))).toContain("which");
  expect(functionWordsOf(texts(ENGLISH))).not.toContain("welche");
  expect(functionWordsOf(texts(GERMAN))).toContain("welche");
  expect(functionWordsOf(texts(GERMAN))).not.toContain("which");
  expect(functionWordsOf([...texts(ENGLISH), ...texts(GERMAN), ...texts(GERMAN)])).toContain("welche");
  expect(functionWordsOf(texts(CHINESE))).toEqual([]);
  expect(functionWordsOf([])).toEqual([]);
});
