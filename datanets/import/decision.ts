/**
 * Decisions of an import: each place where a person's file admits several readings, with the reading that was taken, the others, and
 * how to choose one. Readers record them; page, command and MCP tool show them.
 */
import { datanetError } from "../datanet-errors.ts";

/** What a decision is about. A kind belongs to one reader, which says where in its file which readings it knows. */
export const DECISION_KINDS = [
  "category-twins",
  "columns-left-out",
  "comment-lines",
  "conversation-turns",
  "date-form",
  "encoding",
  "first-line",
  "label-source",
  "label-twins",
  "language",
  "missing-values",
  "number-marks",
  "paragraph-heads",
  "picture-column",
  "row-unit",
  "separator",
  "sheet",
  "split-folders",
  "tool-records",
] as const;
export type DecisionKind = (typeof DECISION_KINDS)[number];

/** One way to read what was seen. */
export interface Reading {
  /** Name for `--read`: "thousands". */
  readonly name: string;
  /** Sentence for people, without the subject and without a full stop: "a number with thousands: 28442". */
  readonly text: string;
}

export interface Decision {
  readonly kind: DecisionKind;
  /** File that the decision is about; null for all files together. */
  readonly file: string | null;
  /** Column that the decision is about; null for records or files as a whole. */
  readonly column: string | null;
  /** Number of cells whose value depends on it; of records, where no column is meant. */
  readonly cells: number;
  /** Value as written that shows it, at most `MAX_SEEN` characters. */
  readonly seen: string;
  readonly taken: Reading;
  readonly others: readonly Reading[];
  /** True if nobody has chosen, and the others are likely and would change values or labels: a person is asked before anything is signed. */
  readonly isOpen: boolean;
}

/** Readings that a person has chosen: name by `decisionKey`. */
export type Choices = Readonly<Record<string, string>>;

/** Maximum characters of `seen`. */
export const MAX_SEEN = 60;
/** Maximum characters of a file's or column's name in a decision's key. */
const MAX_SUBJECT = 200;

/** Returns the decision's name among those of one import: "number-marks:Revenue", "first-line:sms.tsv", "language". */
export function decisionKey({ column, file, kind }: Pick<Decision, "column" | "file" | "kind">): string {
  const subject = column ?? file;
  return subject === null ? kind : `${kind}:${subject.slice(0, MAX_SUBJECT)}`;
}

/** Returns the option of the contribute and preview commands that chooses a reading, quoted for a shell where it has to be. */
export function readingOption(decision: Pick<Decision, "column" | "file" | "kind">, reading: string): string {
  const value = `${decisionKey(decision)}=${reading}`;
  return `--read ${/^[\w:.,/=-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`}`;
}

/** A decision as `openledger datanet preview --json` prints it. */
export interface DecisionAnswer {
  readonly kind: DecisionKind;
  readonly file: string | null;
  readonly column: string | null;
  readonly cells: number;
  readonly seen: string;
  readonly taken: string;
  /** Other readings, each with its sentence. */
  readonly other: string;
  /** Option that takes the first of the others. */
  readonly option: string;
  readonly isOpen: boolean;
}

export function decisionAnswer(decision: Decision): DecisionAnswer {
  const { cells, column, file, isOpen, kind, others, seen, taken } = decision;
  return {
    ...{ kind, file, column, cells, seen },
    taken: taken.text,
    other: others.map(({ text }) => text).join("; or "),
    option: others.length === 0 ? "" : readingOption(decision, others[0]!.name),
    isOpen,
  };
}

/** Text of a decision, one line without its options: "`28,442` in 31 cells of *Revenue*: a number with thousands". */
export function decisionText({ cells, column, file, seen, taken }: Decision): string {
  const unit = column === null ? "records" : "cells";
  const count = `${cells} ${cells === 1 ? unit.slice(0, -1) : unit}`;
  const where = [column === null ? count : `${count} of "${column}"`, ...(file === null ? [] : [file])];
  return `"${seen}" in ${where.join(", ")}: ${taken.text}`;
}

export interface DecisionSubject extends Pick<Decision, "cells" | "column" | "file" | "kind" | "seen"> {
  /** Readings, the one that is taken unless a person chooses another first. */
  readonly readings: readonly [Reading, ...Reading[]];
  /** True if another reading than the first is likely and would change values or labels. */
  readonly isUnclear: boolean;
}

/** Collects an import's decisions, and answers each with the person's choice or the first reading. */
export class Decisions {
  readonly #choices: Choices;
  readonly #list: Decision[] = [];
  readonly #keys = new Set<string>();

  /** @param choices of a person, by `decisionKey` */
  constructor(choices: Choices = {}) {
    this.#choices = choices;
  }

  get list(): readonly Decision[] {
    return this.#list;
  }

  /**
   * Records a decision and returns the name of the reading to take.
   * @throws DNT_READING_UNKNOWN if the person's choice is none of the readings
   */
  decide({ isUnclear, readings, seen, ...subject }: DecisionSubject): string {
    const key = decisionKey(subject);
    const name = Object.hasOwn(this.#choices, key) ? this.#choices[key] : undefined;
    const taken = name === undefined ? readings[0] : readings.find((reading) => reading.name === name);
    if (taken === undefined) {
      const names = readings.map((reading) => reading.name).join(", ");
      throw datanetError("DNT_READING_UNKNOWN", `"${key}" is read as one of ${names}`, {
        data: { key, name },
      });
    }
    const others = readings.filter((reading) => reading !== taken);
    const isOpen = isUnclear && name === undefined;
    this.#keys.add(key);
    this.#list.push({ ...subject, seen: seen.slice(0, MAX_SEEN), taken, others, isOpen });
    return taken.name;
  }

  /** Choices of the person that no decision of this import asks for. */
  get unusedChoices(): readonly string[] {
    return Object.keys(this.#choices).filter((key) => !this.#keys.has(key));
  }
}

/**
 * Requires that nothing waits for a person, before anything is signed or paid.
 * @throws DNT_READING_OPEN naming each open decision with the options that answer it
 */
export function requireDecided(decisions: readonly Decision[]): void {
  const open = decisions.filter(({ isOpen }) => isOpen);
  if (open.length === 0) return;
  const lines = open.map((decision) => {
    const options = [decision.taken, ...decision.others].map(
      ({ name, text }) => `\n    ${readingOption(decision, name)}   ${text}`,
    );
    return `\n  ${decisionText({ ...decision, taken: { name: "", text: "which is it?" } })}${options.join("")}`;
  });
  throw datanetError("DNT_READING_OPEN", `the files can be read in several ways:${lines.join("")}`, {
    data: { decisions: open.map(decisionAnswer) },
  });
}

/**
 * Reads choices as a shell gives them, KEY=READING each.
 * @throws DNT_READING_UNKNOWN for a text without "=", or one key twice
 */
export function parseChoices(pairs: readonly string[]): Choices {
  const choices = new Map<string, string>();
  for (const pair of pairs) {
    const at = pair.lastIndexOf("=");
    const key = pair.slice(0, at);
    if (at <= 0 || choices.has(key)) {
      const why = at <= 0 ? "is no KIND:COLUMN=READING" : "chooses a reading twice";
      throw datanetError("DNT_READING_UNKNOWN", `"${pair.slice(0, 100)}" ${why}`, {
        data: { key, name: undefined },
      });
    }
    choices.set(key, pair.slice(at + 1));
  }
  return Object.fromEntries(choices);
}
