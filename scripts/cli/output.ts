/** Output of every command: the answer on stdout as lines or JSON, errors, notes and progress on stderr. */
import { type RenderedError, renderError } from "./render-error.ts";

/** Output of a command: lines for people, or one JSON value for programs. */
export interface Output {
  readonly isJson: boolean;
  /** The answer: `lines` for people, `json` for programs. Called once a command. */
  answer(lines: readonly string[], json: object): void;
  fail(error: unknown): RenderedError;
  /** A line beside the answer, on stderr. */
  note(text: string): void;
  /** A line about work that takes longer than two seconds; never part of the answer. */
  progress(text: string): void;
}

/** Time of silence before the first line of progress. */
const NOTICE_AFTER_MS = 2000;

export function createOutput(
  options: { isJson: boolean; startedAtMs?: number },
  streams: { stdout: NodeJS.WritableStream; stderr: NodeJS.WritableStream } = process,
): Output {
  const startedAtMs = options.startedAtMs ?? Date.now();
  let lastProgress = "";
  return {
    isJson: options.isJson,
    answer(lines, json) {
      const text = options.isJson ? encodeJson(json) : printable(lines.join("\n"));
      streams.stdout.write(`${text}\n`);
    },
    fail(error) {
      const rendered = renderError(error);
      if (options.isJson) streams.stdout.write(`${encodeJson({ error: rendered })}\n`);
      else {
        const because = rendered.cause === undefined ? "" : `because: ${printable(rendered.cause)}\n`;
        streams.stderr.write(
          `${printable(rendered.message)}\n${because}${rendered.remedy}\n[${rendered.code}]\n`,
        );
      }
      return rendered;
    },
    note(text) {
      streams.stderr.write(`${printable(text)}\n`);
    },
    progress(text) {
      if (text === lastProgress || Date.now() - startedAtMs < NOTICE_AFTER_MS) return;
      lastProgress = text;
      streams.stderr.write(`${printable(text)}\n`);
    },
  };
}

/** Attack: signs in a stranger's names and files that a terminal takes as orders. */
const printable = (text: string) => text.replace(/[^\P{Cc}\n\t]/gu, "\u{fffd}");

/** bigint as decimal text: JSON numbers end at 2^53. */
function encodeJson(value: object): string {
  return JSON.stringify(
    value,
    (_key, part: unknown) => (typeof part === "bigint" ? part.toString() : part),
    2,
  );
}

/** Columns padded to their widest cell. */
export function renderTable(rows: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  }
  return rows.map((row) =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join("  ")
      .trimEnd(),
  );
}
