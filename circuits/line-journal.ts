import { closeSync, existsSync, fsyncSync, ftruncateSync, openSync, readFileSync, writeSync } from "node:fs";

/** A file of JSON lines that only grows. A line counts once it is durable; one that a kill has cut off never did. */
export class LineJournal<Line> {
  readonly lines: readonly Line[];
  readonly #path: string;
  readonly #lines: Line[];

  /** @param parse throws for what is no line of the journal */
  constructor(path: string, parse: (value: unknown) => Line) {
    this.#path = path;
    const text = existsSync(path) ? readFileSync(path, "utf8") : "";
    const whole = text.slice(0, text.lastIndexOf("\n") + 1);
    this.#lines = whole
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => parse(JSON.parse(line)));
    this.lines = this.#lines;
    if (whole.length < text.length) {
      const file = openSync(path, "r+");
      ftruncateSync(file, Buffer.byteLength(whole));
      closeSync(file);
    }
  }

  add(line: Line): void {
    const file = openSync(this.#path, "a", 0o600);
    try {
      writeSync(file, `${JSON.stringify(line)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    this.#lines.push(line);
  }
}
