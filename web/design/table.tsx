import type { ComponentChildren, VNode } from "preact";

export interface Column<Row> {
  readonly label: string;
  /** What the head says instead, a term with its explanation for example. */
  readonly head?: ComponentChildren;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

interface TableProps<Row> {
  caption: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string | number;
  /** Its few narrow columns fit a phone side by side. */
  isNarrow?: boolean;
  /** Shown where there are no rows. */
  empty: ComponentChildren;
}

/** Rows under a head; on a phone each row becomes a list of its cells. */
export function Table<Row>({
  caption,
  columns,
  rows,
  keyOf,
  isNarrow = false,
  empty,
}: TableProps<Row>): VNode {
  if (rows.length === 0) return <p class="soft">{empty}</p>;
  return (
    <div class="table-box">
      <table class={isNarrow ? "table table-narrow" : "table"}>
        <caption class="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ label, head, isNumber }) => (
              <th key={label} scope="col" class={isNumber ? "number" : undefined}>
                {head ?? label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map(({ label, isNumber, cell }) => (
                <td key={label} data-label={label} class={isNumber ? "number" : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
