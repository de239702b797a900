/** Columns of a table's rows in the list of rows: heads, cells, and the width of a row. */
import type { FieldType } from "@openledger/attribution/rows/row-kinds";
import type { FieldValue } from "@openledger/attribution/rows/table-rows";
import type { Card } from "@openledger/datanets/card/card";
import { ShownValue } from "./field-value.tsx";
import { RowText } from "./row-text.tsx";

type Fields = Card["row"]["fields"];

/** Minimum width of a column, in rem. */
const WIDTHS: Readonly<Record<FieldType, number>> = { number: 6, boolean: 5, category: 8, text: 13 };
/** Width of a row beside its fields: its number and what became of it, in rem. */
const BESIDE = 19;

/** Heads of the columns, and the width of a row. */
export function tableColumns(fields: Fields) {
  const width = BESIDE + fields.reduce((sum, { type }) => sum + WIDTHS[type] + 1, 0);
  return {
    width: `${width}rem`,
    heads: (
      <>
        <span class="line-number">row</span>
        {fields.map(({ description, name, type }) => (
          <span key={name} {...cellOf(type)} title={description === "" ? type : `${type}: ${description}`}>
            <RowText text={name} isOneLine />
          </span>
        ))}
        <span class="line-facts">label</span>
      </>
    ),
  };
}

/** Cells of one row. */
export function TableCells({ fields, values }: { fields: Fields; values: readonly FieldValue[] }) {
  return (
    <>
      {fields.map(({ name, type }, i) => (
        <span key={name} {...cellOf(type)}>
          <span class="visually-hidden">{name}: </span>
          <ShownValue value={values[i] ?? null} isOneLine />
        </span>
      ))}
    </>
  );
}

const cellOf = (type: FieldType) => ({
  class: type === "number" ? "line-cell line-cell-number" : "line-cell",
  style: { flexBasis: `${WIDTHS[type]}rem`, width: `${WIDTHS[type]}rem` },
});
