/** Tests of how the language of rows is guessed: by scripts and frequent words, for a form's field. */
import { describe, expect, it } from "vitest";
import { Decisions } from "./decision.ts";
import { decideLanguages, guessLanguages } from "./guess-language.ts";
import { proposeCard } from "./propose-card.ts";
import { readFiles } from "./read-files.ts";

const SENTENCES: Readonly<Record<string, string>> = {
  ar: "كان البحر هادئا في الصباح ولم تكن هناك سفن على الشاطئ",
  bg: "Корабът пристигна в пристанището след обяд, защото вятърът беше силен и не можеше да влезе.",
  cs: "Loď přišla do přístavu až odpoledne, protože byl silný vítr a nebylo možné vplout.",
  da: "Skibet kom først ind i havnen om eftermiddagen, og jeg har ikke hørt noget fra det af mange grunde.",
  de: "Das Schiff kam erst am Nachmittag in den Hafen, weil der Wind zu stark war und es nicht einlaufen konnte.",
  el: "Το πλοίο έφτασε στο λιμάνι το απόγευμα",
  en: "The ship came into the harbour in the afternoon because the wind was too strong.",
  es: "El barco llegó al puerto por la tarde porque el viento era muy fuerte y no pudo entrar.",
  fi: "Laiva tuli satamaan vasta iltapäivällä, koska tuuli oli kova ja se ei voinut tulla sisään.",
  fr: "Le bateau est arrivé au port dans l'après-midi, parce que le vent était trop fort pour entrer.",
  he: "האונייה הגיעה לנמל רק אחר הצהריים כי הרוח הייתה חזקה",
  hu: "A hajó csak délután érkezett a kikötőbe, mert a szél nagyon erős volt és nem lehetett bemenni.",
  it: "La nave è arrivata nel porto solo di pomeriggio perché il vento era troppo forte per entrare.",
  ja: "船は午後になってやっと港に着いた。風が強かったからだ。",
  ko: "배는 오후에야 항구에 도착했다. 바람이 너무 강했기 때문이다.",
  nl: "Het schip kwam pas in de middag in de haven, want de wind was te sterk en het kon niet naar binnen.",
  pl: "Statek przybył do portu dopiero po południu, bo wiatr był bardzo silny i nie mógł wpłynąć.",
  pt: "O navio chegou ao porto só à tarde, porque o vento era muito forte e não podia entrar.",
  ru: "Корабль пришёл в порт только после полудня, потому что ветер был очень сильный.",
  sv: "Skeppet kom till hamnen först på eftermiddagen, för vinden var stark och det kunde inte segla in.",
  tr: "Gemi limana ancak öğleden sonra geldi, çünkü rüzgar çok güçlüydü ve içeri giremedi.",
  uk: "Корабель прийшов у порт тільки після полудня, бо вітер був дуже сильний і він не міг увійти.",
  zh: "船在下午才到达港口，因为风太大了。",
};

describe("the language of rows", () => {
  it.each(Object.entries(SENTENCES))("%s is told by one sentence", (language, sentence) => {
    expect(guessLanguages([sentence])).toMatchObject({ languages: [language], isUnsure: false });
  });

  it("of two halves is both, the more frequent first; names and numbers have none", () => {
    const { de = "", en = "" } = SENTENCES;
    expect(guessLanguages([de, en, de, en, de]).languages).toEqual(["de", "en"]);
    // One quotation in twenty is no second language.
    expect(guessLanguages([...Array.from({ length: 19 }, () => de), en]).languages).toEqual(["de"]);
    expect(guessLanguages(["Anna", "42", "Bergen", "red"])).toMatchObject({ languages: [], isUnsure: false });
    expect(guessLanguages([])).toMatchObject({ languages: [], isUnsure: false });
  });

  it("that words do not tell is asked, and several are said", () => {
    const decisions = new Decisions();
    // Danish or Norwegian.
    expect(decideLanguages(["Det var en god dag for dem"], decisions)).toHaveLength(1);
    expect(decisions.list).toMatchObject([{ kind: "language", isOpen: true, cells: 1 }]);
    expect(decisions.list[0]!.others.at(-1)).toMatchObject({ name: "none" });
    const both = new Decisions();
    const { de = "", en = "" } = SENTENCES;
    expect(decideLanguages([de, de, en, en, de], both)).toEqual(["de", "en"]);
    expect(both.list).toMatchObject([
      { kind: "language", isOpen: false, taken: { name: "de,en", text: "the rows are German and English" } },
    ]);
    expect(decideLanguages([de, de, en, en, de], new Decisions({ language: "de" }))).toEqual(["de"]);
  });

  it("is that of a card's proposal, whatever the labels and other columns are in", async () => {
    const lines = [
      "Wann kommt das Schiff in den Hafen?",
      "Wo ist der Schlüssel für das Boot?",
      "Wer hat die Segel und das Ruder?",
    ];
    const csv = `text,label\n${lines.flatMap((line, i) => [`${line},${i % 2 ? "the question" : "other"}`, `${line}!,other`]).join("\n")}\n`;
    const table = await readFiles([{ name: "a.csv", content: new TextEncoder().encode(csv) }]);
    const { decisions, languages } = proposeCard(table, null);
    expect(languages).toEqual(["de"]);
    expect(decisions.filter(({ kind }) => kind === "language")).toEqual([]);
    const chats = `${JSON.stringify({
      messages: [
        { role: "user", content: SENTENCES.sv },
        { role: "assistant", content: SENTENCES.sv },
      ],
    })}\n`;
    const chat = await readFiles([{ name: "a.jsonl", content: new TextEncoder().encode(chats) }]);
    expect(proposeCard(chat, null).languages).toEqual(["sv"]);
  });
});
