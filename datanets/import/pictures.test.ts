/** Tests of pictures: files, folders, zip files, tables that name them, and columns of Parquet. */
import { describe, expect, it } from "vitest";
import { sampleCard } from "../testing/sample-card.ts";
import type { ImportFile } from "./import-file.ts";
import { readImport } from "./read-import.ts";

/** A PNG of one pixel; the last byte tells one from another. */
const png = (n: number) =>
  Uint8Array.from([
    ...Buffer.from(
      "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg==",
      "base64",
    ),
    n,
  ]);
const utf8 = (text: string) => new TextEncoder().encode(text);
const card = sampleCard({ row: { kind: "image", fields: [], maxBytes: 1_000 } });
const file = (name: string, content: Uint8Array | string): ImportFile => ({
  name,
  content: typeof content === "string" ? utf8(content) : content,
});

async function zipOf(entries: Readonly<Record<string, Uint8Array | string>>, level = 6): Promise<Uint8Array> {
  const { configure, Uint8ArrayReader, Uint8ArrayWriter, ZipWriter } = await import("@zip.js/zip.js");
  configure({ useWebWorkers: false });
  const writer = new ZipWriter(new Uint8ArrayWriter(), { level });
  for (const [name, content] of Object.entries(entries))
    await writer.add(name, new Uint8ArrayReader(typeof content === "string" ? utf8(content) : content));
  return writer.close();
}

describe("pictures", () => {
  it("are rows to the byte, with the folder's name as the label", async () => {
    const read = await readImport(card, [
      file("weather/good/1.png", png(1)),
      file("weather/bad/2.PNG", png(2)),
      file("weather/3.png", png(3)),
    ]);
    expect(read.rows).toEqual([png(1), png(2)]);
    expect(read.mapping).toMatchObject({ columns: { image: "image" }, label: "folder" });
    // "weather" is no label.
    expect(read.labels).toEqual(["good", "bad"]);
    expect(read.refused).toMatchObject([{ file: "weather/3.png", field: "folder" }]);
  });

  it("are taken from a zip file, without what systems add to it", async () => {
    const zip = await zipOf({
      "good/": "",
      "good/é.png": png(1),
      "bad/2.png": png(2),
      "__MACOSX/good/._1.png": "x",
      "good/.DS_Store": "x",
      "3.png": png(3),
      "note.docm": "x",
    });
    const read = await readImport(card, [file("a.zip", zip)]);
    expect(read.rows).toEqual([png(1), png(2), png(3)]);
    expect(read.labels).toEqual(["good", "bad", null]);
    expect(read.places[0]).toEqual({ file: "a.zip/good/é.png", line: 0 });
    expect(read.refused.map(({ file: name }) => name)).toEqual(["a.zip/note.docm"]);
  });

  it("of a damaged entry, an archive in an archive or a false ending are refused", async () => {
    const zip = await zipOf({ "1.png": png(1), "b.zip": "x", "2.png": "no picture" }, 0);
    zip[Buffer.from(zip).indexOf(Buffer.from(png(1))) + 20]! ^= 1;
    const { refused, rows } = await readImport(card, [file("a.zip", zip), file("c.zip", "no zip")]);
    expect(rows).toEqual([]);
    expect(refused.map(({ file: name }) => name).sort()).toEqual([
      "a.zip/1.png",
      "a.zip/2.png",
      "a.zip/b.zip",
      "c.zip",
    ]);
  });

  it("are not unpacked where they would be more than the limit", async () => {
    const bomb = await zipOf({ "1.txt": new Uint8Array(1_000_000) });
    expect(bomb.length).toBeLessThan(2_000);
    for (const limits of [{ bytes: 900_000 }, { records: 0 }]) {
      const { refused } = await readImport(card, [file("a.zip", bomb)], {}, { limits });
      expect(refused).toMatchObject([{ file: "a.zip", why: expect.stringContaining("more than") }]);
    }
    // A lie about the size is found as it is unpacked.
    const lying = Uint8Array.from(bomb);
    const view = new DataView(lying.buffer);
    const directory = Buffer.from(lying).lastIndexOf(Buffer.from("PK\u0001\u0002", "latin1"));
    view.setUint32(directory + 24, 10, true);
    const { refused } = await readImport(card, [file("a.zip", lying)]);
    expect(refused).toMatchObject([{ file: "a.zip/1.txt", why: expect.stringContaining("damaged") }]);
  });

  it("have the names of an archive whose tool does not mark UTF-8", async () => {
    const zip = await zipOf({ "good/é.png": png(1) });
    const view = new DataView(zip.buffer);
    const directory = Buffer.from(zip).lastIndexOf(Buffer.from("PK\u0001\u0002", "latin1"));
    view.setUint16(directory + 8, view.getUint16(directory + 8, true) & ~0x800, true);
    view.setUint16(6, view.getUint16(6, true) & ~0x800, true);
    const { places } = await readImport(card, [file("a.zip", zip)]);
    expect(places[0]!.file).toBe("a.zip/good/é.png");
  });

  it("get the label of the line that names them", async () => {
    const zip = await zipOf({
      "train/1.png": png(1),
      "train/2.png": png(2),
      "train/metadata.jsonl":
        '{"file_name":"2.png","weather":"bad"}\n{"file_name":"1.png","weather":"good"}\n{"file_name":"9.png","weather":"bad"}\n{"file_name":"1.png","weather":"bad"}',
    });
    const read = await readImport(card, [file("a.zip", zip)]);
    expect(read.rows).toEqual([png(1), png(2)]);
    expect(read.labels).toEqual(["good", "bad"]);
    expect(read.refused.map(({ field, line }) => [line, field])).toEqual([
      [3, "file_name"],
      [4, "file_name"],
    ]);
  });
});
