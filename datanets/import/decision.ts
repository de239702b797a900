/**
 * Decisions of an import: each place where a person's file admits several readings, with the reading that was taken, the others, and
 * how to choose one. Readers record them; page, command and MCP tool show them.
 */
import { datanetError } from "../datanet-errors.ts";

/** Kinds of decisions. A kind belongs to one reader, which says where in its file which readings it knows. */
const DECISION_KINDS = [
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
  "missing-and-twins",
  "missing-values",
  "number-and-date-forms",
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
  /** File that the decision is about; null for several. */
  readonly file: string | null;
  /** Column that the decision is about; null for several, and for records or files as a whole. */
  readonly column: string | null;
  /** Columns of one decision about several; empty where `column` says which, or none is meant. */
  readonly columns: readonly string[];
  /** Number of cells whose value depends on it; of records, where no column is meant. */
  readonly cells: number;
  /** Value as written that shows it, at most `MAX_SEEN` characters. */
  readonly seen: string;
  readonly taken: Reading;
  readonly others: readonly Reading[];
  /** True if the others are likely and would change values or labels: a person is asked, unless somebody has chosen. */
  readonly isUnclear: boolean;
  /** True if it is unclear and nobody has chosen: a person is asked before anything is signed. */
  readonly isOpen: boolean;
}

/** Maximum questions about an import; beyond it two become one, whose readings are pairs of theirs. */
const MAX_QUESTIONS = 3;
/** Character between the names of a pair of readings: "decimals+day-first". */
const PAIR_MARK = "+";

/** Questions that become one, in the order in which that is tried. */
const JOINT_KINDS: readonly {
  readonly kind: DecisionKind;
  /** Kinds of the first and of the second reading of a pair. */
  readonly sides: readonly [readonly DecisionKind[], readonly DecisionKind[]];
}[] = [
  { kind: "number-and-date-forms", sides: [["number-marks"], ["date-form"]] },
  { kind: "missing-and-twins", sides: [["missing-values"], ["category-twins", "label-twins"]] },
];

/**
 * Readings that a person has chosen, by `decisionKey`: of a column ("number-marks:Revenue"), of a column in one file
 * ("number-marks:2024.csv:Revenue"), or of a whole kind ("number-marks"). The narrowest counts.
 */
export type Choices = Readonly<Record<string, string>>;

/** Maximum characters of `seen`. */
const MAX_SEEN = 60;
/** Maximum characters of a file's or column's name in a decision's key. */
const MAX_SUBJECT = 200;
/** Columns that a merged decision names. */
const NAMED_COLUMNS = 4;

type Subject = Pick<Decision, "column" | "file" | "kind">;

/** Returns the decision's name among those of one import: "number-marks:Revenue", "first-line:sms.tsv", "language". */
export function decisionKey({ column, file, kind }: Subject): string {
  const subject = column ?? file;
  return subject === null ? kind : `${kind}:${subject.slice(0, MAX_SUBJECT)}`;
}

/** Returns the keys by which a person may have chosen, the narrowest first. */
function keysOf(subject: Subject): readonly string[] {
  const { column, file, kind } = subject;
  const inFile =
    column === null || file === null ? [] : [`${kind}:${file}:${column}`.slice(0, 2 * MAX_SUBJECT)];
  return [...new Set([...inFile, decisionKey(subject), kind])];
}

/** Returns the choice for a decision out of one about two kinds; undefined where nobody has made one. */
function pairedChoice(subject: Subject, choices: Choices): string | undefined {
  for (const { kind, sides } of JOINT_KINDS) {
    const side = sides.findIndex((kinds) => kinds.includes(subject.kind));
    const key = side < 0 ? undefined : jointKeys(kind, subject).find((one) => Object.hasOwn(choices, one));
    if (key !== undefined) return choices[key]!.split(PAIR_MARK)[side];
  }
  return undefined;
}

const jointKeys = (kind: DecisionKind, { file }: Subject): readonly string[] =>
  [file, null].map((one) => decisionKey({ kind, file: one, column: null }));

/** Returns the option of the contribute and preview commands that chooses a reading, quoted for a shell where it has to be. */
function readingOption(decision: Subject, reading: string): string {
  const value = `${decisionKey(decision)}=${reading}`;
  return `--read ${/^[\w:.,/=+-]+$/.test(value) ? value : `'${value.replaceAll("'", "'\\''")}'`}`;
}

/** A decision as `openledger datanet preview --json` prints it. */
export interface DecisionAnswer {
  readonly kind: DecisionKind;
  readonly file: string | null;
  readonly column: string | null;
  readonly columns: readonly string[];
  readonly cells: number;
  readonly seen: string;
  readonly taken: string;
  /** Other readings, each with its sentence. */
  readonly other: string;
  /** Option that takes the first of the others; empty if there is none. */
  readonly option: string;
  /** Options of all readings, that of the taken one first. */
  readonly options: readonly string[];
  readonly isOpen: boolean;
}

export function decisionAnswer(decision: Decision): DecisionAnswer {
  const { cells, column, columns, file, isOpen, kind, others, seen, taken } = decision;
  return {
    ...{ kind, file, column, columns, cells, seen },
    taken: taken.text,
    other: others.map(({ text }) => text).join("; or "),
    option: others.length === 0 ? "" : readingOption(decision, others[0]!.name),
    options: [taken, ...others].map(({ name }) => readingOption(decision, name)),
    isOpen,
  };
}

/** Subject of a decision in words: `"28,442" in 31 cells of "Revenue", sales.csv`. */
export function decisionSubject({ cells, column, columns, file, seen }: Decision): string {
  const unit = column === null && columns.length === 0 ? "record" : "cell";
  const count = `${cells} ${unit}${cells === 1 ? "" : "s"}`;
  const more = columns.length > NAMED_COLUMNS ? ` and ${columns.length - NAMED_COLUMNS} more` : "";
  const several = columns.slice(0, NAMED_COLUMNS).map((name) => `"${name}"`);
  const of = column === null ? several.join(", ") + more : `"${column}"`;
  const where = [of === "" ? count : `${count} of ${of}`, ...(file === null ? [] : [file])];
  return `"${seen}" in ${where.join(", ")}`;
}

/** Text of a decision, one line without its options: "`28,442` in 31 cells of *Revenue*: a number with thousands". */
export const decisionText = (decision: Decision): string =>
  `${decisionSubject(decision)}: ${decision.taken.text}`;

/** Lines of decisions for people, the open ones first, each with the options that take another reading. */
export function decisionLines(decisions: readonly Decision[]): string[] {
  const ordered = [...decisions].sort((a, b) => Number(b.isOpen) - Number(a.isOpen));
  return ordered.flatMap((decision) => {
    const { isOpen, others, taken } = decision;
    if (isOpen) return [`choose: ${decisionSubject(decision)}`, ...optionLines(decision, [taken, ...others])];
    return [`read: ${decisionText(decision)}`, ...optionLines(decision, others)];
  });
}

const optionLines = (decision: Decision, readings: readonly Reading[]) =>
  readings.map(({ name, text }) => `    ${readingOption(decision, name)}   ${text}`);

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

  /** @param choices of a person, by `decisionKey` */
  constructor(choices: Choices = {}) {
    this.#choices = choices;
  }

  /** Decisions, in which open ones of one kind with the same readings are one question. */
  get list(): readonly Decision[] {
    return mergedDecisions(this.#list);
  }

  /**
   * Records a decision and returns the name of the reading to take.
   * @throws DNT_READING_UNKNOWN if the person's choice is none of the readings
   */
  decide({ isUnclear, readings, seen, ...subject }: DecisionSubject): string {
    const name = this.#choiceOf(subject, readings);
    const taken = readings.find((reading) => reading.name === name) ?? readings[0];
    const others = readings.filter((reading) => reading !== taken);
    const asks = isUnclear && others.length > 0;
    this.#list.push({
      ...{ ...subject, columns: [], seen: seen.slice(0, MAX_SEEN), taken, others },
      ...{ isUnclear: asks, isOpen: asks && name === undefined },
    });
    return taken.name;
  }

  #choiceOf(subject: Subject, readings: readonly Reading[]): string | undefined {
    const key = keysOf(subject).find((one) => Object.hasOwn(this.#choices, one));
    if (key === undefined) {
      const paired = pairedChoice(subject, this.#choices);
      return readings.some((reading) => reading.name === paired) ? paired : undefined;
    }
    const name = this.#choices[key]!;
    if (readings.some((reading) => reading.name === name)) return name;
    // A choice for a whole kind need not fit each of its decisions.
    if (key === subject.kind && key !== decisionKey(subject)) return undefined;
    throw unknownReading(key, name, readings);
  }
}

function unknownReading(key: string, name: string, readings: readonly Reading[]) {
  const names = [...new Set(readings.map((reading) => reading.name))].join(", ");
  return datanetError("DNT_READING_UNKNOWN", `"${key}" is read as one of ${names}`, { data: { key, name } });
}

/**
 * Merges decisions of one kind: open ones with the same readings become one question about several columns or files, and those of
 * one column in several files one entry.
 */
export function mergedDecisions(decisions: readonly Decision[]): readonly Decision[] {
  const groups = new Map<string, Decision[]>();
  for (const decision of decisions) {
    const { isOpen, kind, others, taken } = decision;
    const names = [taken, ...others].map(({ name }) => name).sort();
    const subject = isOpen ? "" : JSON.stringify([decision.column, taken.name, taken.text]);
    const group = `${kind} ${isOpen} ${names.join(" ")} ${subject}`;
    const known = groups.get(group);
    if (known === undefined) groups.set(group, [decision]);
    else known.push(decision);
  }
  return [...groups.values()].map((group) => {
    const [first] = group as [Decision, ...Decision[]];
    if (group.length === 1) return first;
    const columns = [...new Set(group.flatMap((one) => (one.column === null ? one.columns : [one.column])))];
    const files = new Set(group.map(({ file }) => file));
    const [column] = columns.length === 1 ? columns : [null];
    return {
      ...first,
      column: column!,
      columns: columns.length > 1 ? columns : [],
      // A choice for several columns is one for the kind.
      file: files.size === 1 && columns.length <= 1 ? first.file : null,
      cells: group.reduce((sum, { cells }) => sum + cells, 0),
    };
  });
}

/**
 * Returns an import's decisions, of which at most three ask where two of them can be one question. Answered ones count: what a person has
 * chosen divides no question.
 */
export function joinedQuestions(decisions: readonly Decision[]): readonly Decision[] {
  let joined = decisions;
  let count = decisions.filter(({ isUnclear }) => isUnclear).length;
  for (const { kind, sides } of JOINT_KINDS) {
    if (count <= MAX_QUESTIONS) break;
    const [first, second] = sides.map((kinds) =>
      joined.find((one) => one.isUnclear && kinds.includes(one.kind)),
    ) as [Decision | undefined, Decision | undefined];
    if (first === undefined || second === undefined) continue;
    // Answered, the two were one.
    count -= 1;
    if (!first.isOpen || !second.isOpen) continue;
    const rest = joined.filter((one) => one !== first && one !== second);
    joined = [...rest, pairOf(kind, first, second)];
  }
  return joined;
}

/** One question about two decisions: each reading of the one with each of the other. */
function pairOf(kind: DecisionKind, first: Decision, second: Decision): Decision {
  const columns = [first, second].flatMap((one) => (one.column === null ? one.columns : [one.column]));
  const [taken, ...others] = [first.taken, ...first.others].flatMap((one) =>
    [second.taken, ...second.others].map(
      (other): Reading => ({
        name: `${one.name}${PAIR_MARK}${other.name}`,
        text: `"${first.seen}" is ${one.text}, "${second.seen}" is ${other.text}`,
      }),
    ),
  );
  return {
    ...{ kind, column: null, columns: [...new Set(columns)], isUnclear: true, isOpen: true },
    file: first.file === second.file ? first.file : null,
    cells: first.cells + second.cells,
    seen: `${first.seen}" and "${second.seen}`,
    taken: taken!,
    others,
  };
}

/**
 * Requires that each choice belongs to a decision, so that no mistyped one passes unseen.
 * @throws DNT_READING_UNKNOWN
 */
export function requireKnownChoices(choices: Choices, decisions: readonly Decision[]): void {
  const fits = (key: string, decision: Decision): boolean => {
    const { columns, file, kind } = decision;
    if (keysOf(decision).includes(key) || pairedChoice(decision, { [key]: "" }) !== undefined) return true;
    if (!key.startsWith(`${kind}:`)) return false;
    // A merged decision names its columns, and not its files.
    if (columns.length > 0) return columns.some((column) => key.endsWith(`:${column.slice(0, MAX_SUBJECT)}`));
    return (
      file === null && (decision.column === null || key.endsWith(`:${decision.column.slice(0, MAX_SUBJECT)}`))
    );
  };
  for (const [key, name] of Object.entries(choices)) {
    if (decisions.some((decision) => fits(key, decision))) continue;
    const keys = [...new Set(decisions.map(decisionKey))].join(", ") || "none";
    throw datanetError("DNT_READING_UNKNOWN", `the files have no decision "${key}"; they have: ${keys}`, {
      data: { key, name },
    });
  }
}

/**
 * Requires that nothing waits for a person, before anything is signed or paid.
 * @throws DNT_READING_OPEN naming each open decision with the options that answer it
 */
export function requireDecided(decisions: readonly Decision[]): void {
  const open = decisions.filter(({ isOpen }) => isOpen);
  if (open.length === 0) return;
  // One line: a command cuts an error's message there.
  const questions = open.map((decision) => {
    const options = [decision.taken, ...decision.others].map(
      ({ name, text }) => `${readingOption(decision, name)} (${text})`,
    );
    return `${decisionSubject(decision)}: ${options.join(" or ")}`;
  });
  throw datanetError("DNT_READING_OPEN", `the files can be read in several ways: ${questions.join("; ")}`, {
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
