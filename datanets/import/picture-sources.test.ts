/** Pictures with two sources of one thing: a table beside folders, two columns of names, folders that are parts of a data set. */
import { parquetWriteBuffer } from "hyparquet-writer";
import { describe, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import type { Choices } from "./decision.ts";
import type { ImportFile } from "./import-file.ts";
import { proposeCard } from "./propose-card.ts";
import { readFiles } from "./read-files.ts";
import { readImport } from "./read-import.ts";
import { readWithoutCard } from "./without-card.ts";

/** A PNG of one pixel; the last byte tells one from another. */
const png = (n: number) =>
  Uint8Array.from([
    ...Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
      "base64",
    ),
    n,
  ]);
const files = (list: Readonly<Record<string, number | string>>): ImportFile[] =>
  Object.entries(list).map(([name, content]) => ({
    name,
    content: typeof content === "number" ? png(content) : new TextEncoder().encode(content),
  }));
const cardOf = (...labels: readonly string[]) =>
  sampleCard({
    row: { kind: "image", fields: [], maxBytes: 1_000 },
    labels: labels.map((name) => ({ name, description: "" })),
    examples: [],
  });
const card = cardOf("cat", "dog");

async function read(list: readonly ImportFile[], choices: Choices = {}, own = card) {
  const found = await readImport(own, list, {}, { choices });
  return {
    rows: found.rows.map((row) => row.at(-1)),
    labels: found.labels,
    refused: found.refused.map(({ file, line }) => [file, line]),
    unused: found.unused,
    label: found.mapping.label,
    open: found.decisions.flatMap(({ column, file, isOpen, kind }) =>
      isOpen ? [[kind, column ?? file]] : [],
    ),
    said: found.decisions.flatMap(({ cells, isOpen, kind, taken }) =>
      isOpen ? [] : [[kind, cells, taken.name]],
    ),
  };
}
const propose = async (list: readonly ImportFile[], choices: Choices = {}) =>
  proposeCard(await readFiles(list, { choices }), null, choices);

describe("a table beside folders", () => {
  const beside = files({
    "data/metadata.csv": "file_name,label\ncat/1.png,dog\ncat/2.png,cat\ndog/3.png,dog\n",
    "data/cat/1.png": 1,
    "data/cat/2.png": 2,
    "data/dog/3.png": 3,
  });

  it("has the label that counts, and says where the folder has another", async () => {
    const found = await read(beside);
    expect([found.labels, found.label, found.open]).toEqual([["dog", "cat", "dog"], "label", []]);
    expect(found.said).toContainEqual(["label-source", 1, "table"]);
    expect(found.unused).toEqual(["folder", "file_name"]);
    const folder = await read(beside, { "label-source:label": "folder" });
    expect(folder.labels).toEqual(["cat", "cat", "dog"]);
    // Nothing to say where both agree, whatever the column is called.
    const same = await read(
      files({
        "metadata.csv": "file_name,species\ncat/1.png,cat\ndog/2.png,dog\n",
        "cat/1.png": 1,
        "dog/2.png": 2,
      }),
    );
    expect([same.labels, same.label, same.said]).toEqual([
      ["cat", "dog"],
      "species",
      [["columns-left-out", 2, "left-out"]],
    ]);
  });

  it("may call a column as the folder's: both are there", async () => {
    const found = await read(
      files({
        "metadata.csv": "file_name,folder,image\nx/1.png,cat,a cat at noon\ny/2.png,dog,a dog\n",
        "x/1.png": 1,
        "y/2.png": 2,
      }),
    );
    expect([found.rows, found.labels, found.label]).toEqual([[1, 2], ["cat", "dog"], "folder"]);
    expect(found.unused).toEqual(["folder of the file", "file_name"]);
  });

  it("is asked for a new Datanet where the table's column is not called as a label is", async () => {
    const rows = [1, 2, 3, 4].map(
      (n) => `${n % 2 === 0 ? "cat" : "dog"}/${n}.png,${n < 3 ? "old" : "young"}`,
    );
    const list = files({
      "metadata.csv": ["file_name,age", ...rows].join("\n"),
      ...Object.fromEntries([1, 2, 3, 4].map((n) => [`${n % 2 === 0 ? "cat" : "dog"}/${n}.png`, n])),
    });
    const open = await propose(list);
    expect(open.decisions.filter(({ isOpen }) => isOpen).map(({ kind }) => kind)).toEqual(["label-source"]);
    expect((await propose(list, { "label-source": "age" })).labels).toEqual(["old", "young"]);
    expect((await propose(list, { "label-source": "folder" })).labels.toSorted()).toEqual(["cat", "dog"]);
  });

  it("may lack lines of some pictures: it is asked what they are", async () => {
    const list = files({
      "metadata.csv": "file_name,label\ncat/1.png,cat\ndog/2.png,dog\n",
      "cat/1.png": 1,
      "dog/2.png": 2,
      "dog/3.png": 3,
    });
    const found = await read(list);
    expect([found.labels, found.open]).toEqual([["cat", "dog", null], [["label-source", "metadata.csv"]]]);
    expect((await read(list, { "label-source:metadata.csv": "folder" })).labels).toEqual([
      "cat",
      "dog",
      "dog",
    ]);
    expect((await read(list, { "label-source:metadata.csv": "left-out" })).rows).toEqual([1, 2]);
    const flat = await read(files({ "a.csv": "picture,label\n1.png,cat\n", "1.png": 1, "2.png": 2 }));
    expect(flat.open).toEqual([["label-source", "a.csv"]]);
  });
});

describe("two columns of pictures", () => {
  it("in a table are asked, and the others are no rows of their own", async () => {
    const list = files({
      "pairs.csv": "photo,mask,label\na1.png,b1.png,cat\na2.png,b2.png,dog\n",
      "a1.png": 1,
      "a2.png": 2,
      "b1.png": 3,
      "b2.png": 4,
    });
    const found = await read(list);
    expect([found.rows, found.labels, found.open]).toEqual([
      [1, 2],
      ["cat", "dog"],
      [["picture-column", "pairs.csv"]],
    ]);
    const masks = await read(list, { "picture-column:pairs.csv": "mask" });
    expect([masks.rows, masks.labels, masks.open]).toEqual([[3, 4], ["cat", "dog"], []]);
  });

  it("that name the same pictures are one", async () => {
    const found = await read(
      files({
        "a.csv": "file,path,label\n1.png,x/1.png,cat\n2.png,x/2.png,dog\n",
        "x/1.png": 1,
        "x/2.png": 2,
      }),
    );
    expect([found.labels, found.open]).toEqual([["cat", "dog"], []]);
  });

  it("in Parquet are asked, too", async () => {
    const content = new Uint8Array(
      parquetWriteBuffer({
        columnData: [
          { name: "photo", data: [png(1), png(2)], type: "BYTE_ARRAY" },
          { name: "thumb", data: [png(3), png(4)], type: "BYTE_ARRAY" },
          { name: "label", data: ["cat", "dog"], type: "STRING" },
        ],
      }),
    );
    const list = [{ name: "a.parquet", content }];
    const found = await read(list);
    expect([found.rows, found.open, found.unused]).toEqual([[1, 2], [["picture-column", null]], ["thumb"]]);
    const thumbs = await read(list, { "picture-column": "thumb" });
    expect([thumbs.rows, thumbs.open, thumbs.labels]).toEqual([[3, 4], [], ["cat", "dog"]]);
  });
});

describe("folders that are parts of a data set", () => {
  it("are no labels: the folder above or below them is", async () => {
    const below = await propose(files({ "train/cat/1.png": 1, "train/dog/2.png": 2, "test/cat/3.png": 3 }));
    expect([below.labels, below.decisions]).toEqual([["cat", "dog"], []]);
    const above = await propose(
      files({ "cat/train/1.png": 1, "cat/test/2.png": 2, "dog/train/3.png": 3, "dog/val/4.png": 4 }),
    );
    expect(above.labels).toEqual(["cat", "dog"]);
    expect(above.decisions.map(({ isOpen, kind, taken }) => [kind, taken.name, isOpen])).toEqual([
      ["split-folders", "split", false],
    ]);
    const alone = await propose(files({ "weather/train/1.png": 1, "weather/test/2.png": 2 }));
    expect(alone.labels).toEqual([]);
    const contributed = await read(files({ "cat/train/1.png": 1, "dog/Validation/2.png": 2 }));
    expect(contributed.labels).toEqual(["cat", "dog"]);
  });

  it("are asked beside folders that are none: a train is a class, too", async () => {
    const list = files({ "bus/1.png": 1, "car/2.png": 2, "train/3.png": 3 });
    const found = await propose(list);
    expect([found.labels, found.decisions.map(({ isOpen, kind }) => [kind, isOpen])]).toEqual([
      ["bus", "car", "train"],
      [["split-folders", true]],
    ]);
    expect((await propose(list, { "split-folders": "split" })).labels).toEqual(["bus", "car"]);
    const vehicles = await read(list, {}, cardOf("bus", "car", "train"));
    expect([vehicles.labels, vehicles.open]).toEqual([["bus", "car", "train"], []]);
  });
});

it("the newcomers' five layouts ask nothing", async () => {
  const pictures = { "cat/1.png": 1, "cat/2.png": 2, "dog/3.png": 3, "dog/4.png": 4 };
  const flat = { "1.png": 1, "2.png": 2, "3.png": 3, "4.png": 4 };
  const table = "file_name,label\n1.png,cat\n2.png,cat\n3.png,dog\n4.png,dog\n";
  const under = (folder: string, list: Readonly<Record<string, number | string>>) =>
    files(Object.fromEntries(Object.entries(list).map(([name, content]) => [`${folder}/${name}`, content])));
  for (const list of [
    files(pictures),
    under("animals", pictures),
    under("animals", { ...flat, "labels.csv": table }),
    under("animals", { ...flat, "metadata.csv": table }),
    [
      ...under("animals/train", { ...flat, "metadata.csv": table }),
      ...under("animals/test", { "metadata.jsonl": '{"file_name":"5.png","label":"dog"}', "5.png": 5 }),
    ],
  ]) {
    const { labels, open, refused } = await read(list);
    expect([labels.slice(0, 4), open, refused], list[0]!.name).toEqual([
      ["cat", "cat", "dog", "dog"],
      [],
      [],
    ]);
    const proposal = await propose(list);
    expect([proposal.kind, proposal.labels, proposal.decisions.filter(({ isOpen }) => isOpen)]).toEqual([
      "image",
      ["cat", "dog"],
      [],
    ]);
  }
});

it("files that a system adds to a folder are passed over", async () => {
  const list = files({
    "cat/1.png": 1,
    "cat/.DS_Store": "x",
    "cat/Thumbs.db": "x",
    "cat\\desktop.ini": "x",
    "__MACOSX/cat/._1.png": "x",
    "cat/._1.png": "x",
  });
  const { labels, refused } = await read(list);
  expect([labels, refused]).toEqual([["cat"], []]);
  expect((await readWithoutCard(list)).refused).toEqual([]);
});

it("names of picture files are said as left out", async () => {
  const { said } = await read(files({ "cat/IMG_0001.png": 1, "dog/IMG_0002.png": 2 }));
  expect(said).toEqual([["columns-left-out", 2, "left-out"]]);
});
