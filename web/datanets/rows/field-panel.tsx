/** Fields of a table above its rows: each with its values in numbers and a filter of its own. */
import type { FieldStatistics } from "@openledger/client/datanets/row-schemas";
import type { Card } from "@openledger/datanets/card/card";
import type { FieldFilter } from "@openledger/datanets/rows/field-filter";
import { useState } from "preact/hooks";
import { Choice } from "../../design/choice.tsx";
import { Field } from "../../design/field.tsx";
import { RowText } from "../../rows/row-text.tsx";
import { showCount, showCounted } from "../../words/format.ts";
import { type RangeText, rangeFilter, rangeText, withFilter } from "./field-filters.ts";

type CardField = Card["row"]["fields"][number];
type FieldNumbers = FieldStatistics["fields"][number];

interface FieldPanelProps {
  readonly fields: Card["row"]["fields"];
  readonly filters: readonly FieldFilter[];
  readonly onFilters: (filters: readonly FieldFilter[]) => void;
  /** undefined until the host has counted. */
  readonly statistics: FieldStatistics | undefined;
}

export function FieldPanel({ fields, filters, onFilters, statistics }: FieldPanelProps) {
  const used = filters.length;
  return (
    <details class="card" open={used > 0}>
      <summary>
        <strong>Fields</strong>{" "}
        <span class="soft">
          {showCounted(fields.length, "field")}
          {used > 0 && `, filtered by ${used}`}
        </span>
      </summary>
      <div class="folded stack">
        {statistics?.isSample && (
          <p class="soft small">Counted on a sample of {showCounted(statistics.rowCount, "row")}.</p>
        )}
        <div class="field-cards">
          {fields.map((field) => (
            <section key={field.name} class="field-card" aria-label={field.name}>
              <h3 title={field.description}>
                <RowText text={field.name} isOneLine /> <span class="soft small">{field.type}</span>
              </h3>
              <Numbers
                rowCount={statistics?.rowCount ?? 0}
                numbers={statistics?.fields.find(({ name }) => name === field.name)}
              />
              <FieldCondition
                field={field}
                filter={filters.find((filter) => filter.field === field.name)}
                onFilter={(filter) => onFilters(withFilter(filters, field.name, filter))}
                names={namesOf(statistics?.fields.find(({ name }) => name === field.name))}
              />
            </section>
          ))}
        </div>
      </div>
    </details>
  );
}

const namesOf = (numbers: FieldNumbers | undefined): readonly string[] =>
  numbers !== undefined && "names" in numbers ? numbers.names.map(({ name }) => name) : [];

function Numbers({ numbers, rowCount }: { numbers: FieldNumbers | undefined; rowCount: number }) {
  if (numbers === undefined) return <p class="soft small">counting …</p>;
  const missing =
    numbers.missingCount === 0
      ? "none missing"
      : `${showCount(numbers.missingCount)} of ${showCount(rowCount)} missing`;
  if ("names" in numbers) {
    const shown = numbers.names.slice(0, 4);
    return (
      <>
        <ul class="field-names small">
          {shown.map(({ name, rowCount: count }) => (
            <li key={name}>
              <RowText text={nameOf(numbers.type, name)} isOneLine />{" "}
              <span class="soft">{showCount(count)}</span>
            </li>
          ))}
        </ul>
        <p class="soft small">
          {showCounted(numbers.nameCount, "value")}, {missing}
        </p>
      </>
    );
  }
  const { bins, span } = numbers;
  const most = Math.max(1, ...bins);
  return (
    <>
      {span !== null && (
        <div
          class="field-bins"
          role="img"
          aria-label={`from ${span.min} to ${span.max}, half of them below ${span.median}`}
        >
          {bins.map((count, i) => (
            <span key={i} style={{ height: `${count === 0 ? 0 : 4 + (96 * count) / most}%` }} />
          ))}
        </div>
      )}
      <p class="soft small">
        {span !== null &&
          `${numbers.type === "text" ? "characters: " : ""}${show(span.min)} to ${show(span.max)}, median ${show(span.median)}, `}
        {missing}
      </p>
    </>
  );
}

/** Name of a category; yes or no of a boolean. */
function nameOf(type: CardField["type"], name: string): string {
  if (type !== "boolean") return name;
  return name === "true" ? "yes" : "no";
}

/** A number in a few digits. */
const show = (value: number) => String(Number(value.toPrecision(5)));

interface ConditionProps {
  readonly field: CardField;
  readonly filter: FieldFilter | undefined;
  readonly onFilter: (filter: FieldFilter | null) => void;
  readonly names: readonly string[];
}

const MISSING = "\u0000missing";

function FieldCondition(props: ConditionProps) {
  const { field, filter, names, onFilter } = props;
  if (field.type === "number") return <Range {...props} />;
  const isMissing = filter !== undefined && "isMissing" in filter;
  const is = filter !== undefined && "is" in filter ? String(filter.is) : "";
  const listed = field.type === "boolean" ? ["true", "false"] : field.type === "category" ? names : [];
  const choose = (name: string) => {
    if (name === "") onFilter(null);
    else if (name === MISSING) onFilter({ field: field.name, isMissing: true });
    else onFilter({ field: field.name, is: field.type === "boolean" ? name === "true" : name });
  };
  return (
    <Choice
      label="Show"
      value={isMissing ? MISSING : is}
      onChoose={choose}
      options={[
        { name: "", label: "any value" },
        ...[...new Set([...listed, ...(is === "" ? [] : [is])])].map((name) => ({
          name,
          label: nameOf(field.type, name),
        })),
        { name: MISSING, label: "missing" },
      ]}
    />
  );
}

function Range({ field, filter, onFilter }: ConditionProps) {
  const [text, setText] = useState<RangeText>(rangeText(filter));
  const change = (part: Partial<RangeText>) => {
    const next = { ...text, ...part };
    setText(next);
    const made = rangeFilter(field.name, next);
    if (made !== "wrong") onFilter(made);
  };
  const isWrong = rangeFilter(field.name, text) === "wrong";
  return (
    <div class="field-range">
      <Field
        label="From"
        value={text.from}
        inputMode="decimal"
        onInput={(from) => change({ from })}
        problem={isWrong ? "Enter numbers such as 12.5." : null}
      />
      <Field label="To" value={text.to} inputMode="decimal" onInput={(to) => change({ to })} />
    </div>
  );
}
