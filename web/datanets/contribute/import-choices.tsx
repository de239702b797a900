/**
 * Step of the contribute tab between files and rows: which column is which field and which is the label, how a file is
 * divided, what is not used, and what could not be read.
 */
import type { Card } from "@openledger/datanets/card/card";
import {
  fieldsOfRow,
  type ImportMapping,
  columnOf as mappedColumn,
} from "@openledger/datanets/import/mapping";
import { SEPARATORS, type Separator } from "@openledger/datanets/import/read-csv";
import type { ReadSettings } from "@openledger/datanets/import/read-files";
import { type Refusal, refusalText } from "@openledger/datanets/import/refusal";
import { Choice } from "../../design/choice.tsx";
import { Check } from "../../design/field.tsx";
import { showCount, showCounted } from "../../words/format.ts";
import type { LookedAt } from "./scan-rows.ts";

interface ImportChoicesProps {
  readonly card: Pick<Card, "row" | "labels">;
  readonly looked: LookedAt;
  readonly settings: ReadSettings;
  /** True if a file is CSV, whose separator can be chosen. */
  readonly hasCsv: boolean;
  readonly onMap: (mapping: ImportMapping) => void;
  readonly onSettings: (settings: ReadSettings) => void;
}

const SEPARATOR_NAMES: Readonly<Record<Separator, string>> = {
  ",": "commas",
  ";": "semicolons",
  "\t": "tabs",
  "|": "vertical bars",
};
/** Values of a select beside the columns' own, which have a prefix. */
const OPEN = "open";
const NONE = "none";
const PREFIX = "column ";

const choiceOf = (column: string | null) => (column === null ? NONE : PREFIX + column);
const columnOf = (value: string) => (value === NONE ? null : value.slice(PREFIX.length));

/** Selects for the columns; nothing for files that have but one. */
export function ImportChoices(props: ImportChoicesProps) {
  const { card, hasCsv, looked, onMap, onSettings, settings } = props;
  const { columns, mapping, missing, notices, unused } = looked;
  const fields = fieldsOfRow(card.row);
  if (!hasCsv && columns.length <= 1 && missing.length === 0) return null;
  const options = columns.map(({ name, type }) => ({ name: PREFIX + name, label: `${name} (${type})` }));
  // A passage has one of its forms: the fields of the others need no column.
  const isOpen = (field: string) =>
    mappedColumn(mapping.columns, field) === undefined && missing.includes(field);
  const map = (field: string, value: string) => {
    const chosen = { ...mapping.columns };
    if (value !== OPEN) chosen[field] = columnOf(value);
    onMap({ ...mapping, columns: chosen });
  };
  return (
    <section class="stack" aria-label="Columns">
      <h3>Map the columns</h3>
      <div class="columns columns-small">
        {fields.map((field) => (
          <Choice
            key={field}
            label={field}
            value={isOpen(field) ? OPEN : choiceOf(mappedColumn(mapping.columns, field) ?? null)}
            problem={missing.includes(field) ? "Choose a column." : null}
            onChoose={(value) => map(field, value)}
            options={[
              ...(isOpen(field) ? [{ name: OPEN, label: "choose …" }] : []),
              ...options,
              { name: NONE, label: card.row.kind === "table" ? "none: missing in every row" : "none" },
            ]}
          />
        ))}
        {card.labels.length > 0 && (
          <Choice
            label="Your label"
            value={choiceOf(mapping.label)}
            onChoose={(value) => onMap({ ...mapping, label: columnOf(value) })}
            options={[{ name: NONE, label: "none in the file" }, ...options]}
          />
        )}
        {hasCsv && (
          <Choice
            label="Fields are separated by"
            value={settings.separator ?? NONE}
            onChoose={(value) => {
              const { separator: _, ...others } = settings;
              onSettings(value === NONE ? others : { ...others, separator: value as Separator });
            }}
            options={[
              { name: NONE, label: "detected automatically" },
              ...SEPARATORS.map((name) => ({ name, label: SEPARATOR_NAMES[name] })),
            ]}
          />
        )}
      </div>
      {notices.map((notice) => (
        <p key={notice} class="soft small">
          {notice}
        </p>
      ))}
      {unused.length > 0 && (
        <p class="soft small">
          {unused.length === 1 ? "Column" : "Columns"} {unused.map((name) => `“${name}”`).join(", ")}{" "}
          {unused.length === 1 ? "is" : "are"} not used: no row has {unused.length === 1 ? "its" : "their"}{" "}
          values.
        </p>
      )}
    </section>
  );
}

/** Entries that are listed one by one. */
const SHOWN_REFUSALS = 10;

/** List of rows that could not be read, and the question whether the rest is contributed without them. */
export function RefusedRows({
  isRestTaken,
  onTakeRest,
  refused,
}: {
  refused: readonly Refusal[];
  isRestTaken: boolean;
  onTakeRest: (isRestTaken: boolean) => void;
}) {
  if (refused.length === 0) return null;
  return (
    <section class="stack-s" aria-label="Refused">
      <h3>{showCounted(refused.length, "place")} could not be read</h3>
      <ul class="preview-rows">
        {refused.slice(0, SHOWN_REFUSALS).map((refusal) => (
          <li key={refusalText(refusal)}>{refusalText(refusal)}</li>
        ))}
      </ul>
      {refused.length > SHOWN_REFUSALS && (
        <p class="soft small">and {showCount(refused.length - SHOWN_REFUSALS)} more</p>
      )}
      <Check
        label="Use the rest"
        help="Otherwise correct the file and choose it again."
        isChecked={isRestTaken}
        onCheck={onTakeRest}
      />
    </section>
  );
}
