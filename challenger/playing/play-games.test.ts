/** What would keep a watcher of language models from one of them, or busy for ever: each was once so. */
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeModel } from "@openledger/attribution/model/model-directory";
import type { Trained } from "@openledger/attribution/model/model-family";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { DEFAULT_SPENDING_CAP } from "@openledger/contracts/l1/capped-transaction";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { listening, started, testFolder, testServer } from "@openledger/foundation/testing/test-fixtures";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { type TextParts, textFamily } from "@openledger/models/registered/text-family";
import type { TextSetting } from "@openledger/models/registered/text-model";
import { ownedTexts, sampleTexts } from "@openledger/models/testing/text-rows";
import { runInProcess } from "@openledger/scripts/commands/testing/run-in-process";
import { getAddress, type Hex, http, type PublicClient, toHex, zeroAddress } from "viem";
import { privateKeyToAccount } from "viem/accounts";
import { beforeAll, describe, expect, test } from "vitest";
import { claimReceiptCall, tracingDigest } from "../games/claims/ledger-claims.ts";
import { type TracedQuery, traceQuery, tracingKernels } from "../games/claims/traced-model.ts";
import { openTracedText, type TracedTextModel } from "../games/claims/traced-text.ts";
import { GameReader } from "../games/read-games.ts";
import { tracedOf, trainingsWithPromises } from "../games/rows/traced-recipe.ts";
import { MODEL_ID, startLedgerTraces } from "../games/testing/ledger-fixture.ts";
import { falseTrace, placeOf } from "../games/testing/played-games.ts";
import { BOND_WEI } from "../games/testing/trace-fixture.ts";
import { registeredTexts, tunedTexts } from "../games/testing/tuned-texts.ts";
import { openL1Sender } from "../sending/l1-sender.ts";
import { describeRound } from "./describe-round.ts";
import { KeptFiles } from "./kept-files.ts";
import { OpenedModels } from "./opened-models.ts";
import { GamePlayers, type GamePlaying } from "./play-games.ts";
import type { ModelPlaces } from "./published-files.ts";
import { traceSenderOf } from "./trace-sender.ts";

const COLUMNS = 20;
const OWNER = anvilAccount(1);
const folder = testFolder("watch-games");
const base = join(folder, "base");
let setting: TextSetting;
const f = started(() => startLedgerTraces());
let parts: Trained<TextParts>;
let traced: TracedTextModel;
let rollup: Hex;
let digest: Hex;
const asked: string[] = [];
const failing = started(() =>
  listening((request, response) => {
    asked.push(request.url!);
    response.writeHead(500).end();
  }),
);

/** No model's. */
const OTHER: Hex = `0x${"22".repeat(32)}`;
const promiseOf = (promised: Hex) => ({ claimant: OWNER.address.toLowerCase(), digest: promised });

const publishedWith = (changed: Partial<TextParts["recipe"]>) =>
  registeredTexts({ ...parts, recipe: { ...parts.recipe, ...changed } });

/** Under this name, instead of what is there, with such a recipe. */
async function publish(name: string, changed: Partial<TextParts["recipe"]>): Promise<string> {
  const path = join(folder, name);
  await rm(path, { recursive: true, force: true });
  await writeModel(path, publishedWith(changed));
  return path;
}

beforeAll(async () => {
  process.env.OPENLEDGER_HOME = join(folder, "home");
  const method = { kind: "ek-fac", power: 0.5, damping: 0, featureCount: 16 } as const;
  ({ parts, setting } = await tunedTexts(base, ownedTexts(sampleTexts(8)), { method }));
  traced = await openTracedText({ rollup: zeroAddress, modelId: BigInt(MODEL_ID) }, parts, setting);
  const terms = tracedOf(traced, parts.recipe, OWNER.address);
  const describeAt = (at: Hex) => ({ ...traced.model, rollup: at });
  const ledgerOf = (of: typeof terms) => f.ledgerWith({ describe: describeAt, terms: () => of }, COLUMNS, 2);
  // A stranger's model, behind what calls itself a rollup.
  const others = await ledgerOf({ ...terms, mostTokens: 5 });
  await f.send(f.stranger, others.registration);
  const own = await ledgerOf(terms);
  rollup = own.rollup;
  for (const id of [MODEL_ID, MODEL_ID - 1]) await f.send(f.stranger, own.registrationOf(id));
  digest = tracingDigest(terms);
  await publish("right", { tracing: promiseOf(digest) });
});

interface Looking extends ModelPlaces {
  readonly isRepeated?: boolean;
  readonly rollup?: Hex;
  readonly mostStakeWei?: bigint;
  readonly kept?: KeptFiles;
  readonly opened?: OpenedModels;
  readonly sender?: GamePlaying["sender"];
  readonly client?: PublicClient;
  readonly reader?: GameReader;
}

/** A watcher that says what it does. */
function watchOf({ client = f.publicClient as PublicClient, isRepeated = false, kept, ...looking }: Looking) {
  const { mostStakeWei, opened, reader, rollup: of, sender, ...places } = looking;
  const said: string[] = [];
  const onProgress = (line: string) => void said.push(line);
  const watch = new GamePlayers({
    ...{ client, game: f.game, roles: new Set(["watch"]), places: { base, ...places } },
    reader: reader ?? (of === undefined ? null : new GameReader(client, f.game, { rollup: of })),
    opened: opened ?? new OpenedModels(base, onProgress),
    ...{ sender: sender ?? null, mostStakeWei, onProgress },
    kept: kept ?? null,
    rightClaims: () => ({ has: () => false, keep: async () => {} }),
    looksOnce: !isRepeated,
  });
  const look = async () => (await watch.look()).models as Record<string, unknown>[];
  return {
    said,
    look,
    watch,
    rootsRead: () => said.filter((line) => line.startsWith("reading model")).length,
  };
}
const right = () => join(folder, "right");
const wordsOf = (rpc: string) => [
  ...["--model", right(), "--base", base],
  ...["--rpc", rpc, "--rollup", rollup],
];

revertEachTest(() => f);

/** Claims what the model answers, or a false trace of it. @returns what is claimed */
async function claim(prompt: string, salt: bigint, isFalse = false): Promise<TracedQuery> {
  const { text: answer } = (await textFamily(setting).open(parts)).answer(prompt);
  const model = { ...traced.model, rollup };
  const kernels = tracingKernels("wasm", model);
  const honest = traceQuery(model, traced.textOf(prompt, answer), kernels);
  const query = isFalse ? falseTrace(model, honest, kernels, placeOf(honest, "chain")) : honest;
  const receipt = { payerId: 7, salt, prompt, answer, lengths: traced.lengthsOf(prompt) };
  const terms = tracedOf(traced, parts.recipe, OWNER.address);
  await f.send(f.owner, claimReceiptCall(model, terms, query, receipt), BOND_WEI);
  return query;
}

describe("a watcher", () => {
  test("plays registered models of the named rollup alone, and reads the same numbers once", async () => {
    const { look, rootsRead } = watchOf({ rollup, model: right() });
    for (let i = 0; i < 2; i++) {
      // A stranger's is not even read.
      expect(await look()).toMatchObject([{ failures: [] }, { failures: [] }]);
      expect(rootsRead()).toBe(1);
    }
    const nobodys = await watchOf({ model: right() }).watch.look();
    expect(nobodys).toMatchObject({ models: [], lines: [expect.stringContaining("not played: --rollup")] });
  });

  test("reads numbers that are not the promised ones once", async () => {
    const answers = { ...parts.recipe.answers, answerTokens: 11 };
    const model = await publish("served", { answers, tracing: promiseOf(digest) });
    const { look, rootsRead } = watchOf({ rollup, model });
    for (let i = 0; i < 2; i++)
      for (const { fault } of await look()) expect(fault).toContain("its registered roots are not");
    expect(rootsRead()).toBe(1);
  });

  test("names a recipe whose longest texts have no claim", async () => {
    const answers = { ...parts.recipe.answers, promptTokens: 1, answerTokens: 860 };
    const model = await publish("served", { answers, tracing: promiseOf(digest) });
    const { look } = watchOf({ rollup, model });
    const unclaimable = expect.stringContaining("no claim of this model's longest texts can be sent");
    expect(await look()).toMatchObject(Array(2).fill({ unclaimable }));
    const [first] = await watchOf({ rollup, model: right() }).look();
    expect(first).not.toHaveProperty("unclaimable");
  });

  test("asks a server that does not answer once a look", async () => {
    const { look } = watchOf({ rollup, serverOf: () => failing.url });
    for (const times of [1, 2]) {
      for (const { fault } of await look()) expect(fault).toContain("its files are not available");
      expect(asked).toHaveLength(times);
    }
  });

  test("takes the numbers of no other model than the registered one from its server", async () => {
    const heard: string[] = [];
    let served = right();
    const hostUrl = await testServer(async ({ url }, response) => {
      const name = url!.split("/").at(-1)!;
      heard.push(name);
      const bytes = await readFile(join(served, name)).catch(() => null);
      response.writeHead(bytes === null ? 404 : 200).end(bytes);
    });
    const { look } = watchOf({ rollup, serverOf: () => hostUrl });
    served = await publish("served", { tracing: promiseOf(OTHER) });
    for (const { fault } of await look()) expect(fault).toContain("its registered roots are not");
    served = await publish("served", {});
    for (const { fault } of await look()) expect(fault).toContain("promises no claims");
    expect(heard).toEqual(Array(2).fill(["manifest.json", "recipe.json"]).flat());
    served = right();
    for (const model of await look()) expect(model).not.toHaveProperty("fault");
    expect(heard).toContain("query-map.bin");
  });

  /** Counts what it is asked. */
  const slowServer = async (from: string) => {
    const server = { askedCount: 0, url: "" };
    server.url = await testServer(async ({ url }, response) => {
      server.askedCount++;
      await new Promise((resolve) => setTimeout(resolve, 600));
      response.end(await readFile(join(from, url!.split("/").at(-1)!)));
    });
    return server;
  };

  test("waits for a server that takes its time for what nobody can play with, and asks once of all models", async () => {
    const server = await slowServer(await publish("served", { tracing: promiseOf(OTHER) }));
    const { look } = watchOf({ rollup, serverOf: () => server.url });
    const faults = async () => (await look()).map(({ fault }) => fault);
    const [again, others] = ["is asked again", "its registered roots are not"].map((text) =>
      expect.stringContaining(text),
    );
    expect(await faults()).toEqual([others, again]);
    expect(await faults()).toEqual([again, again]);
    expect(server.askedCount).toBe(2);
  });

  test("waits for a slow server of other numbers, though it promises the registered ones", async () => {
    const answers = { ...parts.recipe.answers, answerTokens: 11 };
    const server = await slowServer(await publish("served", { answers, tracing: promiseOf(digest) }));
    const { look, rootsRead } = watchOf({ rollup, serverOf: () => server.url });
    for (const { fault } of await look()) expect(fault).toBeDefined();
    const before = [server.askedCount, rootsRead()];
    for (const { fault } of await look()) expect(fault).toContain("is asked again");
    expect([server.askedCount, rootsRead()]).toEqual(before);
  });

  test("opens the model that a slow server has, whichever registration it asked for first", async () => {
    const { url } = await slowServer(right());
    const reader = new GameReader(f.publicClient, f.game, { rollup });
    const [first, second] = await reader.models();
    reader.models = async () => [{ ...first!, terms: { ...first!.terms, mostTokens: 5 } }, second!];
    const { look } = watchOf({ rollup, reader, serverOf: () => url });
    const [others, own] = await look();
    expect(others!.fault).toContain("its registered roots are not");
    expect(own).not.toHaveProperty("fault");
  });

  if (isWhole) {
    test("asks again for a model of which something else was served", async () => {
      const model = await publish("served", {});
      const { look, rootsRead } = watchOf({ rollup, model });
      const faults = async () => (await look()).map(({ fault }) => String(fault).slice(0, 30));
      expect(await faults()).toEqual(Array(2).fill("what is served under its numbe"));
      await publish("served", { tracing: promiseOf(OTHER) });
      expect(await faults()).toEqual(Array(2).fill("its registered roots are not t"));
      // Nobody's numbers were needed to say so.
      expect(rootsRead()).toBe(0);
      await publish("served", { tracing: promiseOf(digest) });
      expect(await faults()).toEqual(["undefined", "undefined"]);
    });

    test("who looks once traces all claims, and who looks again four a look", async () => {
      for (let salt = 1n; salt <= 5n; salt++) await claim("The union?", salt);
      const waiting = async (options: Looking) =>
        (await watchOf({ rollup, model: right(), ...options }).look())[0];
      expect(await waiting({})).toMatchObject({ waiting: [], failures: [], moves: [], warnings: [] });
      const often = watchOf({ rollup, model: right(), isRepeated: true });
      expect((await often.look())[0]).toMatchObject({ waiting: [5n], failures: [] });
      // Between two model commitments: what is left is traced, and only what is new is told.
      expect(await often.watch.again()).toMatchObject({ lines: [], models: [], failures: [] });
      await claim("The union?", 6n, true);
      const failures = [{ claimId: 6n, reason: expect.stringContaining("no one signs") }];
      const again = await often.watch.again();
      expect(again.models).toMatchObject([{ modelId: BigInt(MODEL_ID), failures }]);
      // A claim that cannot be read may be false: who looks once has no other look, and others three.
      const refused = () => Promise.reject(new Error("out of compute units"));
      const client = Object.create(f.publicClient as PublicClient, {
        readContract: {
          value: (asked: Parameters<PublicClient["readContract"]>[0]) =>
            asked.functionName === "claims"
              ? refused()
              : (f.publicClient as PublicClient).readContract(asked),
        },
      }) as PublicClient;
      const alarmsOf = async ({ watch }: ReturnType<typeof watchOf>) => (await watch.look()).failures.length;
      expect(await alarmsOf(watchOf({ rollup, model: right(), client }))).toBe(6);
      const looking = watchOf({ rollup, model: right(), client, isRepeated: true });
      expect([await alarmsOf(looking), await alarmsOf(looking), await alarmsOf(looking)]).toEqual([0, 0, 6]);
      // What takes more than is given for a challenge is no line among others: whoever watches fails with a code.
      const poor = await watchOf({ rollup, model: right(), mostStakeWei: 1n }).watch.look();
      expect(poor.failures).toMatchObject([{ code: "CMD_FALSE_UNCHALLENGED", data: { claimId: 6n } }]);
    });

    test("challenges nothing beside what its account has on its way already", async () => {
      await claim("The union?", 1n, true);
      const key = join(folder, "watcher");
      await writeFile(key, toHex(anvilAccount(2).getHdKey().privateKey!));
      const known = () => f.client.getTransactionCount({ address: f.watcher, blockTag: "pending" });
      const nonce = await known();
      await f.client.setAutomine(false);
      try {
        // As a look before this one may have left it.
        const left = { from: f.watcher, to: OWNER.address, value: "0x1" };
        await http(f.url)({}).request({ method: "eth_sendTransaction", params: [left] });
        const words = [...wordsOf(f.url), "--private-key-file", key];
        const { status, stdout } = await runInProcess("challenger", f.game, ...words);
        expect(stdout).toContain(`L1 has not mined 1 transactions of ${getAddress(f.watcher)}`);
        // The claim is false, and not challenged.
        expect([status, await known()]).toEqual([1, nonce + 1]);
      } finally {
        await f.client.setAutomine(true);
        await f.client.mine({ blocks: 1 });
      }
    });
  }
});

test("warnings and what waits are told to people and to programs", () => {
  const warnings = [{ claimId: 3n, why: "it is odd" }];
  const { lines, view } = describeRound({ moves: [], failures: [], waiting: [4n, 5n], warnings });
  expect(lines).toEqual(["claim 3, do not approve it: it is odd", "2 claims wait for the next look"]);
  expect(view).toMatchObject({ waiting: [4n, 5n], warnings });
});

test("claims go to the games that the registry asks", async () => {
  const sender = await openL1Sender({ account: OWNER, rpcUrl: f.url, cap: DEFAULT_SPENDING_CAP });
  for (const address of [f.registry, f.game])
    expect(getAddress((await traceSenderOf(sender, address)).game)).toBe(getAddress(f.game));
  await expect(traceSenderOf(sender, f.math)).rejects.toMatchObject({ code: "CMD_USAGE" });
});

describe("openledger challenger", () => {
  /** A node that tells of no events of one contract. */
  const nodeWithout = (address: Hex) =>
    testServer(async (request, response) => {
      const body = Buffer.concat(await request.toArray()).toString();
      const { id, method, params } = JSON.parse(body);
      const isRefused = method === "eth_getLogs" && params[0].address.toLowerCase() === address.toLowerCase();
      const refused = { jsonrpc: "2.0", id, error: { code: -32_602, message: "no events of this contract" } };
      const headers = { "content-type": "application/json" };
      const answer = isRefused
        ? JSON.stringify(refused)
        : await (await fetch(f.url, { method: "POST", headers, body })).text();
      response.writeHead(200, headers).end(answer);
    });

  test("plays games before it looks at model commitments, and no contract keeps it from the others", async () => {
    const watch = (rpc: string) => runInProcess("challenger", f.registry, ...wordsOf(rpc));
    const ofGames = `${getAddress(f.game)}, of language models`;
    const ofModelCommitments = `${getAddress(f.registry)}: nothing is posted`;
    const { status, stdout } = await watch(f.url);
    expect(status).toBe(0);
    expect(stdout.indexOf(ofGames)).toBeGreaterThanOrEqual(0);
    expect(stdout.indexOf(ofModelCommitments)).toBeGreaterThan(stdout.indexOf(ofGames));
    for (const [silent, told] of [
      [f.game, ofModelCommitments],
      [f.registry, ofGames],
    ] as const) {
      const seen = await watch(await nodeWithout(silent));
      expect(seen.status).toBe(1);
      expect(seen.stdout).toContain(told);
    }
  });
});

test("openledger verify model computes what a language model's statics promise", async () => {
  const trainings = await trainingsWithPromises({ base });
  const verify = (promised: Hex) => {
    const model = publishedWith({ tracing: promiseOf(promised) });
    const facts = { staticsHash: model.staticsHash, rowsRoot: BigInt(parts.recipe.datanet.rowsRoot) };
    return verifyModel({ model, facts, depth: "features", trainings });
  };
  expect(await verify(digest)).toMatchObject({ isTraced: true });
  await expect(verify(OTHER)).rejects.toMatchObject({ data: { what: "tracing" } });
});

/** As where models of others have taken all of its memory. */
class CrowdedModels extends OpenedModels {
  isCrowded = false;
  override held(...args: Parameters<OpenedModels["held"]>) {
    return this.isCrowded ? null : super.held(...args);
  }
}

test("plays a game to its end after restarts where an owner serves no files any more, and says where it has none", async () => {
  const model = await publish("gone", { tracing: promiseOf(digest) });
  const kept = new KeptFiles(join(folder, "kept"), { count: 1, bytes: 2 ** 26 });
  const { look, watch } = watchOf({ rollup, model, kept });
  await look();
  const crowded = new CrowdedModels(base, () => {});
  const forgetful = watchOf({ rollup, model, opened: crowded }).watch;
  await forgetful.look();
  await rm(model, { recursive: true });
  const lie = await claim("The union!", 9n, true);
  const codesOf = async (of: GamePlayers) =>
    (await of.look()).failures.map((error) => (error as { code: string }).code);
  expect(await codesOf(watch)).toContain("CMD_FALSE_UNCHALLENGED");
  expect(await codesOf(watchOf({ rollup }).watch)).toEqual(["CMD_MODEL_UNSERVED"]);
  crowded.isCrowded = true;
  expect(await codesOf(forgetful)).toContain("CMD_MODEL_UNSERVED");
  const key = { account: privateKeyToAccount(`0x${"5c".repeat(32)}`), rpcUrl: f.url };
  const sender = await openL1Sender({ ...key, cap: DEFAULT_SPENDING_CAP });
  await f.client.setBalance({ address: sender.address, value: 10n ** 20n });
  const owner = f.playerOf(f.owner, lie);
  const moves: string[] = [];
  for (let isOver = false; !isOver; ) {
    // Each look is another process's, which has read nothing.
    const seen = await watchOf({ rollup, kept, sender }).watch.look();
    expect(seen.failures).toEqual([]);
    const made = [...seen.moves, ...(await owner.playOnce()).moves];
    moves.push(...made.map(({ what }) => what));
    isOver = made.length === 0;
  }
  expect([moves[0], moves.at(-1)]).toEqual(["challenge", "show"]);
  // What is damaged, or has other roots, is not played.
  const [name] = (await readdir(join(folder, "kept"))) as [Hex];
  await writeFile(join(folder, "kept", name, "parameters.bin"), "damaged");
  expect(await kept.read(name, [])).toBeNull();
});

test("copies are bounded in count and bytes, and the one that was used last stays", async () => {
  const kept = new KeptFiles(join(folder, "bounded"), { count: 2, bytes: 10 });
  const keep = (name: Hex, bytes: number) => kept.keep(name, new Map([["a", new Uint8Array(bytes)]]));
  const names = () => readdir(join(folder, "bounded")).then((all) => all.sort());
  for (const name of ["0x1", "0x2", "0x1", "0x3"] as const) {
    await keep(name, 3);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(await names()).toEqual(["0x1", "0x3"]);
  await keep("0x4", 11);
  expect(await names()).toEqual(["0x1", "0x3"]);
  await keep("0x5", 8);
  expect(await names()).toEqual(["0x5"]);
});
