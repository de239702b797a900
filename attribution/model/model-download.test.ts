/** A model's server that would take a reader's memory or time: the requests that it gets, and the bytes that are read. */
import { createHash } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32, gzipSync } from "node:zlib";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { beforeAll, describe, expect, test } from "vitest";
import { SeededRandom } from "../maths/seeded-random.ts";
import { recipeFor, sampleRows } from "../testing/sample-rows.ts";
import { ANSWERING_FILES } from "./answering-part.ts";
import { type DirectParts, directFamily } from "./direct/direct-family.ts";
import { trainDirect } from "./direct/direct-training.ts";
import { fetchModel } from "./model-directory.ts";
import { type FetchModelOptions, fetchAnswering } from "./model-download.ts";
import { encodeModel, type PublishedModel, publishedModel } from "./model-files.ts";
import { MANIFEST, MODEL_FILES, type ModelFileName } from "./model-manifest.ts";
import { registerModel } from "./registration.ts";
import { verifyModel } from "./verify-model.ts";

const SIZE = { rows: 64, features: 64, payees: 16, draws: 4, isDirect: true } as const;
const ZEROS = new Uint8Array(2 ** 24);

let model: PublishedModel<DirectParts>;
beforeAll(async () => {
  await initPoseidon();
  const rows = sampleRows("text", 24);
  const trained = await trainDirect(rows, recipeFor(rows, 64));
  const split = { ownerParts: 16_384n, validatorParts: 13_107n };
  model = publishedModel(trained, registerModel(trained, { split }, SIZE), { publishRows: true });
});

/** The model's files, with these instead, and a manifest that says so. */
function filesWith(changed: Partial<Record<ModelFileName, Uint8Array>>, rowCount?: number) {
  const files = encodeModel(model);
  const manifest = JSON.parse(new TextDecoder().decode(files.get(MANIFEST)));
  if (rowCount !== undefined) manifest.rowCount = rowCount;
  for (const [name, bytes] of Object.entries(changed)) {
    files.set(name, bytes);
    manifest.files[name] = {
      sizeBytes: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    };
  }
  return files.set(MANIFEST, new TextEncoder().encode(JSON.stringify(manifest)));
}

/** Requests to a server, in order, and the result. */
async function fetchFrom(
  send: (name: string, response: ServerResponse) => unknown,
  options: FetchModelOptions = {},
  isWhole = true,
) {
  const requests: string[] = [];
  const server = createServer(({ url }, response) => {
    const name = url!.split("/").at(-1)!;
    requests.push(name);
    send(name, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const ended = isWhole ? fetchModel(url, options) : fetchAnswering(url, [directFamily], options);
    const result: unknown = await ended.catch((error: unknown) => error);
    return { requests, result };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const packed = (files: ReadonlyMap<string, Uint8Array>) => (name: string, response: ServerResponse) => {
  response.setHeader("content-encoding", "gzip");
  response.end(gzipSync(files.get(name)!));
};

test("right files come in gzip, too", async () => {
  const { requests, result } = await fetchFrom(packed(encodeModel(model)));
  // Its figure is shown apart, signed.
  expect(result).toEqual({ ...model, figure: null });
  expect(requests).toEqual([MANIFEST, ...MODEL_FILES.filter((name) => name !== "card.json")]);
});

describe("a model of pictures above a text's size", () => {
  const PADDING = 100_000;
  let pictures: PublishedModel<DirectParts>;
  beforeAll(async () => {
    const rows = sampleRows("image", 24).map((row, i) => ({ ...row, content: padded(row.content, i) }));
    const inputs = {
      kind: "image",
      side: 7,
      colours: 1,
      levels: 3,
      ground: "black",
      bucketCount: 64,
    } as const;
    const trained = await trainDirect(rows, recipeFor(rows, 64, { inputs }));
    const split = { ownerParts: 16_384n, validatorParts: 13_107n };
    pictures = publishedModel(trained, registerModel(trained, { split }, SIZE), { publishRows: true });
  });

  /** A picture with bytes that nobody decodes: a private chunk before its last one, of 12 bytes. */
  function padded(png: Uint8Array, seed: number): Uint8Array {
    const random = new SeededRandom(`padding ${seed}`);
    const body = Buffer.alloc(4 + PADDING, "prIv");
    for (let i = 4; i < body.length; i++) body[i] = random.nextBelow(256);
    const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(PADDING);
    check.writeUInt32BE(crc32(body));
    return new Uint8Array(Buffer.concat([png.subarray(0, -12), length, body, check, png.subarray(-12)]));
  }

  test("is downloaded, and computed again to the same bytes", async () => {
    const { result } = await fetchFrom(packed(encodeModel(pictures)));
    expect(result).toEqual({ ...pictures, figure: null });
    const { datanet, furtherDatanets } = (result as typeof pictures).recipe;
    expect(furtherDatanets).toBeUndefined();
    const facts = { staticsHash: pictures.staticsHash, rowsRoot: BigInt(datanet.rowsRoot) };
    const verified = await verifyModel({ model: pictures, facts: facts as never, depth: "train" });
    expect(verified.rowCount).toBe(24);
  });

  test("beyond what the reader takes is said to be too large, and nobody is accused", async () => {
    const maxFileBytes = 2 ** 20;
    const { requests, result } = await fetchFrom(packed(encodeModel(pictures)), { maxFileBytes });
    expect(result).toMatchObject({
      code: "ATT_MODEL_TOO_LARGE",
      data: { file: "rows.jsonl", maxBytes: maxFileBytes },
      remedy: expect.not.stringMatching(/cheat|mistake/),
    });
    expect(requests).not.toContain("rows.jsonl");
  });
});

test("more bytes of rows than texts can have are not asked for", async () => {
  const files = filesWith({ "rows.jsonl": new Uint8Array(24 * 90_000) });
  const { requests, result } = await fetchFrom(packed(files));
  expect(result).toMatchObject({ code: "ATT_MODEL_FILE_INVALID", data: { file: "rows.jsonl" } });
  expect(requests).not.toContain("rows.jsonl");
});

test.each(["recipe.json", "payees.json", "parameters.bin", "features.bin"] as const)(
  "nothing is asked for after %s with another hash",
  async (wrong) => {
    const files = encodeModel(model);
    files.set(wrong, files.get(wrong)!.slice().fill(0x20, 0, 1));
    const { requests, result } = await fetchFrom(packed(files));
    expect(result).toMatchObject({ code: "ATT_MODEL_FILE_INVALID", data: { file: wrong } });
    expect(requests).toEqual([MANIFEST, ...MODEL_FILES.slice(0, MODEL_FILES.indexOf(wrong) + 1)]);
  },
);

test.each(["payees.json", "parameters.bin", "query-map.bin", "features.bin", "columns.bin"] as const)(
  "%s of more bytes than the recipe has room for is not asked for, whatever its hash",
  async (large) => {
    const files = filesWith({ [large]: ZEROS });
    const isAnswering = (ANSWERING_FILES as readonly string[]).includes(large);
    for (const isWhole of isAnswering ? [true, false] : [true]) {
      const { requests, result } = await fetchFrom(packed(files), {}, isWhole);
      expect(result).toMatchObject({ code: "ATT_MODEL_FILE_INVALID", data: { file: large } });
      expect(requests).not.toContain(large);
      expect(requests.slice(0, 2)).toEqual([MANIFEST, "recipe.json"]);
    }
  },
);

test("no redirect is followed: a server would choose an address in its reader's network", async () => {
  const { requests, result } = await fetchFrom((name, response) => {
    response.writeHead(302, { location: `/elsewhere/${name}.other` }).end();
  });
  expect(result).toMatchObject({ code: "ATT_SERVER_UNREACHABLE" });
  expect(requests).toEqual([MANIFEST]);
});

test("of zeros in gzip no more is taken than the manifest says", async () => {
  const files = encodeModel(model);
  const served = new Map(files).set("parameters.bin", ZEROS);
  const { result } = await fetchFrom(packed(served));
  expect(result).toMatchObject({
    code: "ATT_SERVER_UNREACHABLE",
    cause: { message: `more than ${files.get("parameters.bin")!.length} bytes` },
  });
});

test("a connection whose file is too long is not kept", async () => {
  const files = encodeModel(model);
  let [isClosed, onClosed] = [false, () => {}];
  const closed = new Promise<void>((resolve) => {
    onClosed = resolve;
  });
  const server = createServer(({ url }, response) => {
    const name = url!.split("/").at(-1)!;
    if (name !== "parameters.bin") return void response.end(files.get(name));
    // The rest is never sent.
    response.write(ZEROS.subarray(0, files.get(name)!.length + 1));
    response.on("close", () => {
      isClosed = true;
      onClosed();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    await expect(fetchModel(url)).rejects.toMatchObject({ code: "ATT_SERVER_UNREACHABLE" });
    await Promise.race([closed, sleep(5_000)]);
    expect(isClosed).toBe(true);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test("a server has one limit of time for all files", async () => {
  const files = encodeModel(model);
  const { requests, result } = await fetchFrom(
    async (name, response) => {
      await sleep(400);
      response.end(files.get(name));
    },
    { timeoutMs: 1_500 },
  );
  expect(result).toMatchObject({ code: "ATT_SERVER_UNREACHABLE", cause: { name: "TimeoutError" } });
  expect(requests.length).toBeLessThan(MODEL_FILES.length);
});

test("a manifest's rows without end give no room to a direct model's parameters", async () => {
  const files = filesWith({ "parameters.bin": ZEROS }, 0xffff_ffff);
  const { requests, result } = await fetchFrom(packed(files));
  expect(result).toMatchObject({ code: "ATT_MODEL_FILE_INVALID", data: { file: "parameters.bin" } });
  expect(requests).not.toContain("parameters.bin");
});

const sendEndless = (response: ServerResponse) => {
  while (response.write(Buffer.alloc(65_536))) {}
  response.once("drain", () => sendEndless(response));
};

test.each([
  ["a manifest", undefined, 131_072],
  ["what its manifest says", "features.bin", "features.bin"],
])("takes no more bytes than %s may have, whatever its server sends", async (_, endless, most) => {
  const files = encodeModel(model);
  const server = createServer(({ url: path }, response) => {
    const name = path!.split("/").at(-1)!;
    if (endless === undefined || name === endless) sendEndless(response);
    else response.end(files.get(name));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const maxBytes = typeof most === "number" ? most : files.get(most)!.length;
  try {
    await expect(
      fetchModel(`http://127.0.0.1:${port}`, { maxFileBytes: 2 ** 20, timeoutMs: 20_000 }),
    ).rejects.toMatchObject({
      code: "ATT_SERVER_UNREACHABLE",
      cause: { message: `more than ${maxBytes} bytes` },
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
