/** Table of all pages: columns, an empty text, a limit of rows, buttons to older and newer pages. The caller fetches. */
import type { ComponentChildren, VNode } from "preact";
import { Button } from "./button.tsx";

export interface Column<Row> {
  readonly label: string;
  /** Head instead of the label, a term with its explanation for example. */
  readonly head?: ComponentChildren;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

/** Pages of rows that a server lists, newest first. */
export interface Pages {
  /** Goes back to the newest page; null there. */
  readonly toNewest: (() => void) | null;
  /** Goes to the page before; null if there is none. */
  readonly toOlder: (() => void) | null;
}

interface DataTableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  /** Rows; undefined while a server is asked for them. */
  readonly rows: readonly Row[] | undefined;
  readonly keyOf: (row: Row) => string | number;
  /** True if its few narrow columns fit a phone side by side. */
  readonly isNarrow?: boolean;
  /** Text if there are no rows. */
  readonly empty: ComponentChildren;
  /** Maximum number of rows shown; default: all. */
  readonly maxRows?: number;
  /** Text below the table about rows that are not shown. */
  readonly more?: (count: number) => ComponentChildren;
  readonly pages?: Pages;
}

/** Rows under a head; on a phone each row becomes a list of its cells. */
export function DataTable<Row>(props: DataTableProps<Row>): VNode {
  const { empty, maxRows = Number.POSITIVE_INFINITY, more, pages, rows } = props;
  const leftOut = (rows?.length ?? 0) - maxRows;
  return (
    <>
      {rows === undefined ? (
        <p class="soft">Asking …</p>
      ) : rows.length === 0 ? (
        <p class="soft">{empty}</p>
      ) : (
        <Rows {...props} rows={rows.slice(0, maxRows)} />
      )}
      {leftOut > 0 && more !== undefined && <p class="soft small">{more(leftOut)}</p>}
      {pages !== undefined && <PageButtons {...pages} />}
    </>
  );
}

function Rows<Row>({
  caption,
  columns,
  isNarrow = false,
  keyOf,
  rows,
}: Pick<DataTableProps<Row>, "caption" | "columns" | "isNarrow" | "keyOf"> & { rows: readonly Row[] }) {
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

function PageButtons({ toNewest, toOlder }: Pages) {
  if (toNewest === null && toOlder === null) return null;
  return (
    <div class="row">
      {toNewest !== null && (
        <Button isSmall onClick={toNewest}>
          Newest
        </Button>
      )}
      <span class="push" />
      {toOlder !== null && (
        <Button isSmall onClick={toOlder}>
          Older
        </Button>
      )}
    </div>
  );
}
