import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";

/** The lines that count, without one that a kill has cut off or that is being written now. Changes nothing. */
export function readLineJournal<Line>(path: string, parse: (value: unknown) => Line): Line[] {
  return wholeLines(path)
    .text.split("\n")
    .filter((line) => line !== "")
    .map((line) => parse(JSON.parse(line)));
}

/**
 * A file of JSON lines that only grows. A line counts once it is durable; one that a kill has cut off never did. One process
 * at a time opens it so: opening takes away an unfinished line.
 */
export class LineJournal<Line> {
  readonly lines: readonly Line[];
  readonly #path: string;
  readonly #mode: number;
  readonly #lines: Line[];
  /** Of the lines that count. */
  #byteCount: number;

  /** @param parse throws for what is no line of the journal */
  constructor(path: string, parse: (value: unknown) => Line, mode = 0o600) {
    this.#path = path;
    this.#mode = mode;
    this.#lines = readLineJournal(path, parse);
    this.lines = this.#lines;
    const { hasMore, text } = wholeLines(path);
    this.#byteCount = Buffer.byteLength(text);
    if (!hasMore) return;
    const file = openSync(path, "r+");
    ftruncateSync(file, this.#byteCount);
    closeSync(file);
  }

  /** @throws Error of the disk; then the journal is as before */
  add(line: Line): void {
    const file = openSync(this.#path, "a", this.#mode);
    const takeBack = () => {
      if (fstatSync(file).size > this.#byteCount) ftruncateSync(file, this.#byteCount);
    };
    try {
      takeBack();
      const bytes = Buffer.from(`${JSON.stringify(line)}\n`, "utf8");
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done);
      fsyncSync(file);
      this.#byteCount += bytes.length;
    } catch (error) {
      takeBack();
      throw error;
    } finally {
      closeSync(file);
    }
    this.#lines.push(line);
  }
}

function wholeLines(path: string): { text: string; hasMore: boolean } {
  const all = existsSync(path) ? readFileSync(path, "utf8") : "";
  const text = all.slice(0, all.lastIndexOf("\n") + 1);
  return { text, hasMore: text.length < all.length };
}
