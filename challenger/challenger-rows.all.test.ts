/** `openledger challenger` alone with model commitments of a language model's rows: honest ones, and each kind of lie. */
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256 } from "@noble/hashes/sha2.js";
import { answeringFiles, rawAnsweringHash } from "@openledger/attribution/model/answering-hash";
import { writeModel } from "@openledger/attribution/model/model-directory";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { LEAF_FILE } from "@openledger/attribution/model/model-manifest";
import { hashRow, versionRowsRoot } from "@openledger/circuits/ledger/version-rows";
import { disputesAbi } from "@openledger/contracts/build/disputes-abi";
import { traceGameAbi } from "@openledger/contracts/build/trace-abi";
import { DEFAULT_SPENDING_CAP } from "@openledger/contracts/l1/capped-transaction";
import { anvilAccount } from "@openledger/contracts/testing/anvil-account";
import { clientWithout, revertEachTest } from "@openledger/contracts/testing/chain";
import { type HonestTexts, LIAR_ROW, TEXT_LIES } from "@openledger/e2e/scenarios/disputes/text-lies";
import { started, testFolder, testServer } from "@openledger/foundation/testing/test-fixtures";
import type { TextParts } from "@openledger/models/registered/text-family";
import { playLine } from "@openledger/scripts/commands/disputes/disputes-commit-model";
import { runInProcess } from "@openledger/scripts/commands/testing/run-in-process";
import { encodeFunctionData, type Hex, type PublicClient, toHex, zeroHash } from "viem";
import { beforeAll, beforeEach, expect, test } from "vitest";
import { openChallenger } from "./challenger.ts";
import { REREAD_BLOCKS } from "./events/event-log.ts";
import { asRow, textOf, traceQuery, tracingKernels } from "./games/claims/traced-model.ts";
import { GameReader } from "./games/read-games.ts";
import { challengeRowCall } from "./games/rows/text-calls.ts";
import { withTextTrees } from "./games/rows/text-model-commitment.ts";
import { withTracing } from "./games/rows/traced-recipe.ts";
import { MODEL_ID } from "./games/testing/ledger-fixture.ts";
import { BOND_WEI, SIDE_SECONDS, startRowContracts, WINDOW_SECONDS } from "./games/testing/row-fixture.ts";
import { textCase } from "./games/testing/text-case.ts";
import { STAKE_WEI } from "./games/testing/trace-fixture.ts";
import { registeredTexts, settingOver, writeByteBase } from "./games/testing/tuned-texts.ts";
import { examineModelCommitment } from "./model-commitments/examine-model-commitment.ts";
import type { ModelCommitmentKind } from "./model-commitments/model-commitment-kind.ts";
import {
  type ModelCommitment,
  readAvailabilityChallenges,
  readModelCommitments,
} from "./model-commitments/read-model-commitments.ts";
import { openWindows, readWindows } from "./model-commitments/read-windows.ts";
import { OpenedModels } from "./playing/opened-models.ts";
import { RecomputedModels } from "./playing/recompute.ts";
import { rowGamesOf, rowTurnsOf } from "./playing/row-games.ts";
import { requireSameTrace, TextModelCommitments } from "./playing/text-model-commitments.ts";
import { inOrder } from "./sending/l1-queue.ts";
import { openL1Sender } from "./sending/l1-sender.ts";
import { type CommittedModel, type Leaves, TREES } from "./statements/committed-model.ts";
import { encodeLeaves } from "./statements/leaf-file.ts";
import { shownLeaf, statementTuple } from "./statements/model-commitment-calls.ts";

const folder = testFolder("watch-rows");
const base = join(folder, "base");
const f = started(() => startRowContracts(8));
const made = started(() => textCase(f.owner));
let honest: HonestTexts;
let gate: Hex;

beforeAll(async () => {
  process.env.OPENLEDGER_HOME = join(folder, "home");
  // The base that the case's model was tuned from.
  await writeByteBase(base);
  for (const index of [1, 2])
    await writeFile(keyOf(index), toHex(anvilAccount(index).getHdKey().privateKey!), { mode: 0o600 });
  gate = f.disputes;
  const { model, real, rows, traced, tuned } = made;
  honest = {
    ...{ rows, traced, real, setting: settingOver(base), trained: { ...tuned, recipe: model.recipe } },
    register: registeredTexts,
  };
}, 120_000);
revertEachTest(() => f);
beforeEach(() => rm(join(folder, "model"), { recursive: true, force: true }));

const keyOf = (index: number) => join(folder, `key-${index}`);

/** Registered and published; the calls of its rollup. */
async function published(model: PublishedModel<TextParts>, posted: CommittedModel) {
  const ledger = await f.register(made.traced.model, made.terms, posted);
  await writeModel(join(folder, "model"), model as never);
  await writeFile(join(folder, "model", LEAF_FILE), encodeLeaves(posted.leaves));
  const run = async (who: number, ...words: readonly string[]) => {
    const { status, stderr, stdout } = await runInProcess(
      ...[...words, "--rpc", f.url, "--rollup", ledger.rollup],
      ...["--private-key-file", keyOf(who), "--json"],
    );
    if (status !== 0) throw new Error(stdout + stderr);
    return stdout;
  };
  const watch = ["challenger", gate, "--model", join(folder, "model"), "--base", base];
  return { ...ledger, run, watch: async () => JSON.parse(await run(2, ...watch)) };
}

/** One process that looks again and again: nothing is trained twice. @param served instead of the folder */
async function lookingAt(
  rollup: Hex,
  around: (recomputing: () => Promise<unknown>) => Promise<unknown> = (recomputing) => recomputing(),
  served: {
    readonly serverOf?: () => string;
    readonly folder?: string;
    readonly publicClient?: PublicClient;
    readonly role?: "watch" | "defend";
  } = {},
) {
  const { publicClient, role = "watch" } = served;
  const account = anvilAccount(role === "watch" ? 2 : 1);
  const sender = await openL1Sender({ account, rpcUrl: f.url, cap: DEFAULT_SPENDING_CAP });
  const { recompute } = new RecomputedModels();
  const challenger = await openChallenger(
    {
      ...{ rpcUrl: f.url, disputes: gate, rollup, roles: new Set([role]) },
      places: {
        base,
        ...(served.serverOf ? { serverOf: served.serverOf } : { model: join(folder, "model") }),
      },
      ...{ folder: served.folder ?? null, everyMs: 100, mostFeesWei: 0n },
    },
    {
      ...{ sender: inOrder(sender, () => {}), onProgress() {}, ...(publicClient && { publicClient }) },
      recompute: async (task, modules) =>
        (await around(() => recompute(task, modules))) as Awaited<ReturnType<typeof recompute>>,
    },
  );
  return () => challenger.look();
}

/** The watcher, as a sender of any calls. */
function sending() {
  const { address } = f.accountOf(f.watcher);
  return {
    ...{ address, publicClient: f.publicClient },
    async send({ data, to, valueWei }: { data: Hex; to: Hex; valueWei: bigint }) {
      return { ...(await f.accountOf(f.watcher, to).send({ data, valueWei })), hash: zeroHash };
    },
  };
}

const stakesWei = () => f.client.getBalance({ address: f.games });

const lieOf = (name: string) => TEXT_LIES.find((one) => one.name === name)!;

/** Posted leaves and numbers, beside the honest one's trace. */
const postedWith = (leaves: Leaves, numbers: CommittedModel["statement"]) =>
  withTextTrees(leaves, numbers, toHex(made.honest.statement.roots.weights));

/** Registered, published and posted. */
async function lied(name: string) {
  const lie = await lieOf(name).make(honest);
  const posted = lie.posted(MODEL_ID);
  const calls = await published(lie.model, posted);
  return { ...calls, lie, posted, id: await calls.post(posted) };
}

const stateOf = async () => {
  const [window] = await readWindows(f.publicClient, f.disputes, { modelId: MODEL_ID });
  return { state: window!.state, by: window!.refutedBy, fault: window!.refutation?.fault ?? null };
};
const owedWei = (where: Hex, who: Hex) => f.read<bigint>(where, "owedWei", [who]);
const refuted = (fault: string) => ({ state: "refuted", by: f.watcher, fault });

test("an honest model commitment is named while it is missing, recomputed, admitted, and its bond given back", async () => {
  const { post, run, watch } = await published(made.model, made.honest);
  expect(await watch()).toMatchObject({ unposted: [MODEL_ID], modelCommitments: [] });
  await post();
  expect(await watch()).toMatchObject({
    unposted: [],
    modelCommitments: [{ state: "open", isRecomputed: true, sent: null }],
  });
  await f.passTime(WINDOW_SECONDS);
  const admit = ["disputes", "admit", gate, join(folder, "model"), "--model-id", `${MODEL_ID}`];
  await run(1, ...admit, "--cap", "16");
  await run(1, "disputes", "withdraw", gate);
  expect(await f.client.getBalance({ address: f.disputes })).toBe(0n);
});

test.each(["frequent", "tokens"])("%s: a lie that one transaction shows", async (name) => {
  const { watch } = await lied(name);
  await watch();
  expect(await stateOf()).toEqual(refuted(lieOf(name).fault));
  expect(await owedWei(f.disputes, f.watcher)).toBe(BOND_WEI / 2n);
  // What is refuted is as good as never posted.
  expect(await watch()).toMatchObject({ unposted: [MODEL_ID] });
  expect(await owedWei(f.games, f.watcher)).toBe(0n);
});

test("an owner of posted rows is told that moves are needed within hours", async () => {
  const line = await playLine(f.publicClient, f.games, "0x1 --role defend --model speeches");
  expect(line).toContain("openledger challenger 0x1 --role defend --model speeches --every 10");
  expect(line).toContain(`each side has ${SIDE_SECONDS / 3_600n} hours`);
});

test("an owner whose trace does not end as the engine does posts nothing", () => {
  const { honest, traced } = made;
  requireSameTrace({ posted: honest, traced });
  const { map, tokens } = honest.leaves;
  const longest = Math.max(...tokens.map(({ length }) => length));
  const row = tokens.findIndex(({ length }) => length === longest);
  const others = map.map((leaf, k) =>
    k === row ? leaf.map((byte, at) => (at === 0 ? byte ^ 1 : byte)) : leaf,
  );
  expect(() => requireSameTrace({ posted: { leaves: { ...honest.leaves, map: others } }, traced })).toThrow(
    expect.objectContaining({ code: "CMD_USAGE" }),
  );
});

test("posted tokens that are not the tokenizer's are named where nothing shows them", async () => {
  const { honest: own, model, rows } = made;
  const files = { model: model as never, rows, leaves: null, mismatch: null };
  // As if no rule told these tokens from the tokenizer's.
  const kind: ModelCommitmentKind = {
    ...{ family: "text", isMapTrusted: false, needsContent: new Set(), refutationData: () => "0x" },
    ...{ honestModelCommitment: async () => own, faultsOf: () => [] },
  };
  const warningsOf = async ({ leaves, statement }: CommittedModel) => {
    const modelCommitment = { modelId: MODEL_ID, statement, posted: null } as unknown as ModelCommitment;
    return (await examineModelCommitment(modelCommitment, { ...files, leaves: encodeLeaves(leaves) }, kind))
      .warnings;
  };
  const tokens = own.leaves.tokens.map((leaf, k) => (k === 1 ? own.leaves.tokens[0]! : leaf));
  const other = postedWith({ ...own.leaves, tokens }, own.statement);
  expect(await warningsOf(own)).toEqual([]);
  expect(await warningsOf(other)).toEqual([
    "the tokens of row 1 are not the tokenizer's, and no rule shows it",
  ]);
});

test("false real features are refuted by a game, where the owner is silent", async () => {
  const { run, watch } = await lied("silent");
  await watch();
  expect(await f.client.getBalance({ address: f.games })).toBe(STAKE_WEI);
  await watch();
  // One game is enough.
  expect(await f.client.getBalance({ address: f.games })).toBe(STAKE_WEI);
  await f.passTime(SIDE_SECONDS + 1n);
  // Who has begun a game can end it without watching, too: that reads no model.
  await run(2, "challenger", gate, "--role", "defend", "--model", join(folder, "none"), "--base", base);
  expect(await stateOf()).toEqual(refuted("Row"));
  await run(2, "disputes", "withdraw", gate);
  for (const address of [f.games, f.disputes]) expect(await f.client.getBalance({ address })).toBe(0n);
});

test("real features that nobody publishes are asked for with their tokens, and the game follows", async () => {
  const { id, posted, watch } = await lied("silent");
  await rm(join(folder, "model", LEAF_FILE));
  // Leaves that are missing are an alarm, and a status of their own.
  await expect(watch()).rejects.toThrow("CMD_MODEL_UNSERVED");
  const { open } = await readAvailabilityChallenges(openWindows(f.publicClient, f.disputes), id);
  expect(open.map(({ index, tree }) => [TREES[tree], index])).toEqual([["map", BigInt(LIAR_ROW)]]);
  const shown = [shownLeaf(posted, "map", LIAR_ROW)];
  const answer = { functionName: "answer", args: [id, statementTuple(posted.statement), shown] } as const;
  await f.send(f.owner, f.disputes, encodeFunctionData({ abi: disputesAbi, ...answer } as never));
  await watch();
  expect(await stakesWei()).toBe(STAKE_WEI);
});

/** A node of which one answer lacks such an event. Nothing of it is asked for again by itself. */
async function leavingOutOnce(eventName: "TracedModel" | "Claimed") {
  await f.client.mine({ blocks: Number(REREAD_BLOCKS) + 1 });
  let left = 1;
  return clientWithout(f.client, traceGameAbi, eventName, () => left-- > 0);
}

test("a registration that a node leaves out once keeps no watcher from a game over a false row", async () => {
  const lie = await lieOf("silent").make(honest);
  const posted = lie.posted(MODEL_ID);
  const calls = await published(lie.model, posted);
  const look = await lookingAt(calls.rollup, undefined, {
    publicClient: await leavingOutOnce("TracedModel"),
  });
  await look();
  await calls.post(posted);
  await look();
  expect(await stakesWei()).toBe(STAKE_WEI);
});

test("a claim of a row that a node leaves out once keeps no owner from answering", async () => {
  const calls = await published(made.model, made.honest);
  const id = await calls.post(made.honest);
  const data = challengeRowCall(id, made.honest, calls.model, made.terms, LIAR_ROW);
  await f.accountOf(f.stranger).send({ data, valueWei: STAKE_WEI });
  const publicClient = await leavingOutOnce("Claimed");
  const look = await lookingAt(calls.rollup, undefined, { publicClient, role: "defend" });
  const { failures, view } = await look();
  expect(failures).toEqual([]);
  expect(view.models).toMatchObject([{ moves: [{ what: "answer" }] }]);
});

test("no stake is paid for rows of a rollup that this watch does not play", async () => {
  const { id, model, post, posted } = await lied("silent");
  const ids = [id, await post(posted)];
  // It has a model of the same number, which nobody has posted.
  const { rollup: other } = await f.register(made.traced.model, made.terms, posted);
  const look = await lookingAt(other);
  const seen = await look();
  expect(await stakesWei()).toBe(0n);
  expect(seen.failures).toMatchObject(ids.map(() => ({ code: "CMD_FALSE_UNCHALLENGED" })));
  const why = expect.stringContaining("plays no games of its model");
  expect(seen.view).toMatchObject({
    unposted: [MODEL_ID],
    modelCommitments: ids.map(() => ({ sent: null, failure: why })),
  });
  const watcher = f.accountOf(f.watcher);
  for (const id of ids) {
    const data = challengeRowCall(id, posted, model, made.terms, LIAR_ROW);
    await watcher.send({ data, valueWei: STAKE_WEI });
  }
  await f.passTime(SIDE_SECONDS + 1n);
  expect((await f.playerOf(f.watcher, null, { model }).playOnce()).moves).toHaveLength(2);
  // Each game that is lost refutes its model commitment, in the same transaction.
  for (const window of await readWindows(f.publicClient, f.disputes, { modelId: MODEL_ID }))
    expect(window).toMatchObject({ state: "refuted", refutedBy: f.watcher });
  expect(await owedWei(f.disputes, f.watcher)).toBe(BOND_WEI);
});

test("no stake is paid over leaves that are served beside another model", async () => {
  const { model, post, rollup } = await published(made.model, made.honest);
  const look = await lookingAt(rollup);
  // From here on this process plays games over the model's rows.
  expect((await look()).failures).toEqual([]);
  const queryMap = made.tuned.queryMap.slice();
  queryMap[queryMap.length - 1]! ^= 1;
  const { tracing: _, ...recipe } = made.model.recipe;
  const changed = { ...made.tuned, recipe, queryMap };
  const traced = await withTracing(changed, f.owner, honest.setting, made.contents);
  const { features } = made.tuned;
  await rm(join(folder, "model"), { recursive: true });
  await writeModel(join(folder, "model"), honest.register({ ...traced, features, rows: made.rows }) as never);
  await writeFile(join(folder, "model", LEAF_FILE), encodeLeaves(made.honest.leaves));
  const id = await post();
  const { failures, view } = await look();
  // Nobody may approve it, and no challenge says so.
  expect(failures).toMatchObject([{ code: "CMD_FALSE_UNCHALLENGED" }]);
  expect(view).toMatchObject({ modelCommitments: [{ sent: null, examined: { fault: null } }] });
  expect(view.modelCommitments[0]!.examined!.warnings).not.toEqual([]);
  expect(await stakesWei()).toBe(0n);
  // Nor is a row of which the engine alone says so.
  const texts = new TextModelCommitments(new OpenedModels(base, () => {}), () => {});
  const own = await texts.kind.honestModelCommitment(made.model as never, made.rows, MODEL_ID);
  const digest = toHex(made.honest.statement.roots.weights);
  const named = { rollup, modelId: BigInt(MODEL_ID) };
  const turns = () =>
    rowTurnsOf(new GameReader(f.publicClient, f.games, { rollup }), { account: f.watcher, id, named });
  const games = (of: Hex | null) => rowGamesOf(sending(), f.games, texts, { digest: of, turns });
  const [modelCommitment] = await readModelCommitments(f.publicClient, f.disputes);
  const shown = { own, posted: made.honest, rows: made.rows };
  await expect(games(digest).challenge(modelCommitment!, shown, 2)).rejects.toThrow(
    "its trace ends as it is posted",
  );
  const other = { unplayed: expect.stringContaining("another one than the model commitment's") };
  expect(await games(zeroHash).challenge(modelCommitment!, shown, 2)).toEqual(other);
  // Who has lost a game about the model commitment stakes on no other row of it.
  const data = challengeRowCall(id, made.honest, model, made.terms, 1);
  await f.accountOf(f.watcher).send({ data, valueWei: STAKE_WEI });
  const played = games(digest);
  expect(await played.challenge(modelCommitment!, shown, 2)).toBe("open");
  const kernels = tracingKernels("wasm", model);
  const owner = f.playerOf(f.owner, null, {
    model,
    traceOf: ({ statement }) => asRow(traceQuery(model, textOf(statement), kernels)),
  });
  expect((await owner.playOnce()).moves).toMatchObject([{ what: "answer" }]);
  await f.passTime(SIDE_SECONDS + 1n);
  expect((await owner.playOnce()).moves).toMatchObject([{ what: "endByTime" }]);
  const lost = { unplayed: expect.stringContaining("has lost a game about the model commitment") };
  expect(await played.challenge(modelCommitment!, shown, 2)).toEqual(lost);
});

test("a move that is due while a model commitment is recomputed is made before that ends", async () => {
  const { rollup } = await lied("silent");
  let hasGame = false;
  const look = await lookingAt(rollup, async (recomputing) => {
    if (!hasGame) return recomputing();
    await f.passTime(SIDE_SECONDS + 1n);
    await expect.poll(() => owedWei(f.games, f.watcher), { timeout: 60_000 }).toBe(STAKE_WEI);
    return recomputing();
  });
  await look();
  hasGame = true;
  const { lines } = await look();
  expect(lines.filter((line) => line.includes("endByTime"))).toHaveLength(1);
}, 120_000);

test("a server that serves recomputations alone keeps no game about a false row from being played", async () => {
  const { lie, post, posted, rollup } = await lied("silent");
  await post(posted);
  // Other numbers, under a recipe that promises the registered digest, before the right ones.
  const { queryMap, ...others } = lie.model as unknown as typeof honest.trained & { queryMap: Uint8Array };
  const changed = { ...others, queryMap: queryMap.map((one, k) => (k === 0 ? one ^ 1 : one)) };
  await writeModel(
    join(folder, "other", "model"),
    honest.register({ ...changed, rows: made.rows } as never) as never,
  );
  let count = 0;
  let isServing = false;
  const served = await testServer(async ({ url }, response) => {
    const path = join(folder, count % 2 === 1 ? "other" : ".", url!.replace("/v1/", ""));
    const bytes = isServing && (await readFile(path).catch(() => null));
    response.writeHead(bytes ? 200 : 503).end(bytes || undefined);
  });
  const look = await lookingAt(
    rollup,
    async (recomputing) => {
      isServing = true;
      count++;
      return recomputing().finally(() => {
        isServing = false;
      });
    },
    {
      serverOf: () => served,
      folder: join(folder, "kept"),
    },
  );
  expect((await look()).failures).not.toEqual([]);
  await look();
  expect(await stakesWei()).toBe(STAKE_WEI);
  await f.passTime(SIDE_SECONDS + 1n);
  await look();
  const windows = await readWindows(f.publicClient, f.disputes, { modelId: MODEL_ID });
  expect(windows.map(({ refutation }) => refutation?.fault)).toContain("Row");
}, 120_000);

test("a version with a row that is no text keeps no watcher from what L1 refutes", async () => {
  const rows = made.rows.map((row, k) => (k === 3 ? { ...row, content: new Uint8Array([123]) } : row));
  const rowsRoot = versionRowsRoot(
    rows.map(({ content, ...owners }) => ({ rowHash: hashRow(content), ...owners })),
  );
  const { recipe } = made.model;
  const datanet = { ...recipe.datanet, rowsRoot: toHex(rowsRoot, { size: 32 }) };
  const model = honest.register({ ...honest.trained, rows, recipe: { ...recipe, datanet } });
  const { leaves, statement } = made.honest;
  const changed = { ...leaves, rows: rows.map(({ content }) => sha256(content)) };
  const answering = rawAnsweringHash(answeringFiles(model as never));
  const { staticsHash } = model;
  const posted = postedWith(changed, { ...statement, rowsRoot, answering, staticsHash });
  const { post, watch } = await published(model, posted);
  await post(posted);
  await watch();
  expect(await stateOf()).toEqual(refuted("Tokens"));
});

test("a recipe for which a row is too long keeps no watcher from a game over a false row", async () => {
  const { recipe } = made.model;
  const promptTokens = recipe.rowTokens - recipe.answers.answerTokens;
  const short = { ...recipe, rowTokens: 2, answers: { ...recipe.answers, promptTokens } };
  const lie = await lieOf("silent").make(honest);
  const { features } = lie.model as unknown as typeof honest.trained;
  const model = honest.register({ ...honest.trained, features, rows: made.rows, recipe: short });
  const { leaves, statement } = lie.posted(MODEL_ID);
  const { binding, ownersCommitment, payeeRoot, split } = model.statics;
  const answering = rawAnsweringHash(answeringFiles(model as never));
  const posted = postedWith(leaves, {
    ...{ ...statement, binding, ownersCommitment, payeeRoot, split },
    ...{ answering, staticsHash: model.staticsHash },
  });
  const { post, rollup } = await published(model, posted);
  await post(posted);
  await (await lookingAt(rollup))();
  expect(await stakesWei()).toBe(STAKE_WEI);
});

test("and where he plays a false trace to its end", async () => {
  const { lie, model, rollup } = await lied("played");
  const look = await lookingAt(rollup);
  const owner = f.playerOf(f.owner, lie.own, { model });
  for (let round = 0; round < 12 && (await stateOf()).state === "open"; round++) {
    expect((await look()).failures).toEqual([]);
    await owner.playOnce();
  }
  expect(await stateOf()).toEqual(refuted("Row"));
  expect(await owedWei(f.games, f.watcher)).toBe(STAKE_WEI);
});
