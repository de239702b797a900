/**
 * Row of the next question on the Ask page, for a model that reads tables: a form with the table's fields. The row in canonical JSON is
 * the prompt.
 */
import { type InputField, isIgnored } from "@openledger/attribution/inputs/model-inputs";
import { encodeTableRow, typedValues } from "@openledger/attribution/rows/table-rows";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { Fragment } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Field } from "../design/field.tsx";
import type { FieldChoices } from "../rows/field-choices.ts";
import { RowText } from "../rows/row-text.tsx";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";

interface TableInputProps {
  /** All fields of the table, in the order of a row. */
  readonly fields: readonly InputField[];
  /** The row as JSON; empty: nothing is filled in, or not as it has to be. */
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly isDisabled: boolean;
  /** Values that rows have, by field; a field that is not there takes any. */
  readonly choices?: ReadonlyMap<string, FieldChoices>;
}

type Texts = ReadonlyMap<string, string>;

export function TableInput({ choices = NO_CHOICES, fields, isDisabled, onInput, value }: TableInputProps) {
  const [texts, setTexts] = useState<Texts>(() => textsOf(value));
  const [problem, setProblem] = useState<RowProblem | null>(null);
  // Once a row is asked, the form is empty again; one that is wrong is no row yet.
  useEffect(() => {
    if (value === "" && problem === null) setTexts(new Map());
  }, [value]);
  const write = (name: string, text: string) => {
    const next = new Map(texts).set(name, text);
    setTexts(next);
    try {
      const prompt = promptOf(fields, next);
      setProblem(null);
      onInput(prompt);
    } catch (error) {
      setProblem(rowProblem(fields, error));
      onInput("");
    }
  };
  return (
    <fieldset class="field stack-s" disabled={isDisabled}>
      <legend>Your row</legend>
      {fields
        .filter((field) => !isIgnored(field))
        .map(({ name, type }) => (
          <Field
            key={name}
            label={<RowText text={name} />}
            value={texts.get(name) ?? ""}
            onInput={(text) => write(name, text)}
            lineCount={type === "text" ? 3 : 1}
            help={sayRead(type, texts.get(name) ?? "", choices.get(name)) ?? HELP[type]}
            problem={problem?.field === name ? problem.sentence : null}
            isDisabled={isDisabled}
            {...(type === "boolean" && { suggestions: ["true", "false"] })}
            {...(choices.has(name) && { suggestions: choices.get(name)!.names })}
            {...(type === "number" && { inputMode: "decimal" as const })}
          />
        ))}
      {problem !== null && problem.field === null && <ProblemNotice problem={problem.problem} />}
    </fieldset>
  );
}

const NO_CHOICES: NonNullable<TableInputProps["choices"]> = new Map();

/** Grouped digits with a decimal mark, or a decimal comma that cannot be a grouping mark. */
const POINTS_GROUP = /^-?\d{1,3}(\.\d{3})+,\d+$/;
const COMMAS_GROUP = /^-?\d{1,3}(,\d{3})+\.\d+$/;
const DECIMAL_COMMA = /^-?\d+,(\d{1,2}|\d{4,})$/;

/**
 * Writes a number with a decimal point and no other separator, where it can be read in one way: 12,5 and 12.841,42 can. Any other text
 * stays as it is, such as 1,234.
 */
export function plainNumber(text: string): string {
  const typed = text.trim();
  if (COMMAS_GROUP.test(typed)) return typed.replaceAll(",", "");
  if (POINTS_GROUP.test(typed) || DECIMAL_COMMA.test(typed))
    return typed.replaceAll(".", "").replace(",", ".");
  return text;
}

/** Says how a text is read where that is not plain; null where it is. */
export function sayRead(type: InputField["type"], text: string, choices?: FieldChoices): string | null {
  if (type === "number") return plainNumber(text) === text ? null : `Read as ${plainNumber(text)}.`;
  const typed = text.trim();
  if (choices === undefined || typed === "" || choices.names.includes(typed)) return null;
  const alike = choices.names.find((name) => name.toLowerCase() === typed.toLowerCase());
  if (alike !== undefined) return `No row has “${typed}”: did you mean “${alike}”?`;
  return choices.isComplete ? `No row has “${typed}”. Rows have: ${choices.names.join(", ")}.` : null;
}

const HELP: Readonly<Record<InputField["type"], string>> = {
  number: "A number such as 12.5. Leave empty if unknown.",
  category: "A value as written in the Datanet's rows: choose one, or leave empty if unknown.",
  boolean: "true or false. Leave empty if unknown.",
  text: "Any text. Leave empty if unknown.",
};

const WRONG: Readonly<Partial<Record<InputField["type"], string>>> = {
  number: "Enter a number such as 12.5. A mark before three digits can be read in two ways: leave it out.",
  boolean: "Enter true or false.",
};

/** Problem of what is typed, at its field, or of the row as a whole. */
type RowProblem =
  | { readonly field: string; readonly sentence: string }
  | { readonly field: null; readonly problem: Problem };

export function rowProblem(fields: readonly InputField[], error: unknown): RowProblem {
  const named = isRollupError(error, "ATT_ROW_INVALID")
    ? (error.data as { field?: unknown }).field
    : undefined;
  const field = fields.find(({ name }) => name === named);
  const sentence = field && WRONG[field.type];
  return sentence === undefined
    ? { field: null, problem: problemOf(error) }
    : { field: field!.name, sentence };
}

/** The prompt; empty if no field is filled in. @throws ATT_ROW_INVALID naming the field */
function promptOf(fields: readonly InputField[], texts: Texts): string {
  const plain = new Map(texts);
  for (const { name, type } of fields)
    if (type === "number" && texts.has(name)) plain.set(name, plainNumber(texts.get(name)!));
  const values = typedValues(fields, plain);
  return values.every((value) => value === null)
    ? ""
    : new TextDecoder().decode(encodeTableRow(fields, values));
}

const textsOf = (prompt: string): Texts =>
  new Map(valuesOf(prompt).map(([name, value]) => [name, String(value)]));

/** Fields of a row that are not missing. */
function valuesOf(prompt: string): [string, unknown][] {
  try {
    return Object.entries(JSON.parse(prompt) as object).filter(([, value]) => value !== null);
  } catch {
    // Nothing that a form has written.
    return [];
  }
}

/** A row that was asked about. */
export function AskedRow({ text }: { text: string }) {
  return (
    <div class="asked">
      <span class="visually-hidden">You asked about this row: </span>
      <dl class="row-fields">
        {valuesOf(text).map(([name, value]) => (
          <Fragment key={name}>
            <dt>
              <RowText text={name} />
            </dt>
            <dd>
              <RowText text={String(value)} />
            </dd>
          </Fragment>
        ))}
      </dl>
    </div>
  );
}
