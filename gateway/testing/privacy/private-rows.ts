/** Rows, notes and labels of permissioned Datanets in tests: words by which an answer shows that it has some of them, as many bytes for each seed. */
import { SeededRandom } from "@openledger/attribution/maths/seeded-random";

/** Letters that no other text of a test has together. */
const HEAD = "zqk";
const LETTERS = "abcdefghijklmnopqrstuvwxyz";

export interface PrivateRows {
  /** Words of rows and notes that nobody else may see, each of ten letters. */
  readonly marks: readonly string[];
  readonly texts: readonly Uint8Array[];
  readonly table: readonly Uint8Array[];
  /** A note of so many that people write about rows. */
  note(position: number): string;
}

/** @param isOdd others of the same lengths: a row is no JSON, another one has no address of a person */
export function makePrivateRows(seed: string, isOdd = false): PrivateRows {
  const random = new SeededRandom(seed);
  const marks: string[] = [];
  const mark = (): string => {
    const rest = Array.from({ length: 7 }, () => LETTERS[random.nextUint32() % LETTERS.length]!);
    marks.push(HEAD + rest.join(""));
    return marks.at(-1)!;
  };
  const encode = (text: string) => new TextEncoder().encode(text);
  const texts = Array.from({ length: 8 }, (_, i) =>
    encode(
      `${mark()} ${mark()} of house ${i} says ${mark()} to ${isOdd ? `${mark()}_example_org` : `${mark()}@example.org`} and ${mark()}`,
    ),
  );
  const table = Array.from({ length: 3 }, (_, i) => {
    const text = JSON.stringify({ kind: mark(), size: 20 + i, note: `${mark()} ${mark()}` });
    return encode(isOdd && i === 2 ? text.replace("{", "[") : text);
  });
  const notes = Array.from({ length: 8 }, () => `see ${mark()} there`);
  return { marks, texts, table, note: (location) => notes[location]! };
}

/** Forms in which an answer may have a text: as it is, in hexadecimal digits, and in base64 from each of three places. */
function formsOf(mark: string): string[] {
  const bytes = Buffer.from(mark);
  const base64 = [0, 1, 2].map((shift) =>
    // The first characters depend on what stands before, the last ones on what follows.
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .slice(Math.ceil((8 * shift) / 6), -4),
  );
  return [mark, bytes.toString("hex"), ...base64];
}

const forms = new Map<string, readonly string[]>();
const known = (mark: string): readonly string[] => {
  const found = forms.get(mark) ?? formsOf(mark);
  forms.set(mark, found);
  return found;
};

/** Finds marks in a text that is not its asker's own. @param asked what the asker has sent */
export function marksIn(text: string, marks: readonly string[], question = ""): string[] {
  const lower = text.toLowerCase();
  return marks.filter(
    (mark) =>
      !question.includes(mark) &&
      known(mark).some((form, i) => (i < 2 ? lower.includes(form) : text.includes(form))),
  );
}
