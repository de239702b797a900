/** Tests of text files in older encodings: told, asked where two fit, and never replaced. */
import { describe, expect, it } from "vitest";
import { Decisions } from "./decision.ts";
import { readFiles } from "./read-files.ts";
import { decodeText } from "./text-encoding.ts";

/** Bytes of a text in an encoding, found by decoding: platforms only encode UTF-8. */
function encode(text: string, name: string): Uint8Array {
  if (name.startsWith("utf-16")) {
    const bytes = Buffer.from(text, "utf16le");
    return name === "utf-16be" ? bytes.swap16() : bytes;
  }
  const decoder = new TextDecoder(name, { fatal: true });
  const table = new Map<string, number[]>();
  const add = (bytes: number[]) => {
    try {
      const decoded = decoder.decode(Uint8Array.from(bytes));
      if ([...decoded].length === 1 && !table.has(decoded)) table.set(decoded, bytes);
    } catch {
      // No character.
    }
  };
  for (let i = 0; i < 256; i++) add([i]);
  // Node 20 decodes these as Latin-1.
  if (name === "windows-1252")
    for (const [i, one] of [..."€‚ƒ„…"].entries()) table.set(one, [[0x80, 0x82, 0x83, 0x84, 0x85][i]!]);
  if (/jis|gb|big5|euc/.test(name))
    for (let i = 0x81; i < 0xff; i++) for (let j = 0x40; j < 0xff; j++) add([i, j]);
  return Uint8Array.from(
    [...text].flatMap((character) => {
      const bytes = table.get(character);
      if (bytes === undefined) throw new Error(`${name} has no ${character}`);
      return bytes;
    }),
  );
}

function read(content: Uint8Array, choices = {}) {
  const decisions = new Decisions(choices);
  const text = decodeText(content, "a.csv", decisions);
  return { text, decisions: decisions.list };
}

const TEXTS: readonly (readonly [encoding: string, text: string])[] = [
  ["windows-1252", "Name;Ort\nJürgen Groß;Köln\nZoë;Århus\nPreis;12 €\n"],
  ["windows-1252", "nom,ville\nThérèse,Besançon\nle prix de la forêt est à côté,Orléans\n"],
  ["windows-1252", "text\nEl niño está en la montaña porque él también quería ver el océano\n"],
  ["windows-1250", "text\nPříliš žluťoučký kůň se na louce pásl a nebylo to jako jindy, protože byl večer\n"],
  [
    "windows-1250",
    "text\nStatek przybył do portu dopiero po południu, bo wiatr był bardzo silny i nie mógł wpłynąć\n",
  ],
  ["windows-1251", "text\nКорабль пришёл в порт только после полудня, потому что ветер был очень сильный\n"],
  ["koi8-r", "text\nКорабль пришел в порт только после полудня, потому что ветер был очень сильный\n"],
  ["windows-1253", "text\nΤο πλοίο έφτασε στο λιμάνι το απόγευμα και ο άνεμος ήταν δυνατός\n"],
  [
    "windows-1254",
    "text\nGemi limana ancak öğleden sonra geldi, çünkü rüzgar çok güçlüydü ve içeri giremedi\n",
  ],
  ["windows-1255", "text\nהאונייה הגיעה לנמל רק אחר הצהריים כי הרוח הייתה חזקה\n"],
  ["shift_jis", "題名,本文\n船は午後になってやっと港に着いた。,風が強かったからだ。\n"],
  ["euc-jp", "題名,本文\n船は午後になってやっと港に着いた。,風が強かったからだ。\n"],
  ["gb18030", "标题,内容\n船在下午才到达港口,因为风太大了，所以我们没有看到它\n"],
  ["big5", "標題,內容\n船在下午才到達港口,因為風太大了，所以我們沒有看到它\n"],
  ["euc-kr", "제목,내용\n배는 오후에야 항구에 도착했다,바람이 너무 강했기 때문이다\n"],
  [
    "macintosh",
    "text\nDas Schiff kam für zwei Tage nach Köln, weil es über die Ostsee nicht weiter durfte, und Jürgen hörte zu\n",
  ],
];

describe("an older encoding", () => {
  it.each(TEXTS)("%s is told by its text", (name, text) => {
    const found = read(encode(text, name));
    expect(found.text).toBe(text);
    expect(found.decisions).toMatchObject([
      { kind: "encoding", file: "a.csv", isOpen: false, taken: { name } },
    ]);
  });

  it("that fits beside another is asked, and a person's choice is taken", () => {
    // Names alone: Spanish, or Polish.
    const names = encode("name\nÑuño\nÑañez\n", "windows-1252");
    const { decisions } = read(names);
    expect(decisions).toMatchObject([{ kind: "encoding", isOpen: true, cells: 2 }]);
    const options = [decisions[0]!.taken, ...decisions[0]!.others].map(({ name }) => name);
    expect(options).toContain("windows-1252");
    expect(options).toContain("windows-1250");
    expect(read(names, { encoding: "windows-1252" }).text).toBe("name\nÑuño\nÑañez\n");
    expect(read(names, { encoding: "windows-1250" }).text).toBe("name\nŃuńo\nŃańez\n");
  });

  it("is no question for UTF-8, and damaged UTF-8 is refused by its line", () => {
    for (const text of ["name\nJürgen\n", "\ufeffname\n東京\n", "plain\n"]) {
      const found = read(new TextEncoder().encode(text));
      expect(found.text).toBe(text.replace(/^\ufeff/, ""));
      expect(found.decisions).toEqual([]);
    }
    const damaged = new TextEncoder().encode("Größe\nÄpfel\nFüße\n");
    damaged[damaged.length - 3] = 0x41;
    expect(() => read(damaged)).toThrow(/line 3: its encoding is UTF-8, but/);
  });

  it("of zeros between letters is UTF-16, with a mark and without one", async () => {
    for (const name of ["utf-16le", "utf-16be"])
      for (const mark of ["\ufeff", ""])
        for (const text of ["text,label\nDer Regen kam früh,gut\n", "題名,本文\n船,風\n"]) {
          const found = read(encode(mark + text, name));
          expect(found.text).toBe(text);
          expect(found.decisions).toMatchObject([{ kind: "encoding", isOpen: false, taken: { name } }]);
        }
    // A picture that is called a text is none.
    const { refused } = await readFiles([
      { name: "a.csv", content: Uint8Array.from([0, 1, 0, 0, 137, 80, 0]) },
    ]);
    expect(refused).toMatchObject([{ why: expect.stringContaining("encoding") }]);
  });

  it("is one of every kind of text file", async () => {
    const line = { text: "Der Größte wohnt für sich in Köln" };
    for (const [name, text] of [
      ["a.csv", `text\n${line.text}\n`],
      ["a.txt", line.text],
      ["a.md", line.text],
      ["a.jsonl", JSON.stringify(line)],
    ] as const) {
      const { decisions, records } = await readFiles([{ name, content: encode(text, "windows-1252") }]);
      expect(records[0]!.values.get("text")).toBe(line.text);
      expect(decisions.map(({ kind }) => kind)).toContain("encoding");
    }
  });
});
