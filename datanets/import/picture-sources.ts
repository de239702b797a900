/** Sources of pictures and of their labels, where a file has two: two columns of pictures, a table beside folders. */
import type { Card } from "../card/card.ts";
import type { Decisions, Reading } from "./decision.ts";
import type { FileTable } from "./file-table.ts";
import { PICTURE_COLUMN } from "./join-pictures.ts";
import { columnOf, folderColumnOf, type ImportMapping, labelOrNull, pictureColumns } from "./mapping.ts";
import { tidyName } from "./twins.ts";

/** Decides which of two sources pictures and labels come from. */
export function pictureMapping(
  card: Pick<Card, "labels">,
  table: FileTable,
  mapping: ImportMapping,
  decisions: Decisions,
): ImportMapping {
  const image = choosePictures(table, columnOf(mapping.columns, PICTURE_COLUMN) ?? null, decisions);
  const columns = image === null ? mapping.columns : { ...mapping.columns, [PICTURE_COLUMN]: image };
  return { columns, label: chooseLabels(card, table, mapping.label, decisions) };
}

/** Asks which column is the row's picture, where a row has two. */
function choosePictures(table: FileTable, mapped: string | null, decisions: Decisions): string | null {
  const all = pictureColumns(table);
  const own = all.find(({ name }) => name === mapped);
  const several = table.records.filter(
    ({ values }) => all.filter(({ name }) => (values.get(name) ?? null) !== null).length > 1,
  );
  if (own === undefined || several.length === 0) return mapped;
  const readings = [own, ...all.filter((column) => column !== own)].map(
    ({ name }): Reading => ({ name, text: `a row is the picture of "${name}", and no other` }),
  );
  return decisions.decide({
    ...{ kind: "picture-column", file: null, column: null, cells: several.length, isUnclear: true },
    seen: readings.map(({ name }) => name).join(", "),
    readings: readings as [Reading],
  });
}

/** Says where a table gives pictures another label than their folders. The table counts, unless a person says otherwise. */
function chooseLabels(
  { labels }: Pick<Card, "labels">,
  table: FileTable,
  column: string | null,
  decisions: Decisions,
): string | null {
  const folder = folderColumnOf(table);
  if (column === null || folder === null || column === folder) return column;
  const names = new Set(labels.map(({ name }) => tidyName(name).toLowerCase()));
  const formOf = (text: string | null) => (text === null ? null : tidyName(text).toLowerCase());
  const differing = table.records.filter(({ values }) => {
    if (!values.has(column)) return false;
    const [own, other] = [column, folder].map((name) => formOf(labelOrNull(values.get(name) ?? null)));
    return other !== null && names.has(other!) && other !== own;
  });
  const [first] = differing;
  if (first === undefined) return column;
  const name = decisions.decide({
    ...{ kind: "label-source", file: null, column, cells: differing.length, isUnclear: false },
    seen: first.file,
    readings: [
      {
        name: "table",
        text: `the label is "${labelOrNull(first.values.get(column) ?? null) ?? ""}", as the table says`,
      },
      { name: "folder", text: `the label is "${String(first.values.get(folder))}", as its folder says` },
    ],
  });
  return name === "folder" ? folder : column;
}
