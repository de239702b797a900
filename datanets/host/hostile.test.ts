/** Tests of a Datanet host with hostile uploads and requests. */
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { contributionRoot, hashRow } from "@openledger/circuits/ledger/version-rows";
import { commitData } from "@openledger/client/actions/ledger/commit-data";
import { bringCard } from "@openledger/client/datanets/datanet-card";
import { askHost } from "@openledger/client/datanets/host-request";
import { sayRecords } from "@openledger/client/datanets/signed-records";
import { uploadRows } from "@openledger/client/datanets/upload-rows";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { ANSWER_HEADERS } from "@openledger/foundation/http/create-server";
import { attackServer } from "@openledger/foundation/http/testing/attack-server";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { createTestDatabase } from "@openledger/foundation/testing/test-database";
import { testDeployment } from "@openledger/sequencer/testing/test-rollup";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { sha256Hex } from "../rows/row-digest.ts";
import { encodeDigests, encodeRows } from "../rows/row-wire.ts";
import { createHostWorld, type HostWorld } from "../testing/host-world.ts";
import { sampleCard, sampleRows } from "../testing/sample-card.ts";
import { startTestHost, type TestHost } from "../testing/test-host.ts";

const text = (value: string) => new TextEncoder().encode(value);
const SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
const rows = [
  text("<html><script>alert(1)</script></html>"),
  text(SVG),
  text("../../etc/passwd"),
  Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1),
  Uint8Array.of(0xff, 0xfe, 0x00),
  ...sampleRows(3),
];
const digests = rows.map(sha256Hex);

let world: HostWorld;
let host: TestHost;
let alice: LedgerClient;
let commit: string;
const api = (path: string) => `${host.url}/v1/datanets/${world.datanetId}${path}`;
beforeAll(async () => {
  world = await createHostWorld({ card: sampleCard() });
  host = await world.host("host", {
    DATANET_MAX_ROW_BYTES: "2000",
    DATANET_MAX_CHUNK_BYTES: "4096",
    DATANET_QUOTA_BYTES_PER_DAY: "3000",
    DATANET_QUOTA_RECORDS_PER_DAY: "2",
    DATANET_REQUEST_TIMEOUT_MS: "3000",
  });
  alice = await world.user(1);
  const rowsRoot = contributionRoot(rows.map(hashRow));
  await commitData(alice, { datanetId: world.datanetId, rowsRoot, rowCount: rows.length });
  await world.finalise();
  await bringCard(alice, { hostUrl: host.url, datanetId: world.datanetId, card: sampleCard() });
  await uploadRows(alice, {
    hostUrl: host.url,
    datanetId: world.datanetId,
    source: { rowsRoot, digests, row: (index) => rows[index]! },
  });
  await host.store.describeAll();
  commit = `/v1/datanets/${world.datanetId}/commits/0x${rowsRoot.toString(16).padStart(64, "0")}`;
});
afterAll(() => world.close());

const put = (path: string, body: Uint8Array, by = alice) =>
  askHost(by, host.url, { method: "PUT", path, body, isSigned: true }, z.unknown()).then(
    () => "taken",
    (error: unknown) => (isRollupError(error) ? error.code : String(error)),
  );

describe("what people bring", () => {
  it("is shown as text, an image or bytes, never as a page or a program", async () => {
    const types: string[] = [];
    for (const digest of digests.slice(0, 5)) {
      const response = await fetch(api(`/rows/${digest}/content`));
      const header = (name: string) => response.headers.get(name);
      expect(header("x-content-type-options")).toBe("nosniff");
      expect(header("content-security-policy")).toBe(ANSWER_HEADERS["content-security-policy"]);
      expect(header("content-disposition")).toBe(`attachment; filename="${digest}"`);
      types.push(header("content-type")!);
    }
    const plain = "text/plain; charset=utf-8";
    expect(types).toEqual([plain, plain, plain, "image/png", "application/octet-stream"]);
    const list = await answer(api("/rows?wellFormed=false"));
    expect(list.rows.map(({ digest }: { digest: string }) => digest)).toEqual(digests.slice(3, 5));
  });

  it("is no database of an earlier chain, where a rollup had the same address", async () => {
    const database = await createTestDatabase();
    const start = async (digit: string) => {
      const deployedIn = { blockHash: `0x${digit.repeat(64)}`, timestamp: 1 };
      const deployment = { ...(await testDeployment()), deployedIn };
      await (await startTestHost(deployment, world.sequencerUrl, database.url)).stop();
    };
    await start("a");
    await start("a");
    await expect(start("b")).rejects.toMatchObject({
      code: "SRV_WRONG_DATABASE",
      data: { reason: "other-deployment" },
    });
    await database.drop();
  });

  it("names no path", async () => {
    for (const path of ["/rows/..%2f..%2fetc%2fpasswd/content", `/rows/${"a".repeat(63)}%00/content`])
      expect((await fetch(api(path))).status).toBe(400);
  });

  it("is not unpacked, and is refused where it is too large or cut off", async () => {
    const bomb = gzipSync(Buffer.alloc(1_000_000));
    const headers = { "content-type": "application/octet-stream", "content-encoding": "gzip" };
    const packed = await fetch(`${host.url}${commit}/rows`, { method: "PUT", body: bomb, headers });
    expect(packed.status).toBe(415);
    // A row that says it has 10 GB, and one of 4 GB: the frame has 32 bits.
    const huge = new Uint8Array(8);
    new DataView(huge.buffer).setUint32(0, 0xffff_ffff);
    expect(await put(`${commit}/rows`, huge)).toBe("SRV_TOO_LARGE");
    expect(await put(`${commit}/rows`, encodeRows([new Uint8Array(2_001)]))).toBe("SRV_TOO_LARGE");
    expect(await put(`${commit}/rows`, new Uint8Array(5_000))).toBe("SRV_TOO_LARGE");
    expect(await put(`${commit}/rows`, encodeRows(rows).subarray(0, 20))).toBe("SRV_BAD_REQUEST");
    const records = `/v1/datanets/${world.datanetId}/records`;
    const announced = await rawRequest(`POST ${records} HTTP/1.1`, ["content-length: 10000000000"]);
    expect(announced).toContain(" 413 ");
  });

  it("is refused by its header, before a byte of it is read", async () => {
    const { session } = await answer(`${host.url}/v1/info`);
    const point = `0x${"1".repeat(64)}`;
    const signature = { r8x: point, r8y: point, s: point };
    const sound = { leafId: 3, session, nonce: "0".repeat(32), expiresAtMs: Date.now() + 60_000, signature };
    const refused = async (path: string, proof: unknown) => {
      const header = proof === null ? [] : [`x-openledger-request: ${JSON.stringify(proof)}`];
      // Nothing of the body comes: anyone who waits for it says nothing.
      const response = await rawRequest(
        `PUT ${path} HTTP/1.1`,
        ["content-length: 4000", ...header],
        "",
        /"(DNT|SRV)_\w+"/,
      );
      return /(DNT|SRV)_\w+/.exec(response)?.[0];
    };
    const version = commit.replace("/commits/", "/versions/");
    for (const path of [`${commit}/rows`, `${commit}/list`, version]) {
      expect(await refused(path, null)).toBe("DNT_REQUEST_UNSIGNED");
      expect(await refused(path, { ...sound, signature: null })).toBe("SRV_BAD_REQUEST");
      expect(await refused(path, { ...sound, expiresAtMs: Date.now() - 1 })).toBe("DNT_REQUEST_UNSIGNED");
      expect(await refused(path, { ...sound, session: "another" })).toBe("DNT_SESSION_OTHER");
    }
  });

  it("is held against the commit, row by row", async () => {
    expect(await put(`${commit}/rows?from=1`, encodeRows([rows[0]!]))).toBe("DNT_LIST_MISMATCH");
    expect(await put(`${commit}/rows?from=${rows.length - 1}`, encodeRows(rows.slice(0, 2)))).toBe(
      "DNT_LIST_MISMATCH",
    );
    const rowsRoot = `0x${"0".repeat(63)}5`;
    const other = encodeDigests(digests.slice(1));
    expect(await put(`/v1/datanets/${world.datanetId}/commits/${rowsRoot}/list`, other)).toBe("DNT_UNKNOWN");
    expect(await put(`/v1/datanets/${world.datanetId}/commits/${rowsRoot}/rows`, encodeRows(rows))).toBe(
      "DNT_LIST_MISSING",
    );
  });

  it("counts against a key's day, rows and records", async () => {
    const bob = await world.user(2);
    // One piece of an upload: of two at once the smaller one might be taken.
    const many = sampleRows(55, 1_000);
    const rowsRoot = contributionRoot(many.map(hashRow));
    await commitData(bob, { datanetId: world.datanetId, rowsRoot, rowCount: many.length });
    await world.finalise();
    const upload = uploadRows(bob, {
      hostUrl: host.url,
      datanetId: world.datanetId,
      source: { rowsRoot, digests: many.map(sha256Hex), row: (index) => many[index]! },
    });
    await expect(upload).rejects.toMatchObject({ code: "SRV_QUOTA_USED", data: { reason: "quota-used" } });
    const results = await sayRecords(bob, {
      hostUrl: host.url,
      datanetId: world.datanetId,
      records: digests.slice(5).map((row) => ({ kind: "label", row, label: "good", flags: [], note: "" })),
    });
    expect(results.map(({ error }) => error?.code ?? "taken")).toEqual(["taken", "taken", "SRV_QUOTA_USED"]);
  });

  it("has to come in time", async () => {
    const late = await rawRequest(`PUT ${commit}/rows HTTP/1.1`, ["content-length: 100"], "ab");
    expect(late === "" || late.includes(" 408 ")).toBe(true);
  });

  it("is found by words, and described without anything of the host's own", async () => {
    const find = async (query: string) => (await answer(api(`/rows?${query}`))).total;
    expect(await find("text=village%201")).toBe(1);
    expect(await find("text=villag*")).toBe(3);
    expect(await find("text=village&contributor=3")).toBe(3);
    expect(await find("text=village&contributor=4")).toBe(0);
    const openapi = await answer(`${host.url}/openapi.json`);
    expect(Object.keys(openapi.paths).length).toBeGreaterThan(20);
    const metrics = await (await fetch(`${host.url}/metrics`)).text();
    expect(metrics).toMatch(/^datanet_rows 8$/m);
    expect((await fetch(`${host.url}/health`)).status).toBe(200);
  });

  it("is refused with a code where it is text that no table takes, or a number that no column has", async () => {
    const code = async (url: string) => (await answer(url)).error?.code ?? "served";
    for (const query of ["text=a%00b", "label=%00", "text=%00"])
      expect(await code(api(`/rows?${query}`)), query).toBe("SRV_BAD_REQUEST");
    for (const query of ["text=%00", "tag=%00", "field=%00"])
      expect(await code(`${host.url}/v1/datanets?${query}`), query).toBe("SRV_BAD_REQUEST");
    expect(await code(`${host.url}/v1/names?text=%00`)).toBe("SRV_BAD_REQUEST");
    const largest = "9".repeat(13);
    for (const query of [`contributor=${largest}`, `from=${largest}`, `after=${largest}`])
      expect(await code(api(`/rows?${query}`)), query).toBe("served");
    for (const path of ["records", "verified", "findings"])
      expect(await code(api(`/${path}?from=${largest}`)), path).toBe("served");
    expect(await code(api(`/verified?model=${largest}`))).toBe("served");
    expect(await code(api(`${commit.slice(commit.indexOf("/commits"))}/rows?from=${largest}`))).toBe(
      "DNT_NOT_HOSTED",
    );
    expect(await code(`${host.url}/v1/notices?contributor=${largest}&from=${largest}`)).toBe("served");
    expect(await code(`${host.url}/v1/datanets?from=${largest}`)).toBe("served");
    expect(await code(`${host.url}/v1/datanets/${largest}/rows`)).toBe("DNT_NOT_HOSTED");
    const note = "a\0b\ud83d\ude00";
    const carol = await world.user(3);
    const [taken] = await sayRecords(carol, {
      hostUrl: host.url,
      datanetId: world.datanetId,
      records: [{ kind: "label", row: digests[6]!, label: "good", flags: [], note }],
    });
    expect(taken!.error).toBeNull();
    const [refused] = await sayRecords(carol, {
      hostUrl: host.url,
      datanetId: world.datanetId,
      records: [{ kind: "label", row: digests[6]!, label: "go\0od", flags: [], note: "" }],
    });
    expect(refused!.error).toMatchObject({ code: "DNT_RECORD_INVALID" });
    const dave = await world.user(4);
    await sayRecords(dave, {
      hostUrl: host.url,
      datanetId: world.datanetId,
      records: [{ kind: "label", row: digests[6]!, label: "good", flags: [], note: "" }],
    });
    const { records } = await answer(api("/records"));
    expect(records.map(({ body }: { body: { note: string } }) => body.note)).toContain(note);
  });

  it("is protected as every server is", async () => {
    expect(await attackServer(host.url, { post: "/v1/datanets/1/records", metrics: "/metrics" })).toEqual([]);
  });
});

// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests check
const answer = async (url: string): Promise<any> => (await fetch(url)).json();

/** Sends a raw request on a plain connection and resolves with the bytes of the answer. */
function rawRequest(line: string, headers: readonly string[], body = "", enough = / 413 /): Promise<string> {
  const { hostname, port } = new URL(host.url);
  return new Promise((resolve) => {
    let answer = "";
    const socket = connect(Number(port), hostname, () => {
      const head = [line, `host: ${hostname}`, "content-type: application/octet-stream", ...headers];
      socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
    });
    socket.on("data", (data) => {
      answer += data.toString();
      if (enough.test(answer)) socket.destroy();
    });
    socket.on("error", () => {});
    socket.on("close", () => resolve(answer));
  });
}
