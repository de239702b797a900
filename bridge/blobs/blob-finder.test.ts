import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { BLOB_BYTES } from "@openledger/circuits/blob/blob-bytes";
import { afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import {
  type BlobServer,
  hexOf,
  SAMPLE_TIME_SECONDS,
  type SampleBlob,
  sampleBlob,
  serveBlobs,
} from "../testing/blob-server.ts";
import { BlobArchive } from "./blob-archive.ts";
import { blobFinder, blobProviders } from "./blob-providers.ts";
import { EMPTY_BLOB_HASH, NO_BLOBS } from "./blob-source.ts";

let sample: SampleBlob;
let other: SampleBlob;
beforeAll(async () => {
  sample = await sampleBlob([3n, 0n, 5n << 180n, 7n]);
  other = await sampleBlob([4n]);
});

let folder: string;
const servers: BlobServer[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "blob-finder-"));
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(answer: Parameters<typeof serveBlobs>[0]): Promise<BlobServer> {
  const server = await serveBlobs(answer);
  servers.push(server);
  return server;
}

const peer = (bytes: Uint8Array | number) => serve(() => bytes);
const GENESIS = { data: { genesis_time: `${SAMPLE_TIME_SECONDS - 120}` } };
/** A beacon node of 12-second slots: the sample's block is in slot 10. */
const beacon = (routes: Record<string, object | number>) =>
  serve((path) => {
    if (path === "/eth/v1/beacon/genesis") return GENESIS;
    if (path === "/eth/v1/config/spec") return { data: { SECONDS_PER_SLOT: "12" } };
    return routes[path] ?? 404;
  });
const blobsPath = (id: number) => `/eth/v1/beacon/blobs/${id}?versioned_hashes=${sample.versionedHash}`;
const find = (archives: string[], beaconUrls: string[] = []) =>
  blobFinder({ archive: null, providers: blobProviders({ archives, beaconUrls }) }).coefficients(
    sample.wanted,
  );

describe("archives", () => {
  test("are asked in their order, and what one of them gives is kept", async () => {
    const empty = await peer(404);
    const full = await peer(sample.bytes);
    const archive = await BlobArchive.open({ folder, maxCount: 0 });
    const finder = blobFinder({
      archive,
      providers: blobProviders({ archives: [empty.url, `${full.url}/`], beaconUrls: [] }),
    });
    expect(await finder.coefficients(sample.wanted)).toEqual(sample.coefficients);
    expect([empty.paths, full.paths]).toEqual([
      [`/blobs/${sample.versionedHash}`],
      [`/blobs/${sample.versionedHash}`],
    ]);
    // The own folder has it from now on; anybody else's folder is a provider, too.
    expect(await finder.coefficients(sample.wanted)).toEqual(sample.coefficients);
    expect(full.paths.length).toBe(1);
    expect(await find([folder])).toEqual(sample.coefficients);
  });

  test("are not believed: damaged files are replaced, strangers' answers passed over", async () => {
    const archive = await BlobArchive.open({ folder, maxCount: 0 });
    await archive.keep(sample.versionedHash, other.bytes);
    const liar = await peer(other.bytes);
    const notBelowP = await peer(new Uint8Array(BLOB_BYTES).fill(255));
    const honest = await peer(sample.bytes);
    const kinds: string[] = [];
    const finder = blobFinder({
      archive,
      providers: blobProviders({ archives: [liar.url, notBelowP.url, honest.url], beaconUrls: [] }),
      onProblem: ({ kind }) => kinds.push(kind),
    });
    expect(await finder.coefficients(sample.wanted)).toEqual(sample.coefficients);
    expect(kinds).toEqual(["wrong", "wrong", "wrong"]);
    expect([liar.paths.length, honest.paths.length]).toEqual([1, 1]);
    // Each false answer costs a commitment: a provider that gave one is left alone for a while.
    await archive.forget(sample.versionedHash);
    expect(await finder.coefficients(sample.wanted)).toEqual(sample.coefficients);
    expect([liar.paths.length, honest.paths.length]).toEqual([1, 2]);
    expect(await archive.read(sample.versionedHash)).toEqual(sample.bytes);
  });

  test("lose one blob by a damaged file, and a stranger all after several false answers", async () => {
    const samples = await Promise.all([1n, 2n, 5n, 6n, 8n].map((element) => sampleBlob([element])));
    const there = [...samples, sample];
    for (const { versionedHash } of samples) writeFileSync(join(folder, versionedHash), other.bytes);
    writeFileSync(join(folder, sample.versionedHash), sample.bytes);
    const stranger = await serve((path) =>
      path.endsWith(sample.versionedHash) ? sample.bytes : other.bytes,
    );
    const codes = async (label: string, request: readonly SampleBlob[]) => {
      const providers = blobProviders({ archives: [label], beaconUrls: [] });
      const finder = blobFinder({ archive: null, providers });
      const found: string[] = [];
      for (const one of request)
        found.push(
          await finder.coefficients(one.wanted).then(
            () => "found",
            (error: { code: string }) => error.code,
          ),
        );
      return found;
    };
    const missing = samples.map(() => "BRG_BLOB_MISSING");
    expect(await codes(folder, there)).toEqual([...missing, "found"]);
    expect(await codes(stranger.url, [samples[0]!, samples[0]!, sample])).toEqual([
      ...["BRG_BLOB_MISSING", "BRG_BLOB_MISSING", "found"],
    ]);
    expect(stranger.paths.length).toBe(2);
    expect(await codes(stranger.url, there)).toEqual([...missing, "BRG_BLOB_MISSING"]);
    expect(stranger.paths.length).toBe(6);
  });

  test("cannot fill the memory, send elsewhere, or hold a reader up", async () => {
    let sentBytes = 0;
    const chunks = function* () {
      for (; sentBytes < 1 << 28; sentBytes += 1 << 16) yield Buffer.alloc(1 << 16);
    };
    const endless = await serve(() => (_request, response) => {
      pipeline(Readable.from(chunks()), response, () => {});
    });
    const inside = await peer(sample.bytes);
    const redirecting = await serve(() => (_request, response) => {
      response.writeHead(302, { location: `${inside.url}/blobs/${sample.versionedHash}` }).end();
    });
    const error = await find([endless.url, redirecting.url]).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      code: "BRG_BLOB_UNREACHABLE",
      data: { problems: [{ why: `more than ${BLOB_BYTES} bytes` }, { why: "no answer" }] },
    });
    expect(inside.paths).toEqual([]);
    // Only the bytes in the sockets on the way, and not the 256 MiB that it would have sent.
    expect(sentBytes).toBeLessThan(1 << 25);
  });
});

describe("a beacon node", () => {
  test("is asked for the block's slot, by the newer route", async () => {
    const node = await beacon({ [blobsPath(10)]: { data: [hexOf(other.bytes), hexOf(sample.bytes)] } });
    expect(await find([], [node.url])).toEqual(sample.coefficients);
    expect(node.paths).toEqual(["/eth/v1/beacon/genesis", "/eth/v1/config/spec", blobsPath(10)]);
  });

  test("is asked by the older route where it has no other", async () => {
    const sidecar = ({ bytes, commitment }: SampleBlob) => ({
      index: "0",
      blob: hexOf(bytes),
      kzg_commitment: hexOf(commitment),
    });
    const node = await beacon({
      "/eth/v1/beacon/blob_sidecars/10": { data: [sidecar(other), sidecar(sample)] },
    });
    expect(await find([], [node.url])).toEqual(sample.coefficients);
  });

  test("that names no slots, as anvil, is asked by the block's number first", async () => {
    const node = await serve((path) => {
      if (path === "/eth/v1/beacon/genesis") return GENESIS;
      return path === blobsPath(9) ? { data: [hexOf(sample.bytes)] } : 404;
    });
    expect(await find([], [node.url])).toEqual(sample.coefficients);
  });

  test("that names no slots and heeds no hashes is believed for neither name of the block", async () => {
    const node = await serve((path) => {
      if (path === "/eth/v1/beacon/genesis") return GENESIS;
      if (path === blobsPath(9)) return { data: [hexOf(other.bytes)] };
      return path === blobsPath(10) ? { data: [hexOf(other.bytes), hexOf(sample.bytes)] } : 404;
    });
    expect(await find([], [node.url])).toEqual(sample.coefficients);
  });

  test("that has pruned the blob is told from one that is down, and the next is asked", async () => {
    const pruned = await beacon({});
    const emptied = await beacon({ [blobsPath(10)]: { data: [] } });
    const down = await beacon({ [blobsPath(10)]: 503, "/eth/v1/beacon/blob_sidecars/10": 503 });
    const garbled = await beacon({ [blobsPath(10)]: { data: ["0x00"] } });
    const full = await beacon({ [blobsPath(10)]: { data: [hexOf(sample.bytes)] } });
    const missing = await find([], [pruned.url, emptied.url]).catch((error: unknown) => error);
    expect(missing).toMatchObject({
      code: "BRG_BLOB_MISSING",
      data: { versionedHash: sample.versionedHash, batchNumber: 5, blockNumber: 9 },
    });
    expect((missing as Error).message).toContain(sample.versionedHash);
    expect((missing as Error).message).toContain("--blobs FOLDER or URL");
    await expect(find([], [pruned.url, down.url])).rejects.toMatchObject({
      code: "BRG_BLOB_UNREACHABLE",
      isRetryable: true,
    });
    await expect(find([], [garbled.url])).rejects.toMatchObject({ code: "BRG_BLOB_MISSING" });
    expect(await find([], [pruned.url, down.url, garbled.url, full.url])).toEqual(sample.coefficients);
  });
});

test("without any place, and for a URL with a key, the error says no more than it should", async () => {
  await expect(NO_BLOBS.coefficients(sample.wanted)).rejects.toMatchObject({
    code: "BRG_BLOB_MISSING",
    data: { reason: "blob-no-source" },
  });
  const node = await serve(() => 500);
  const keyed = node.url.replace("//", "//user:secret@");
  const error = (await find([`${keyed}/key/abc`], [`${node.url}/key/abc?token=def`]).catch(
    (e) => e,
  )) as Error;
  expect(JSON.stringify([error.message, (error as unknown as { data: object }).data])).not.toMatch(
    /secret|abc|def/,
  );
});

test("a blob that nobody had is not asked for again at once", async () => {
  const empty = await peer(404);
  const finder = blobFinder({
    archive: null,
    providers: blobProviders({ archives: [empty.url], beaconUrls: [] }),
    retryMs: 60_000,
  });
  for (let i = 0; i < 3; i++)
    await expect(finder.coefficients(sample.wanted)).rejects.toMatchObject({ code: "BRG_BLOB_MISSING" });
  expect(empty.paths.length).toBe(1);
  await expect(finder.coefficients(other.wanted)).rejects.toMatchObject({ code: "BRG_BLOB_MISSING" });
  expect(empty.paths.length).toBe(2);
});

test("an archive that cannot be written to stops nobody who has the blob", async () => {
  const archive = await BlobArchive.open({ folder: join(folder, "gone"), maxCount: 0 });
  rmSync(join(folder, "gone"), { recursive: true });
  writeFileSync(join(folder, "gone"), "");
  const full = await peer(sample.bytes);
  const problems: string[] = [];
  const finder = blobFinder({
    archive,
    providers: blobProviders({ archives: [full.url], beaconUrls: [] }),
    onProblem: ({ place }) => problems.push(place),
  });
  expect(await finder.coefficients(sample.wanted)).toEqual(sample.coefficients);
  expect(problems.length).toBe(2);
  expect(existsSync(join(folder, "gone", sample.versionedHash))).toBe(false);
});

test("a blob that was found is not asked for, or committed to, again", async () => {
  const full = await peer(sample.bytes);
  const providers = blobProviders({ archives: [full.url], beaconUrls: [] });
  const none = blobFinder({ archive: null, providers });
  for (let i = 0; i < 3; i++) expect(await none.coefficients(sample.wanted)).toEqual(sample.coefficients);
  expect(full.paths.length).toBe(1);
  // Nobody's changes to a list reach the next one.
  (await none.coefficients(sample.wanted)).pop();
  expect(await none.coefficients(sample.wanted)).toEqual(sample.coefficients);
  const found: string[] = [];
  const archive = await BlobArchive.open({ folder, maxCount: 0 });
  const own = blobFinder({ archive, providers, onFound: (label) => found.push(label) });
  for (let i = 0; i < 3; i++) expect(await own.coefficients(sample.wanted)).toEqual(sample.coefficients);
  expect(found).toEqual(["other"]);
});

test("the blob of zeros is known to everybody", async () => {
  const { versionedHash, wanted } = await sampleBlob([]);
  expect(versionedHash).toBe(EMPTY_BLOB_HASH);
  expect(await blobFinder({ archive: null, providers: [] }).coefficients(wanted)).toEqual([]);
});
