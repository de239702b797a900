import { appendFileSync, cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { attackServer } from "@openledger/foundation/http/testing/attack-server";
import { TrustedProxies } from "@openledger/foundation/http/trusted-proxies";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CeremonyClient } from "../ceremony/ceremony-client.ts";
import { checkTranscript } from "../ceremony/check-transcript.ts";
import { type ContributedRound, contribute } from "../ceremony/contribute.ts";
import { isTakenByContract, makeTinyCeremony, resolveTiny, serveTiny } from "../testing/ceremony.fixtures.ts";
import { scratchFolder } from "../testing/sample-circuit.fixtures.ts";
import { CeremonyFolder, sha256Hex } from "./ceremony-folder.ts";
import { Coordinator } from "./coordinator.ts";
import { finishCeremony } from "./finish-ceremony.ts";
import type { RunningCoordinator } from "./start-coordinator.ts";
import { WaitingList } from "./waiting-list.ts";

const folder = await scratchFolder();
let ceremonyPath: string;
let ptauPath: string;
let served: RunningCoordinator;
let client: CeremonyClient;
/** What each contributor made, for those who hand it in again. */
const made: ContributedRound[] = [];

const takePart = (name: string) =>
  client.takePart({
    name,
    entropy: new Uint8Array([4]),
    pollMs: 20,
    onStage: () => {},
    compute: async (work, onProgress) => {
      made.push(contribute(work, onProgress));
      return made.at(-1)!;
    },
  });
const bearer = (ticket: string) => ({ authorization: `Bearer ${ticket}` });
const octets = { "content-type": "application/octet-stream" };
const put = (ticket: string, offset: number, body: Uint8Array) =>
  fetch(`${served.url}/v1/round?offset=${offset}`, {
    method: "PUT",
    headers: { ...bearer(ticket), ...octets },
    body: new Uint8Array(body),
  });
const codeOf = async (response: Response) =>
  `${response.status} ${((await response.json()) as { error?: { code: string } }).error?.code}`;

beforeAll(async () => {
  ({ ceremonyPath, ptauPath } = await makeTinyCeremony(folder, { maxContributions: 5 }));
  served = await serveTiny(ceremonyPath);
  client = new CeremonyClient(served.url);
}, 300_000);
afterAll(async () => {
  await served?.stop();
});

describe("a served ceremony", () => {
  test("takes two people at once, one after the other", async () => {
    const entries = await Promise.all([takePart("Ada"), takePart("")]);
    expect(entries.map(({ index }) => index).sort()).toEqual([1, 2]);
    expect(await client.transcript()).toEqual([...entries].sort((a, b) => a.index - b.index));
    expect(await client.info()).toMatchObject({ state: "open", contributionCount: 2, turn: null });
  });

  test("refuses strangers, wrong names and what is not one's turn", async () => {
    const post = (body: string, headers = {}) =>
      fetch(`${served.url}/v1/tickets`, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body,
      });
    expect(await codeOf(await post('{"name":"a\\u0007b"}'))).toBe("400 SRV_BAD_REQUEST");
    expect(await codeOf(await post(`{"name":"${"x".repeat(65)}"}`))).toBe("400 SRV_BAD_REQUEST");
    expect(await codeOf(await post(`{"name":"${"x".repeat(9_000)}"}`))).toBe("413 SRV_TOO_LARGE");
    expect(await codeOf(await fetch(`${served.url}/v1/round`))).toBe("404 PRV_CEREMONY_TICKET");
    expect(await codeOf(await put("ab".repeat(32), 0, new Uint8Array(1)))).toBe("404 PRV_CEREMONY_TICKET");
    const [first, second] = [await client.join("first"), await client.join("second")];
    expect(await client.stateOf(second)).toEqual({ state: "waiting", place: 1 });
    expect(await codeOf(await put(second, 0, new Uint8Array(1)))).toBe("409 PRV_CEREMONY_NOT_YOUR_TURN");
    await client.leave(first);
    expect(await client.stateOf(second)).toMatchObject({ state: "turn", index: 2, receivedBytes: 0 });
    expect(await client.stateOf(first)).toEqual({ state: "lost", reason: "it was given back" });
    await client.leave(second);
  });

  test("refuses pieces that do not fit, and goes on where the last one ended", async () => {
    const ticket = await client.join("pieces");
    const { roundBytes } = await client.info();
    expect(await client.sendPiece(ticket, 0, new Uint8Array(100))).toBe(100);
    await expect(client.sendPiece(ticket, 50, new Uint8Array(1))).rejects.toMatchObject({
      code: "PRV_CEREMONY_INCOMPLETE",
      data: { reason: "ceremony-offset", receivedBytes: 100 },
    });
    expect(await codeOf(await put(ticket, 100, new Uint8Array(roundBytes)))).toBe("413 SRV_TOO_LARGE");
    await expect(client.submit(ticket)).rejects.toMatchObject({ code: "PRV_CEREMONY_INCOMPLETE" });
    expect(await client.stateOf(ticket)).toMatchObject({ state: "turn", receivedBytes: 100 });
    await client.leave(ticket);
  });

  test("refuses rubbish, and what was handed in before; each costs its sender the place", async () => {
    for (const bytes of [made[1]!.round, new Uint8Array(made[1]!.round.length)]) {
      const ticket = await client.join("Mallory");
      await client.sendPiece(ticket, 0, new Uint8Array(bytes));
      await expect(client.submit(ticket)).rejects.toMatchObject({ code: "PRV_CONTRIBUTION_INVALID" });
      expect(await client.stateOf(ticket)).toMatchObject({ state: "lost" });
      await expect(client.submit(ticket)).rejects.toMatchObject({ code: "PRV_CEREMONY_TICKET" });
    }
    expect(await client.info()).toMatchObject({ contributionCount: 2, waitingCount: 0 });
  });

  test("goes on after a kill with half a line, an orphaned round and a contributor in the middle", async () => {
    const ticket = await client.join("Cleo");
    await client.sendPiece(ticket, 0, new Uint8Array(64));
    await served.stop();
    // What a kill leaves between the round and its line.
    appendFileSync(join(ceremonyPath, "transcript.jsonl"), '{"index":3,"na');
    writeFileSync(join(ceremonyPath, "round-3.bin"), "half");
    writeFileSync(join(ceremonyPath, "lock"), "4194304");
    served = await serveTiny(ceremonyPath);
    client = new CeremonyClient(served.url);
    expect(existsSync(join(ceremonyPath, "round-3.bin"))).toBe(false);
    expect(await client.stateOf(ticket)).toMatchObject({ state: "turn", index: 2, receivedBytes: 64 });
    await client.leave(ticket);
    expect(await takePart("Dan")).toMatchObject({ index: 3, name: "Dan" });
  });

  test("takes exactly what it checked, whatever its sender sends or gives back meanwhile", async () => {
    await served.stop();
    const times = { turnMs: 60_000, silentMs: 60_000, stalledMs: 60_000 };
    const limits = { ...times, maxWaiting: 9, maxPerAddress: 9, pieceBytes: 1 << 20 };
    const log = { info() {}, warn() {} };
    const opened = await CeremonyFolder.open(ceremonyPath);
    const coordinator = new Coordinator(opened, limits, { log });
    const ticket = coordinator.join("Mallory", "x");
    const next = coordinator.join("next", "y");
    const { circuitHash, shape } = opened;
    const work = { circuitHash, shape, records: opened.records, entropy: new Uint8Array() };
    const before = new Uint8Array(readFileSync(coordinator.roundFor(ticket)));
    const { round } = contribute({ ...work, round: before }, () => {});
    await coordinator.upload(ticket, 0, round);
    cpSync(ceremonyPath, join(folder, "killed"), { recursive: true });
    const submitted = coordinator.submit(ticket);
    const piece = coordinator.upload(ticket, 0, new Uint8Array(1));
    await expect(piece).rejects.toMatchObject({ code: "PRV_CEREMONY_NOT_YOUR_TURN" });
    coordinator.leave(ticket);
    const entry = await submitted;
    expect(entry).toMatchObject({ index: 4, name: "Mallory", roundSha256: sha256Hex(round) });
    expect(sha256Hex(readFileSync(opened.roundPath))).toBe(entry.roundSha256);
    expect(existsSync(opened.at("round-3.bin"))).toBe(true);
    expect(existsSync(opened.at("round-2.bin"))).toBe(false);
    coordinator.leave(next);
    await coordinator.close();

    // Killed in the check, and before the line was durable.
    for (const step of ["checking.bin", "round-4.bin"]) {
      const killed = join(folder, "killed");
      rmSync(join(killed, "lock"), { force: true });
      renameSync(join(killed, "upload.bin"), join(killed, step));
      const again = await CeremonyFolder.open(killed);
      expect([again.entries.length, again.uploadedBytes()]).toEqual([3, round.length]);
      again.close();
    }
    const again = new Coordinator(await CeremonyFolder.open(join(folder, "killed")), limits, { log });
    expect(await again.submit(ticket)).toMatchObject({ index: 4, name: "Mallory" });
    await again.close();
    served = await serveTiny(ceremonyPath);
    client = new CeremonyClient(served.url);
  });

  test.each([
    { proxies: [], forged: true },
    { proxies: ["127.0.0.1"], forged: true },
    { proxies: ["127.0.0.0/8"], forged: false },
  ])("takes no address from a client's own header: %o", async ({ forged, proxies }) => {
    await served.stop();
    served = await serveTiny(ceremonyPath, { proxies: new TrustedProxies(proxies), maxPerAddress: 1 });
    client = new CeremonyClient(served.url);
    // What the proxy adds comes last.
    const answers = ["1", "2"].map(async (host) => {
      const forwarded = forged ? `198.51.100.${host}, 203.0.113.7` : `203.0.113.7, 198.51.100.${host}`;
      const response = await fetch(`${served.url}/v1/tickets`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-forwarded-for": forwarded },
        body: '{"name":""}',
      });
      const { ticket } = (await response.json()) as { ticket?: string };
      return { status: response.status, ticket };
    });
    const given = await Promise.all(answers);
    expect(given.filter(({ status }) => status === 200)).toHaveLength(forged ? 1 : 2);
    for (const { ticket } of given) if (ticket !== undefined) await client.leave(ticket);
    await served.stop();
    served = await serveTiny(ceremonyPath);
    client = new CeremonyClient(served.url);
  });

  test("is protected as every server is", async () => {
    expect(await attackServer(served.url, { post: "/v1/tickets" })).toEqual([]);
  });

  test("takes the turn from who asks and does nothing, and leaves it to who works slowly", async () => {
    await served.stop();
    let nowMs = 0;
    const times = { turnMs: 1_800_000, silentMs: 150_000, stalledMs: 120_000 };
    const limits = { ...times, maxWaiting: 9, maxPerAddress: 9, pieceBytes: 1 << 20 };
    const modules = { log: { info() {}, warn() {} }, nowMs: () => nowMs };
    const coordinator = new Coordinator(await CeremonyFolder.open(ceremonyPath), limits, modules);
    const [idle, slow] = [coordinator.join("idle", "x"), coordinator.join("slow", "y")];
    for (; nowMs <= 120_000; nowMs += 10_000) {
      expect(await coordinator.stateOf(idle, 7)).toMatchObject({ state: "turn" });
      expect(await coordinator.stateOf(slow)).toMatchObject({ state: "waiting" });
    }
    expect(await coordinator.stateOf(idle, 7)).toEqual({
      ...{ state: "lost", reason: "nothing was done for 120000 ms" },
    });
    for (let done = 1; done < 10; done++, nowMs += 100_000)
      expect(await coordinator.stateOf(slow, done)).toMatchObject({ state: "turn" });
    // A page that was reloaded counts from the beginning.
    expect(await coordinator.stateOf(slow, 1)).toMatchObject({ state: "turn" });
    nowMs += 100_000;
    // A piece that comes is work, whatever its sender counts.
    await coordinator.upload(slow, 0, new Uint8Array(1));
    nowMs += 110_000;
    expect(await coordinator.stateOf(slow)).toMatchObject({ state: "turn", receivedBytes: 1 });
    nowMs += 11_000;
    expect(await coordinator.stateOf(slow)).toMatchObject({ state: "lost" });
    await coordinator.close();
    served = await serveTiny(ceremonyPath);
    client = new CeremonyClient(served.url);
  });

  test("answers a contribution that was taken again, and is full in the end", async () => {
    const ticket = await client.join("Eve");
    const entry = await client.takePart({
      ...{ name: "", ticket, entropy: new Uint8Array(), pollMs: 20, onStage: () => {} },
      compute: async (work) => contribute(work, () => {}),
    });
    expect(await client.submit(ticket)).toEqual(entry);
    expect(await client.stateOf(ticket)).toEqual({ state: "accepted", entry });
    await expect(client.join("late")).rejects.toMatchObject({ code: "PRV_CEREMONY_OVER" });
    expect(await client.info()).toMatchObject({ state: "full", contributionCount: 5 });
  });

  test("ends with a key that snarkjs verifies and the contract takes proofs under", async () => {
    const request = {
      ...{ folder: ceremonyPath, resolveCircuit: resolveTiny, ptauPath },
      ...{ beaconHex: "0102030405", iterationsExp: 10, keyFolder: join(folder, "keys") },
    };
    await served.stop();
    const { finished } = await finishCeremony(request);
    await expect(finishCeremony(request)).rejects.toMatchObject({ code: "PRV_CEREMONY_REFUSED" });
    served = await serveTiny(ceremonyPath);
    client = new CeremonyClient(served.url);
    const info = await client.info();
    expect(info).toMatchObject({ state: "finished", finished });
    checkTranscript(info, await client.transcript(), () => {});
    const changed = (await client.transcript()).map((one, i) =>
      i === 1 ? { ...one, hash: one.hash.replace(/^./, "g") } : one,
    );
    expect(() => checkTranscript(info, changed, () => {})).toThrow(/contribution 2: its hash/);
    expect((await (await fetch(`${served.url}/v1/key`)).arrayBuffer()).byteLength).toBe(finished.zkeyBytes);

    expect(await isTakenByContract(join(folder, "keys"))).toEqual({ right: true, wrong: false });
  }, 300_000);

  test("belongs to one process at a time", async () => {
    writeFileSync(join(ceremonyPath, "lock"), "1");
    await expect(CeremonyFolder.open(ceremonyPath)).rejects.toMatchObject({ code: "SRV_STORE_CORRUPT" });
  });
});

describe("WaitingList", () => {
  const limits = { maxWaiting: 3, maxPerAddress: 2, turnMs: 1_000, silentMs: 100, stalledMs: 200 };

  test("gives the turn on when its holder is silent, or too slow", () => {
    const list = new WaitingList(limits, [], 0);
    const [a, b] = [list.join("a", "x", 0), list.join("b", "y", 0)];
    list.sweep(0);
    expect(list.turn).toMatchObject({ ticket: a });
    list.placeOf(b, 90);
    list.sweep(120);
    expect(list.turn).toMatchObject({ ticket: b });
    expect(list.lostReason(a)).toContain("nothing was heard");
    for (let nowMs = 120; nowMs <= 1_120; nowMs += 50) {
      list.placeOf(b, nowMs);
      list.noteWork(b, nowMs, nowMs);
    }
    list.sweep(1_121);
    expect(list.turn).toBeNull();
    expect(list.lostReason(b)).toContain("lasts 1000 ms");
  });

  test("lets nobody's time run while a contribution is checked", () => {
    const list = new WaitingList(limits, [], 0);
    const ticket = list.join("a", "x", 0);
    list.sweep(0);
    list.beginCheck();
    list.sweep(50_000);
    expect(list.turn).toMatchObject({ ticket });
    // Where the check itself failed, there is time to send again.
    list.endCheck(900);
    list.placeOf(ticket, 900);
    list.sweep(950);
    expect(list.turn).toMatchObject({ ticket });
  });

  test("refuses more than one address may hold, and more than there is room for", () => {
    const list = new WaitingList(limits, [], 0);
    list.join("a", "x", 0);
    list.join("b", "x", 0);
    expect(() => list.join("c", "x", 0)).toThrow(/held from this address/);
    list.join("d", "y", 0);
    expect(() => list.join("e", "z", 0)).toThrow(/wait already/);
  });
});
