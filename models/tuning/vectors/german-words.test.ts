/** Tests of German word vectors: the reader of dictionaries in Ding's format, places by translations, and the file that ships. */
import { readFileSync } from "node:fs";
import { GERMAN_VECTORS, RELEASED_VECTORS } from "@openledger/attribution/inputs/released-vectors";
import { readTextVectors } from "@openledger/attribution/inputs/text-vectors";
import { wordsOf } from "@openledger/attribution/rows/words";
import { describe, expect, it } from "vitest";
import { deriveGerman, wordsByTranslation } from "./derive-vectors.ts";
import { pairsOfDictionary } from "./ding-dictionary.ts";
import { packagedPath } from "./vector-places.ts";

const words = (text: string) => wordsOf(Buffer.from(text), true);
const hash = (word: string) => words(word)[0]!;

/** Entries of our own, in the dictionary's format. */
const DICTIONARY = [
  "# Version :: none",
  "no entry",
  "Boot {n} (auf dem See) [naut.] | Boote {pl} | ein Boot rudern :: the boat; ship /SS/ {boats; ships} | boats | to row a boat",
  "Geld {n}; Zaster {m} [ugs.] :: money",
  "sich etw. leihen {vt} | er/sie leiht Geld :: to borrow sth. | he/she borrows money",
  "das <die> :: that",
  "Xylit :: unheard",
].join("\n");

describe("a dictionary in Ding's format", () => {
  it("is read as pairs of pieces, without remarks, abbreviations and fillers", () => {
    const [boat, boats, row, money, borrow, borrows, that] = [...pairsOfDictionary(DICTIONARY)];
    expect(boat).toEqual({
      words: words("boot"),
      phrases: [words("boot")],
      english: [words("boat"), words("ship")],
    });
    expect(boats).toEqual({ words: words("boote"), phrases: [words("boote")], english: [words("boats")] });
    expect(row!.phrases).toEqual([words("ein boot rudern")]);
    expect(row!.english).toEqual([words("row boat")]);
    expect(money!.phrases).toEqual([words("geld"), words("zaster")]);
    // "sich" and "etw" are no words of a phrase, and are words of the text.
    expect(borrow).toEqual({
      words: words("sich etw leihen"),
      phrases: [words("leihen")],
      english: [words("borrow")],
    });
    expect(borrows!.phrases).toEqual([words("er sie leiht geld")]);
    expect(borrows!.english).toEqual([words("he she borrows money")]);
    expect(that!.phrases).toEqual([words("das")]);
  });
});

describe("German words", () => {
  const place = (...head: number[]) => ({
    weight: 0.5,
    components: Float64Array.from({ length: 64 }, (_, j) => head[j] ?? 0),
  });
  const english = new Map([
    [hash("boat"), place(8)],
    [hash("ship"), place(0, 8)],
    [hash("row"), { ...place(0, 0, 8), weight: 1.5 }],
    [hash("money"), place(0, 0, 0, 8)],
  ]);
  const placed = wordsByTranslation(pairsOfDictionary(DICTIONARY), english);
  const headOf = (word: string) => [...placed.get(hash(word))!.components.subarray(0, 4)];

  it("are placed where their translations are, and those of phrases less so", () => {
    expect(headOf("zaster")).toEqual([0, 0, 0, 8]);
    // A phrase of three words: "row" weighs three times as much as "boat".
    expect(headOf("rudern")).toEqual([2, 0, 6, 0]);
    // Its own pair weighs 1, and that of the phrase 1/6: (4 + 2/6) / (7/6), 4 / (7/6), 1 / (7/6).
    const [first, second, third] = headOf("boot");
    expect(first).toBeCloseTo((4 + 2 / 6) / (7 / 6), 12);
    expect(second).toBeCloseTo(4 / (7 / 6), 12);
    expect(third).toBeCloseTo(1 / (7 / 6), 12);
    // Inflected forms that stand in phrases alone.
    expect(headOf("leiht")).toEqual([0, 0, 0, 8]);
    for (const unknown of ["leihen", "xylit", "boote"]) expect(placed.has(hash(unknown))).toBe(false);
  });

  it("come by their frequencies, and rare ones weigh most", () => {
    const order = [...placed.keys()];
    expect(new Set(order.slice(0, 2))).toEqual(new Set([hash("boot"), hash("geld")]));
    // Twice of 16 words: 0.001 / (0.001 + 2/16).
    const total = [...pairsOfDictionary(DICTIONARY)].flatMap((pair) => pair.words).length;
    expect(placed.get(hash("geld"))!.weight).toBeCloseTo(0.001 / (0.001 + 2 / total), 12);
    expect(placed.get(hash("zaster"))!.weight).toBeGreaterThan(placed.get(hash("geld"))!.weight);
  });

  it("are derived from the pinned dictionary alone", () => {
    expect(() => deriveGerman(Buffer.from(DICTIONARY))).toThrow(
      expect.objectContaining({ code: "MOD_FILE_INVALID" }),
    );
  });

  it("ship as a package of its own, with its licence, and near each other by their meaning", () => {
    const path = packagedPath(GERMAN_VECTORS)!;
    const manifest = JSON.parse(readFileSync(new URL("package.json", `file://${path}`), "utf8"));
    expect(manifest.license).toBe("GPL-2.0-or-later");
    expect(RELEASED_VECTORS).toContain(GERMAN_VECTORS);
    const { digitsOf, knownWords } = readTextVectors(readFileSync(path));
    expect(knownWords(Buffer.from("Wo bleibt mein Paket, Qwrtzu?"))).toBe(4);
    const nearness = (a: string, b: string) => {
      const [x, y] = [digitsOf(Buffer.from(a)), digitsOf(Buffer.from(b))];
      const dot = (p: Int8Array, q: Int8Array) => p.reduce((sum, digit, j) => sum + digit * q[j]!, 0);
      return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
    };
    const near = nearness("das Schiff liegt im Hafen", "ein Boot am Kai");
    expect(near).toBeGreaterThan(0.4);
    expect(nearness("Ich möchte mein Geld zurück", "bitte erstatten Sie die Zahlung")).toBeGreaterThan(0.3);
    expect(nearness("Ich möchte mein Geld zurück", "ein Boot am Kai")).toBeLessThan(0.2);
  });
});
