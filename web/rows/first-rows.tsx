/** Table of the first rows of a contribution as they will be, before it is signed: fields as columns, pictures as pictures. */

import { hasNotes } from "@openledger/attribution/rows/salted-rows";
import type { Card } from "@openledger/datanets/card/card";
import { viewRow } from "@openledger/datanets/rows/row-view";
import { rowNumber } from "@openledger/foundation/row-number";
import "./first-rows.css";
import { type Column, DataTable } from "../design/data-table.tsx";
import { showCount } from "../words/format.ts";
import { ShownValue } from "./field-value.tsx";
import { MAX_THUMBNAIL_BYTES, pictureAddress } from "./picture-address.ts";
import { partsOf, SHOWN_CHARACTERS, textExcerpt } from "./row-parts.ts";
import { RowText } from "./row-text.tsx";
import { showBytes } from "./show-bytes.ts";

interface FirstRow {
  /** Place among the rows that were read, from 0. */
  readonly at: number;
  readonly row: Uint8Array;
  /** The contributor's label; null for none. */
  readonly label: string | null;
}

interface FirstRowsProps {
  readonly card: Pick<Card, "row" | "labels">;
  readonly rows: readonly FirstRow[];
  /** Number of rows of which these are the first. */
  readonly count: number;
}

export function FirstRows({ card, count, rows }: FirstRowsProps) {
  const columns: Column<FirstRow>[] = [
    { label: "Row", isNumber: true, cell: ({ at }) => showCount(rowNumber(at)) },
    ...contentColumns(card, rows),
    ...(rows.some(({ label }) => label !== null)
      ? [{ label: "Your label", cell: ({ label }: FirstRow) => label ?? <span class="soft">none</span> }]
      : []),
  ];
  return (
    <>
      <h3>{count > rows.length ? `The first of ${showCount(count)} rows` : "All of them"}</h3>
      <DataTable caption="First rows" columns={columns} rows={rows} keyOf={({ at }) => at} empty="None." />
    </>
  );
}

function contentColumns(card: FirstRowsProps["card"], rows: readonly FirstRow[]): Column<FirstRow>[] {
  const { fields, kind } = card.row;
  if (kind === "image")
    return [
      { label: "Picture", cell: ({ row }) => <Thumbnail content={row} /> },
      ...(rows.some(({ row }) => hasNotes(row))
        ? [{ label: "Notes", cell: ({ row }: FirstRow) => <RowText text={viewRow(card, row).text} /> }]
        : []),
      { label: "Size", isNumber: true, cell: ({ row }) => showBytes(row.length) },
    ];
  if (kind === "table")
    return fields.map(({ name, type }, i) => ({
      label: name,
      isNumber: type === "number",
      cell: ({ row }) => {
        const value = viewRow(card, row).values?.[i];
        return value === undefined ? (
          <span class="soft">not a row of this table</span>
        ) : (
          <ShownValue value={value} maxCharacters={SHOWN_CHARACTERS} />
        );
      },
    }));
  const names = [...new Set(rows.flatMap(({ row }) => Object.keys(partsOf(card, row))))];
  return names.map((name) => ({
    label: name,
    cell: ({ row }) => (
      <ShownValue value={partsOf(card, row)[name] ?? null} maxCharacters={SHOWN_CHARACTERS} />
    ),
  }));
}

/** Picture in a list, if it is one and small enough. */
function Thumbnail({ content }: { content: Uint8Array }) {
  if (content.length > MAX_THUMBNAIL_BYTES) return <span class="soft">a large picture</span>;
  const address = pictureAddress(content);
  return address === null ? (
    <span class="soft">no picture</span>
  ) : (
    <img class="row-thumbnail" src={address} alt="" />
  );
}

/** Beginning of a row among findings: its text, or the picture. */
export function RowBeginning({ card, row }: { card: FirstRowsProps["card"]; row: Uint8Array }) {
  if (card.row.kind === "image") return <Thumbnail content={row} />;
  const { isWellFormed, text } = viewRow(card, row);
  return <RowText text={isWellFormed ? text.slice(0, SHOWN_CHARACTERS) : textExcerpt(row)} />;
}
