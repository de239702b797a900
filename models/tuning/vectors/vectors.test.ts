/** Tests of the word vectors that this repository ships, and of the places from which files of vectors are read. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { VectorsFile } from "@openledger/attribution/inputs/model-inputs";
import { openInputs } from "@openledger/attribution/inputs/open-inputs";
import {
  ENGLISH_VECTORS,
  isReleased,
  RELEASED_VECTORS,
  vectorsOf,
} from "@openledger/attribution/inputs/released-vectors";
import { readTextVectors } from "@openledger/attribution/inputs/text-vectors";
import { tinyVectors } from "@openledger/attribution/testing/tiny-vectors";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { packagedPath, readVectorsFrom } from "./vector-places.ts";

describe("the word vectors of the release", () => {
  const path = packagedPath(ENGLISH_VECTORS)!;

  it("are 50,000 words in 3.45 MB, with the hash by which recipes name them", async () => {
    for (const file of RELEASED_VECTORS) {
      const bytes = await readVectorsFrom()(file);
      expect(bytes!.length).toBe(file.sizeBytes);
      expect(readTextVectors(bytes!)).toMatchObject({ wordCount: 50_000, dimensions: file.dimensions });
      expect(isReleased({ sha256: file.sha256 })).toBe(true);
    }
    expect(statSync(path).size).toBe(ENGLISH_VECTORS.sizeBytes);
    // A name says nothing.
    expect(isReleased({ ...ENGLISH_VECTORS, sha256: "0".repeat(64) })).toBe(false);
    expect(vectorsOf({ kind: "text", vectors: ENGLISH_VECTORS, wordCount: 0, bucketCount: 256 })).toBe(
      ENGLISH_VECTORS,
    );
    expect(vectorsOf({ kind: "text", bucketCount: 256 })).toBeNull();
    expect(vectorsOf(undefined)).toBeNull();
  });

  it("give texts of one meaning digits that are near each other", () => {
    const { digitsOf } = readTextVectors(readFileSync(path));
    const digits = (text: string) => digitsOf(Buffer.from(text));
    const nearness = (a: string, b: string) => {
      const [x, y] = [digits(a), digits(b)];
      const dot = (p: Int8Array, q: Int8Array) => p.reduce((sum, digit, j) => sum + digit * q[j]!, 0);
      return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
    };
    expect(nearness("I want my money back", "please refund the payment")).toBeGreaterThan(0.4);
    expect(nearness("the boat is in the harbour", "a ship at the port")).toBeGreaterThan(0.5);
    expect(nearness("I want my money back", "a ship at the port")).toBeLessThan(0.3);
    // All levels occur, and a digit is rarely at its limit.
    const all = [
      ..."I want my money back please refund the payment boat harbour"
        .split(" ")
        .flatMap((word) => [...digits(word)]),
    ];
    for (const level of [-3, -2, -1, 0, 1, 2, 3])
      expect(all.filter((digit) => digit === level).length, String(level)).toBeGreaterThan(0);
  });

  it("have these digits on every machine", () => {
    const { digitsOf } = readTextVectors(readFileSync(path));
    expect(
      [...digitsOf(Buffer.from("Where is my parcel? It was sent on Monday."))].join(" "),
    ).toMatchInlineSnapshot(
      `"2 -1 0 3 -1 -1 -1 1 0 0 0 0 -2 1 2 -3 -1 0 2 0 1 -2 0 -2 1 1 3 3 -3 -3 -3 2 -2 -3 2 1 3 -3 -3 2 -2 2 3 1 -2 0 -1 -1 0 -1 3 2 -2 2 1 0 1 1 1 3 0 1 -3 -1"`,
    );
  });
});

describe("a file of vectors", () => {
  const folder = mkdtempSync(join(tmpdir(), "openledger-vectors-"));
  const { bytes, file } = tinyVectors({ win: [1, 2], lunch: [-3, 1] });
  const asked: string[] = [];
  let given: Uint8Array | null = bytes;
  let server: Server;
  let serverUrl: string;
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked.push(request.url!);
      if (given === null) response.writeHead(404).end();
      else response.end(given);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    serverUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ledger/11`;
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true });
  });
  const take = (more: Partial<VectorsFile> = {}) =>
    readVectorsFrom({ folder, serverUrl })({ ...file, ...more });

  it("is not to be had where no place has it, and another one is not taken for it", async () => {
    expect(await readVectorsFrom({ folder })(file)).toBeNull();
    const others = [
      null,
      bytes.subarray(1),
      bytes.map((byte, at) => (at === 29 ? byte + 1 : byte)),
      new Uint8Array(1_000),
    ];
    for (given of others) expect(await take()).toBeNull();
    // Nothing is stored, and a server is no stranger's way to any path.
    expect(readdirSync(folder)).toEqual([]);
    expect(new Set(asked)).toEqual(new Set([`/ledger/11/v1/base/${file.sha256}.bin`]));
    expect(await readVectorsFrom({ folder, serverUrl: "http://127.0.0.1:1" })(file)).toBeNull();
  });

  it("is asked for once, and read from the folder afterwards", async () => {
    given = bytes;
    asked.length = 0;
    const read = readVectorsFrom({ folder, serverUrl });
    const all = await Promise.all([read(file), read(file), read(file)]);
    for (const found of all) expect(found).toBe(all[0]);
    expect(new Uint8Array(all[0]!)).toEqual(bytes);
    expect(asked.length).toBe(1);
    expect(readdirSync(folder)).toEqual([`${file.sha256}.bin`]);
    given = null;
    expect(await take()).toEqual(Buffer.from(bytes));
    expect(await readVectorsFrom({ folder })(file)).toEqual(Buffer.from(bytes));
    expect(asked.length).toBe(1);
    const inputs = { kind: "text", vectors: file, wordCount: 0, bucketCount: 16 } as const;
    const { countsOf } = await openInputs(inputs, { baseBuckets: 0 }, readVectorsFrom({ folder }));
    expect([...countsOf("win")].slice(0, 4)).toEqual([1, 0, 3, 0]);
    // A folder that takes no file, here since it is one, costs a download, and no answer.
    const full = join(folder, `${file.sha256}.bin`);
    given = bytes;
    expect(new Uint8Array((await readVectorsFrom({ folder: full, serverUrl })(file))!)).toEqual(bytes);
    // A spoilt copy is fetched again.
    writeFileSync(join(folder, `${file.sha256}.bin`), bytes.subarray(2));
    expect(await readVectorsFrom({ folder })(file)).toBeNull();
    given = bytes;
    expect(new Uint8Array((await take())!)).toEqual(bytes);
    expect(new Uint8Array(readFileSync(join(folder, `${file.sha256}.bin`)))).toEqual(bytes);
  });
});
