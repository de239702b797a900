import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, expect, it, onTestFinished } from "vitest";
import { directFamily } from "../model/direct/direct-family.ts";
import { trainDirect } from "../model/direct/direct-training.ts";
import { encodeModel, type PublishedModel, publishedModel } from "../model/model-files.ts";
import {
  checkedFile,
  checkedFileSteps,
  MANIFEST,
  type ModelFileName,
  ROWS_FILE,
} from "../model/model-manifest.ts";
import { versionsOf } from "../model/recipe-fields.ts";
import { registerModel } from "../model/registration.ts";
import { checkRootsSteps } from "../model/rows-root.ts";
import { recipeFor, sampleRows } from "../testing/sample-rows.ts";
import { fetchPublishedRows, findPublishedSpans } from "./published-spans.ts";

const SIZE = { rows: 64, features: 64, payees: 16, draws: 4, isDirect: true } as const;
const ROW = 5;
let model: PublishedModel;
let text: string;
beforeAll(async () => {
  await initPoseidon();
  const rows = sampleRows("text", 24).map((row, i) =>
    i === ROW
      ? { ...row, content: new TextEncoder().encode("a sentence that stands in this row alone") }
      : row,
  );
  const trained = await trainDirect(rows, recipeFor(rows, 64));
  const split = { ownerParts: 16_384n, validatorParts: 13_107n };
  model = publishedModel(trained, registerModel(trained, { split }, SIZE), { publishRows: true });
  text = "It says: a sentence that stands in this row alone. And so on.";
});

/** Serves a model's files, with a status in place of some. @returns address and names of the requests */
async function serve(files = encodeModel(model), statuses: Partial<Record<ModelFileName, number>> = {}) {
  const requests: string[] = [];
  const server = createServer(({ url }, response) => {
    const name = url!.split("/").at(-1)! as ModelFileName;
    requests.push(name);
    response.statusCode = statuses[name] ?? (files.has(name) ? 200 : 404);
    response.end(response.statusCode === 200 ? files.get(name) : "");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}

const rootsOf = ({ recipe }: PublishedModel) => [recipe.datanet.rowsRoot];
const fetchFrom = (url: string, options = {}, roots = rootsOf(model)) =>
  fetchPublishedRows(url, [directFamily as never], roots, options);
const refused = (code: string) => expect.objectContaining({ code });

it("finds an answer's spans in a server's rows, and names their owners; the server is told nothing of the answer", async () => {
  const { requests, url } = await serve();
  const stages = new Set<string>();
  const onProgress = (stage: string) => stages.add(stage);
  const rows = await fetchFrom(url, { onProgress });
  if (typeof rows === "string") throw new Error(rows);
  const { contributorId, validatorId } = model.rows![ROW]!;
  const digest = createHash("sha256").update(rows.rows[ROW]!.content).digest("hex");
  const source = { row: ROW, offset: 0, contributorId, validatorId, digest };
  const found = { start: 9, end: 49, rowCount: 1, sources: [source] };
  expect(await findPublishedSpans(text, rows, { onProgress })).toEqual({
    spans: [found],
    omittedCount: 0,
    searchedRowCount: 24,
  });
  expect(requests).toEqual([MANIFEST, "recipe.json", "payees.json", "rows.jsonl"]);
  expect(stages.has("fetch")).toBe(true);
  expect((await findPublishedSpans("words of no row whatever, however long", rows)).spans).toEqual([]);
});

it("names no row that is not the version's: another content, owner, order, or model", async () => {
  const changed = (change: (files: Map<string, Uint8Array>) => void) => {
    const files = encodeModel(model);
    change(files);
    const manifest = JSON.parse(new TextDecoder().decode(files.get(MANIFEST)));
    for (const name of Object.keys(manifest.files)) {
      const bytes = files.get(name)!;
      const sha256 = createHash("sha256").update(bytes).digest("hex");
      manifest.files[name] = { sizeBytes: bytes.length, sha256 };
    }
    return files.set(MANIFEST, new TextEncoder().encode(JSON.stringify(manifest)));
  };
  const edit = (name: string, replace: (words: string) => string) =>
    changed((files) =>
      files.set(name, new TextEncoder().encode(replace(new TextDecoder().decode(files.get(name))))),
    );
  for (const files of [
    edit("rows.jsonl", (lines) => lines.replace("this row alone", "this row alone.")),
    edit("rows.jsonl", (lines) => `${lines.trim().split("\n").toReversed().join("\n")}\n`),
    edit("payees.json", (payees) => payees.replace(/"contributorId":\s*\d+/, '"contributorId":1')),
  ]) {
    const { url } = await serve(files);
    const rows = await fetchFrom(url);
    if (typeof rows === "string") throw new Error(rows);
    await expect(findPublishedSpans(text, rows)).rejects.toThrow(refused("ATT_ROWS_MISMATCH"));
  }
  const { requests, url } = await serve();
  await expect(fetchFrom(url, {}, [`0x${"22".repeat(32)}`])).rejects.toThrow(refused("ATT_ROWS_MISMATCH"));
  expect(requests).not.toContain("rows.jsonl");
});

it("says why there are no rows to search", async () => {
  const withheld = await serve(encodeModel({ ...model, rows: null } as never));
  expect(await fetchFrom(withheld.url)).toBe("not published");
  const permissioned = await serve(undefined, { "rows.jsonl": 401 });
  expect(await fetchFrom(permissioned.url)).toBe("not published");
  const withdrawn = await serve(undefined, { "rows.jsonl": 410 });
  expect(await fetchFrom(withdrawn.url)).toBe("withdrawn");
  const large = await serve();
  expect(await fetchFrom(large.url, { maxFileBytes: 1_000 })).toBe("too large");
  expect(large.requests).not.toContain("rows.jsonl");
  const silent = await serve(undefined, { "manifest.json": 500 } as never);
  await expect(fetchFrom(silent.url)).rejects.toThrow(refused("ATT_SERVER_UNREACHABLE"));
});

it("hashes rows and files in steps: a row, a small subtree or a part of a file each, whatever they hold", async () => {
  let readCount = 0;
  const rows = model.rows!.map((row) => ({
    ...row,
    get content() {
      readCount += 1;
      return row.content;
    },
  }));
  const shares: number[] = [];
  let readBefore = 0;
  for (const share of checkRootsSteps(rows, versionsOf(model.recipe))) {
    expect(readCount - readBefore).toBeLessThanOrEqual(1);
    readBefore = readCount;
    shares.push(share);
  }
  expect([readCount, shares.at(-1)]).toEqual([rows.length, 1]);
  expect(shares).toEqual(shares.toSorted((a, b) => a - b));
  // Rows of another version: what the error names is hashed in steps, too.
  const other = versionsOf(model.recipe).map((one) => ({ ...one, rowsRoot: `0x${"22".repeat(32)}` }));
  const steps = checkRootsSteps(rows, other);
  let stepCount = 0;
  expect(() => {
    while (steps.next().done !== true) stepCount += 1;
  }).toThrow(refused("ATT_ROWS_MISMATCH"));
  expect(stepCount).toBeGreaterThanOrEqual(shares.length + rows.length);

  const bytes = new Uint8Array(2 ** 21 + 1).fill(7);
  const digest = createHash("sha256").update(bytes).digest("hex");
  const manifest = { files: { [ROWS_FILE]: { sizeBytes: bytes.length, sha256: digest } } } as never;
  const parts = [...checkedFileSteps(new Map([[ROWS_FILE, bytes]]), manifest, ROWS_FILE)];
  expect(parts.length).toBeGreaterThanOrEqual(8);
  expect([parts.at(-1), checkedFile(new Map([[ROWS_FILE, bytes]]), manifest, ROWS_FILE)]).toEqual([1, bytes]);
  const changed = bytes.with(2 ** 20, 8);
  expect(() => checkedFile(new Map([[ROWS_FILE, changed]]), manifest, ROWS_FILE)).toThrow(
    refused("ATT_MODEL_FILE_INVALID"),
  );
});
