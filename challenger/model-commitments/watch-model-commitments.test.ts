import { sha256 } from "@noble/hashes/sha2.js";
import type { OwnedRow } from "@openledger/attribution/model/owned-rows";
import { MOST_CHALLENGED_ROWS } from "@openledger/attribution/model/recipe-fields";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { datanetOf } from "@openledger/attribution/testing/sample-rows";
import { revertEachTest } from "@openledger/contracts/testing/chain";
import { started } from "@openledger/foundation/testing/test-fixtures";
import { isWhole } from "@openledger/foundation/testing/test-random";
import { modelError } from "@openledger/models/model-errors";
import { type Hex, parseEther, zeroHash } from "viem";
import { describe, expect, test } from "vitest";
import { lookAll, watchAll, watchFiles, watchOf } from "../playing/testing/watch-all.ts";
import {
  type CommittedModel,
  factBytes,
  type Leaves,
  TREES,
  type TreeName,
} from "../statements/committed-model.ts";
import { findDirectFaults } from "../statements/direct-faults.ts";
import { directModelCommitment } from "../statements/direct-model-commitment.ts";
import { pairBytes, readFact } from "../statements/leaf-bytes.ts";
import { encodeLeaves } from "../statements/leaf-file.ts";
import { type LeafTree, leafHash, treeOver } from "../statements/leaf-tree.ts";
import { shownLeaf, statementTuple } from "../statements/model-commitment-calls.ts";
import { directChallengeData } from "./direct-calls.ts";
import type { PublishedFiles } from "./examine-model-commitment.ts";
import { readModelCommitments } from "./read-model-commitments.ts";
import { directCase, registeredDirect } from "./testing/direct-case.ts";
import {
  AVAILABILITY_CHALLENGE_FEE_WEI,
  BOND_WEI,
  falseRow,
  falseTokens,
  hiddenLie as hiddenLieOf,
  lie,
  otherVersion,
  startDisputes,
  withLeaf,
  withoutLeaves,
} from "./testing/dispute-fixture.ts";
import { NOTHING_WRONG, type Watcher } from "./watch-commitment.ts";

const DAY = 86_400n;
const JUNK = new Uint8Array(32).fill(7);
const f = started(() => startDisputes({ mostRows: 24 }));
const made = started(() => directCase(24));
revertEachTest(() => f);

const watch = (files: PublishedFiles, watcher?: Watcher) => watchFiles(f, files, watcher);

const changed = (tree: TreeName, index: number, bytes: Uint8Array) => withLeaf(made, tree, index, bytes);
const unpublished = () => withoutLeaves(made);
const rich = () => ({ ...f.watcherOf(f.watcher), mostAvailabilityChallengesWei: parseEther("20") });
const feeOf = (id: bigint, tree: TreeName, baseFeeWei: bigint) =>
  f.disputes.read.availabilityFeeFor([id, TREES.indexOf(tree), baseFeeWei]);

/** No one can compute with it. */
const withoutUnit = () =>
  registeredDirect({ ...made.trained, features: { ...made.trained.features, scale: 0 } } as never);

/** Looks while a leaf is asked for, and shows it. @returns all that were asked for, and what the last look has sent */
async function answered(
  id: bigint,
  posted: CommittedModel,
  files: PublishedFiles,
  { isShown = () => true, rows = made.rows, watcher = f.watcherOf(f.watcher) }: Partial<Answering> = {},
) {
  const asked: (readonly [TreeName, number])[] = [];
  const before = (await f.asked()).length;
  for (;;) {
    const what = (await watch(files, watcher))[0]!.sent?.what;
    if (what !== "challengeAvailability" || asked.length === 24) return { asked, what };
    for (const place of (await f.asked()).slice(before + asked.length)) {
      asked.push(place);
      if (isShown(...place)) await f.show(id, posted, [place], rows);
    }
  }
}

interface Answering {
  readonly isShown: (tree: TreeName, index: number) => boolean;
  readonly rows: readonly OwnedRow[];
  readonly watcher: Watcher;
}

/** Asks for a row that nobody can show, and refutes with it a day later. */
async function refutedBySilence(files: PublishedFiles, index: number, meanwhile = async () => {}) {
  const [seen] = await watch(files);
  expect(seen!.examined!.wanted).toEqual([{ tree: "rows", index }]);
  expect(seen!.sent!.what).toBe("challengeAvailability");
  await meanwhile();
  await f.passTime(DAY + 1n);
  expect((await watch(files))[0]!.sent!.what).toBe("unanswered");
}

const hiddenLie = (other?: Partial<Leaves>) => hiddenLieOf(made, other);

describe("what would keep a watcher from a wrong place", () => {
  test("bytes behind the last leaf: it cannot be shown, and that refutes", async () => {
    const { files, own } = falseRow(made, 23);
    const rows = paddedTree(own.leaves.rows);
    const roots = { ...own.statement.roots, rows: rows.root };
    const padded = { ...own, trees: { ...own.trees, rows }, statement: { ...own.statement, roots } };
    const id = await f.post(padded);
    await refutedBySilence(files, 23, async () => {
      for (const opened of [padded, own]) {
        const args = [
          id,
          statementTuple(padded.statement),
          [shownLeaf(opened, "rows", 23, made.rows)],
        ] as const;
        expect(await f.refused(f.owner, "answer", args)).toBe("DisputesOpeningInvalid");
      }
    });
  });

  test("a leaf of a row that is no digest: nobody can show its content, and that refutes", async () => {
    const { files, posted } = lie(made, changed("rows", 3, made.honest.leaves.rows[3]!.slice(0, 31)));
    await f.post(posted);
    await refutedBySilence(files, 3);
  });

  test.each([0n, parseEther("0.1")])(
    "hidden leaves of right commitments take no ether that a challenge needs, nor two stakes of %i wei",
    async (stakeWei) => {
      const { files, posted } = hiddenLie();
      const id = await f.post(posted);
      const challenge = () => Promise.reject(new Error("no row is wrong"));
      const games = { challenge, stakeWei: async () => stakeWei };
      const look = async () => {
        const watch = await watchOf(f, f.watcherOf(f.watcher), async () => files, undefined, null, games);
        return (await watch.look()).views[0]!.sent;
      };
      const gasPriceWei = 2n * (await f.client.getBlock()).baseFeePerGas!;
      const enoughWei = (await feeOf(id, "map", gasPriceWei)) + 6_000_000n * gasPriceWei + 2n * stakeWei;
      await f.client.setBalance({ address: f.watcher, value: enoughWei - 1n });
      expect(await look()).toBeNull();
      await f.client.setBalance({ address: f.watcher, value: 2n * enoughWei });
      expect((await look())!.what).toBe("challengeAvailability");
    },
  );

  test("the own leaves that an owner asks for make nobody wait", async () => {
    const { files, posted } = hiddenLie();
    const id = await f.post(posted);
    const count = BigInt(posted.leaves.map.length);
    // The last one is on L1.
    for (let back = 2n; back <= 9n; back++) await f.ask(id, "map", count - back, f.owner);
    expect((await watch(files))[0]!.sent!.what).toBe("challengeAvailability");
  });

  test("a model that no one can compute with: places that are false by themselves are challenged", async () => {
    const { files, posted } = falseTokens(made);
    await f.post(posted);
    const [seen] = await watch({ ...files, model: withoutUnit() });
    expect(seen!.examined).toMatchObject({ fault: { kind: "tokens", row: 1 }, isBlind: true });
    expect(seen!.sent!.what).toBe("challenge");
  });

  test("facts are on L1: a false one among others that are right, and nobody publishes, is challenged at once", async () => {
    const facts = made.honest.leaves.facts.map((leaf, row) => {
      const fact = readFact(leaf)!;
      const factor = row === 2 ? 3n * fact.factor : fact.factor;
      return factBytes({ ...fact, factor, residual: fact.residual + 1n });
    });
    await f.post(lie(made, { facts }).posted);
    expect((await watch(unpublished()))[0]!.sent!.what).toBe("challenge");
    const window = (await readModelCommitments(f.client as never, f.disputes.address))[0]!;
    expect(window.refutation!.fault).toBe("Factor");
  });

  test("a model of other rows than the version's: no one can show one that is both, and that refutes", async () => {
    const { rowsRoot, version } = otherVersion(made, 9);
    const { files, posted } = lie(made, {}, { rowsRoot });
    const id = await f.post(posted);
    const isShown = (_: TreeName, row: number) => row !== 9;
    const { asked } = await answered(id, posted, files, { isShown, rows: version });
    const rowsAsked = asked.map(([, row]) => row);
    const args = [id, statementTuple(posted.statement), [shownLeaf(posted, "rows", 9, version)]];
    expect(await f.refused(f.owner, "answer", args)).toBe("DisputesOpeningInvalid");
    // One of each eight rows, and then those beside the one whose subtree is another one.
    expect([rowsAsked.slice(0, 2), rowsAsked.includes(9)]).toEqual([[0, 8], true]);
    expect(asked.length).toBeLessThan(12);
    await f.passTime(DAY + 1n);
    expect((await watch(files))[0]!.sent!.what).toBe("unanswered");
  });

  test("served rows that differ from the version's by a byte, beside a right model: few leaves are asked for, or none", async () => {
    const { honest, model, rows } = made;
    const id = await f.post(honest);
    const text = new TextDecoder().decode(rows[9]!.content);
    const at = text.indexOf(" ", 26);
    const content = new TextEncoder().encode(`${text.slice(0, at)} ${text.slice(at)}`);
    const files = { model, rows: rows.with(9, { ...rows[9]!, content }), leaves: null, mismatch: null };
    const [seen] = await watch({ ...files, leaves: encodeLeaves(honest.leaves) });
    const warning = "the rows that are served are not the version's";
    // Not served, for a watcher: nothing is paid before the last day for it.
    const wanted = [{ tree: "rows", index: 9 }];
    expect(seen).toMatchObject({ examined: { fault: null, wanted, isBlind: true, warnings: [warning] } });
    expect(seen!.sent!.what).toBe("requestLeaves");
    expect((await answered(id, honest, files)).asked.length).toBeLessThan(12);
  });

  test("a model of other rows, beside the digests of the version's: what is shown of a row refutes it", async () => {
    const { rowsRoot, version } = otherVersion(made, 9);
    const { files, posted } = lie(made, changed("rows", 9, sha256(version[9]!.content)), { rowsRoot });
    const id = await f.post(posted);
    expect((await watch(files))[0]!.sent!.what).toBe("requestLeaves");
    await f.passTime(4n * DAY + 1n);
    expect((await watch(files))[0]!.sent!.what).toBe("challengeAvailability");
    await f.show(id, posted, [["rows", 9]], version);
    expect((await watch(files))[0]!.sent!.what).toBe("challenge");
  });

  test("a sum that is spent challenges no more", async () => {
    const junk = made.honest.leaves.features.with(5, new Uint8Array(8));
    const { files, posted } = hiddenLie({ features: junk });
    const id = await f.post(posted);
    const { baseFeePerGas } = await f.client.getBlock();
    const mostAvailabilityChallengesWei = await feeOf(id, "map", 2n * baseFeePerGas!);
    const poor = { ...f.watcherOf(f.watcher), mostAvailabilityChallengesWei };
    const [seen] = await watch(files, poor);
    const { tree, index } = seen!.examined!.wanted[0]!;
    await f.show(id, posted, [[tree, index]]);
    expect((await watch(files, poor))[0]!.sent).toBeNull();
  });

  if (isWhole) {
    test("wrong places that no transaction can show: others are, and long leaves are challenged", async () => {
      const long = new Uint8Array(140_000);
      const decoys = made.honest.leaves.features.map((leaf, row) => (row < 12 ? long : leaf));
      const only = lie(made, { ...changed("map", 3, long) });
      const { files, posted } = lie(made, {
        features: decoys,
        columns: made.honest.leaves.columns,
        ...changed("tokens", 20, pairBytes([[3, 1]])),
      });
      await f.post(posted);
      const [seen] = await watch(files);
      expect(seen!.sent!.what).toBe("challenge");
      expect((await readModelCommitments(f.client as never, f.disputes.address))[0]!.refutation!.fault).toBe(
        "Tokens",
      );
      await f.post(only.posted);
      const [, availabilityChallenged] = await watch(only.files);
      expect(availabilityChallenged!.examined!.wanted).toEqual([{ tree: "map", index: 3 }]);
      expect(availabilityChallenged!.sent!.what).toBe("challengeAvailability");
    });

    test("a column of the inputs with pairs that count nothing, or twice", async () => {
      for (const [row, count, other, again] of [
        [0, 1, 5, 0],
        [0, 1, 0, 1],
        [5, 1, 0, 1],
      ] as const) {
        const pairs = [[row, count] as const, [other, again] as const];
        const { posted } = lie(made, changed("inputs", 3, pairBytes(pairs)));
        const faults = [...findDirectFaults(posted, made.rows)];
        expect(faults).toContainEqual({ kind: "input", row: 0, bucket: 3 });
        const id = await f.post(posted);
        expect(await f.judged(made, id, posted, { kind: "input", row: 0, bucket: 3 })).toBeNull();
      }
    });
  }
});

describe("what would keep a watcher busy", () => {
  test("files that end whoever reads them: they are asked for, and the look fails", async () => {
    await f.post(made.honest);
    let ends = 0;
    const { failures, views } = await lookAll(f, f.watcherOf(f.watcher), async () => {
      if (ends++ === 0) throw modelError("MOD_THREAD_ENDED", "nothing is recomputed any more");
      return null;
    });
    expect(failures).toMatchObject([{ code: "CMD_MODEL_UNSERVED" }]);
    expect(views[0]).toMatchObject({ isUnserved: true, sent: { what: "requestLeaves" } });
  });
});

describe("a model that nobody serves", () => {
  const look = (watcher: Watcher | null, filesOf = async (): Promise<PublishedFiles | null> => null) =>
    watchAll(f, watcher, filesOf);
  const withoutFees = () => ({ ...f.watcherOf(f.watcher), mostAvailabilityChallengesWei: 0n });
  const windowOf = async () => (await readModelCommitments(f.client as never, f.disputes.address))[0]!;
  const last = (tree: TreeName) => made.honest.leaves[tree].length - 1;
  const showLast = (id: bigint, posted: CommittedModel) => {
    const places = TREES.map((tree) => [tree, last(tree)] as const);
    return f.show(id, posted, places, made.rows);
  };
  /** Of the others the last leaf was shown with the model commitment. */
  const hidden = TREES.filter((tree) => tree !== "map" && tree !== "weights");

  test("is asked for its last leaves without a fee, named at each look, and refuted where nobody shows them", async () => {
    await f.post(lie(made, changed("tokens", 0, pairBytes([[1, 1]]))).posted);
    expect((await look(null))[0]).toMatchObject({ isUnserved: true, sent: null, failure: null });
    expect((await look(withoutFees()))[0]).toMatchObject({
      ...{ isUnserved: true, examined: null, failure: null, sent: { what: "requestLeaves" } },
    });
    expect((await windowOf()).openAvailabilityChallengeCount).toBe(hidden.length);
    expect((await look(withoutFees()))[0]).toMatchObject({ isUnserved: true, sent: null, failure: null });
    await f.passTime(6n * DAY + 1n);
    expect((await look(withoutFees()))[0]!.sent!.what).toBe("unanswered");
    expect(await windowOf()).toMatchObject({ state: "refuted", refutedBy: f.watcher });
    expect(await f.disputes.read.owedWei([f.watcher])).toBe(BOND_WEI / 2n);
  });

  test.each([
    ["cannot be read", () => Promise.reject(new Error("no model"))],
    ["makes the recomputation throw", async () => ({ ...unpublished(), model: withoutUnit() })],
  ])("is asked for them too where what is served %s", async (_, filesOf) => {
    await f.post(made.honest);
    const [seen] = await look(withoutFees(), filesOf);
    expect(seen).toMatchObject({ isUnserved: true, examined: null, sent: { what: "requestLeaves" } });
    expect(seen!.failure).not.toBeNull();
  });

  test("counts where its owner shows them, who earns no fee, and is asked once", async () => {
    const id = await f.post(made.honest);
    const statement = statementTuple(made.honest.statement);
    await look(withoutFees());
    expect(await f.refused(f.stranger, "requestLeaves", [id, statement])).toBe("DisputesAlreadyRequested");
    await showLast(id, made.honest);
    expect(await f.disputes.read.owedWei([f.owner])).toBe(0n);
    expect((await look(withoutFees()))[0]).toMatchObject({ isUnserved: true, sent: null, failure: null });
    await f.passTime(7n * DAY);
    expect(await f.disputes.read.counts([id])).toBe(true);
  });

  test("is asked for leaves at a fee in the last day for it, which takes the place of a request", async () => {
    const id = await f.post(made.honest);
    const paying = rich();
    expect((await look(paying))[0]!.sent!.what).toBe("requestLeaves");
    expect((await look(paying))[0]!.sent).toBeNull();
    await f.passTime(4n * DAY + 1n);
    expect((await look(paying))[0]!.sent!.what).toBe("challengeAvailability");
    expect((await windowOf()).openAvailabilityChallengeCount).toBe(hidden.length);
    const again = [id, TREES.indexOf("rows"), BigInt(last("rows"))];
    expect(await f.refused(f.stranger, "challengeAvailability", again, AVAILABILITY_CHALLENGE_FEE_WEI)).toBe(
      "DisputesAlreadyAvailabilityChallenged",
    );
    await f.passTime(DAY + 1n);
    expect((await look(paying))[0]!.sent!.what).toBe("unanswered");
    const paidWei = BOND_WEI / 2n + AVAILABILITY_CHALLENGE_FEE_WEI;
    expect(await f.disputes.read.owedWei([f.watcher])).toBe(paidWei);
  });

  test("is asked for more where its owner has asked for the own last leaves, and requested and shown them", async () => {
    const { posted } = falseTokens(made);
    const id = await f.post(posted);
    const statement = statementTuple(posted.statement);
    for (const tree of hidden) await f.ask(id, tree, BigInt(last(tree)), f.owner);
    await f.send(f.owner, "requestLeaves", [id, statement]);
    await showLast(id, posted);
    await f.passTime(4n * DAY + 1n);
    expect((await look(rich()))[0]).toMatchObject({
      ...{ isUnserved: true, failure: null, sent: { what: "challengeAvailability" } },
    });
  });

  test("is not asked about too late, or by another statement", async () => {
    const id = await f.post(made.honest);
    const other = statementTuple({ ...made.honest.statement, clipLength: 9_999 });
    expect(await f.refused(f.stranger, "requestLeaves", [id, other])).toBe("DisputesOtherStatement");
    await f.passTime(5n * DAY);
    expect((await look(withoutFees()))[0]).toMatchObject({ isUnserved: true, sent: null, failure: null });
    expect(await f.refused(f.stranger, "requestLeaves", [id, statementTuple(made.honest.statement)])).toBe(
      "DisputesAvailabilityChallengeTooLate",
    );
  });
});

describe("the fee for a leaf", () => {
  const FEE = AVAILABILITY_CHALLENGE_FEE_WEI;
  const tokens = TREES.indexOf("tokens");
  const owed = (who: Hex) => f.disputes.read.owedWei([who]);
  const answerOf = (id: bigint, posted: CommittedModel, ...indices: number[]) => {
    const leaves = indices.map((index) => shownLeaf(posted, "tokens", index));
    return [id, statementTuple(posted.statement), leaves] as const;
  };

  test("is the owner's with the bond, whoever shows the leaf; a leaf is shown once", async () => {
    const id = await f.post(made.honest);
    await f.ask(id, "tokens", 3n);
    // The stranger copies the owner's answer out of the pool.
    await f.send(f.stranger, "answer", answerOf(id, made.honest, 3));
    expect([await owed(f.stranger), await owed(f.owner)]).toEqual([0n, 0n]);
    expect(await f.refused(f.owner, "answer", answerOf(id, made.honest, 3))).toBe(
      "DisputesNoAvailabilityChallenge",
    );
    expect(await f.refused(f.stranger, "challengeAvailability", [id, tokens, 3n], FEE)).toBe(
      "DisputesAlreadyAvailabilityChallenged",
    );
    await f.passTime(7n * DAY);
    expect(await f.refused(f.stranger, "challengeUnanswered", [id, tokens, 3n])).toBe(
      "DisputesNoAvailabilityChallenge",
    );
    await f.send(f.stranger, "returnBond", [id]);
    expect(await owed(f.owner)).toBe(BOND_WEI + FEE);
    expect(await f.refused(f.owner, "returnBond", [id])).toBe("DisputesNothingToWithdraw");
  });

  test("is the owner's for leaves that one transaction shows, whoever has shown some of them before", async () => {
    const id = await f.post(made.honest);
    for (const index of [3n, 4n, 99n]) await f.ask(id, "tokens", index);
    await f.send(f.stranger, "answer", answerOf(id, made.honest, 4));
    const [, statement, [four, , far]] = answerOf(id, made.honest, 4, 4, 99);
    const wrong = { ...far!, index: 3n };
    const padded = { ...far!, leaf: { data: "0x", path: [zeroHash] } } as const;
    expect(await f.refused(f.owner, "answer", [id, statement, [padded]])).toBe("DisputesOpeningInvalid");
    expect(await f.refused(f.owner, "answer", [id, statement, [four, wrong]])).toBe("DisputesOpeningInvalid");
    await f.send(f.owner, "answer", answerOf(id, made.honest, 3, 4, 99));
    expect(await f.disputes.read.earnedWei([id])).toBe(3n * FEE);
    expect(await f.refused(f.owner, "answer", answerOf(id, made.honest, 3, 4, 99))).toBe(
      "DisputesNoAvailabilityChallenge",
    );
  });

  test("comes back of a refuted model commitment, of leaves that were shown as well, once", async () => {
    const { files, posted } = falseTokens(made);
    const id = await f.post(posted);
    for (const index of [3n, 4n]) await f.ask(id, "tokens", index, f.watcher);
    await f.send(f.owner, "answer", answerOf(id, posted, 3));
    expect((await watch(files))[0]!.sent!.what).toBe("challenge");
    for (const done of ["unanswered", "unanswered", undefined])
      expect((await watch(files))[0]!.sent?.what).toBe(done);
    expect(await owed(f.watcher)).toBe(BOND_WEI / 2n + 2n * FEE);
    expect(await owed(f.owner)).toBe(0n);
  });

  test("follows the base fee within bounds, and so does what a challenge earns", async () => {
    const { posted } = falseTokens(made);
    const id = await f.post(posted);
    const feeAt = (gwei: bigint, tree: TreeName = "tokens") => feeOf(id, tree, gwei * 10n ** 9n);
    const longestGas = 2n * (110_000n + 45n * 8n * 4_097n);
    expect(await Promise.all([0n, 3n, 4n, 49n, 500n].map((gwei) => feeAt(gwei)))).toEqual([
      ...[FEE, FEE, 4n * longestGas * 10n ** 9n],
      ...[49n * longestGas * 10n ** 9n, 60n * FEE],
    ]);
    // A column has two bytes a row, and two of the logit's.
    const columnGas = 2n * (110_000n + 45n * 2n * BigInt(made.rows.length + 1));
    expect(await feeAt(4n, "columns")).toBe(4n * columnGas * 10n ** 9n);
    const baseFeePerGas = 700n * 10n ** 9n;
    await f.client.setNextBlockBaseFeePerGas({ baseFeePerGas });
    await f.client.mine({ blocks: 1 });
    expect(await f.refused(f.watcher, "challengeAvailability", [id, tokens, 3n], FEE)).toBe(
      "DisputesFeeWrong",
    );
    const data = directChallengeData(id, posted, made.rows, { kind: "tokens", row: 1 });
    await f.client.setNextBlockBaseFeePerGas({ baseFeePerGas });
    const call = { account: f.watcher, to: f.disputes.address, data, gas: 5_000_000n };
    const hash = await f.client.sendTransaction({ ...call, maxFeePerGas: 2n * baseFeePerGas });
    await f.client.waitForTransactionReceipt({ hash });
    const earned = await owed(f.watcher);
    // Half of the bond pays no such gas.
    expect(earned).toBeGreaterThan(BOND_WEI / 2n);
    expect(earned).toBeLessThanOrEqual((3n * BOND_WEI) / 4n);
    // A snapshot does not take it back.
    await f.client.setNextBlockBaseFeePerGas({ baseFeePerGas: 10n ** 9n });
  });
});

test("all places are looked at before a model is trained again, and a repeated look trains one", async () => {
  for (let i = 0; i < 2; i++) await f.post(made.honest);
  const done: string[] = [];
  const filesOf = async ({ id }: { id: bigint }) => {
    done.push(`places ${id}`);
    const train = async () => {
      done.push(`training ${id}`);
      return { mismatch: id === 2n ? "it is not" : null, verdict: null };
    };
    return { ...unpublished(), train };
  };
  const watch = await watchOf(f, f.watcherOf(f.watcher), filesOf, f.client as never, 60_000);
  const look = () => watch.look();
  const rightOf = ({ views }: Awaited<ReturnType<typeof look>>) =>
    views.map(({ isRecomputed }) => isRecomputed);
  const first = await look();
  expect(done).toEqual(["places 1", "places 2", "places 1", "training 1"]);
  expect([first.isWaiting, rightOf(first)]).toEqual([true, [true, false]]);
  const second = await look();
  expect(done.slice(4)).toEqual(["places 2", "places 2", "training 2"]);
  expect([second.isWaiting, rightOf(second)]).toEqual([false, [true, false]]);
  expect(second.views[1]).toMatchObject({ sent: null, examined: { fault: null, warnings: ["it is not"] } });
});

test("a model commitment has at most as many rows as a transaction can be shown of", async () => {
  const refused = async (rowCount: number) => {
    const { statement } = made.honest;
    const binding = statement.binding + (BigInt(rowCount - statement.rowCount) << 56n);
    const args = await f.postArguments({ ...made.honest, statement: { ...statement, rowCount, binding } });
    return f.refused(f.owner, "commitModel", args, BOND_WEI);
  };
  expect(await refused(MOST_CHALLENGED_ROWS)).toBe("DisputesConstantsMissing");
  expect(await refused(MOST_CHALLENGED_ROWS + 1)).toBe("DisputesStatementInvalid");
});

/** As leafTree makes it, but for what lies behind the last leaf. */
function paddedTree(leaves: readonly Uint8Array[]): LeafTree {
  return treeOver(Array.from({ length: 32 }, (_, i) => (i < leaves.length ? leafHash(leaves[i]!) : JUNK)));
}

if (isWhole) {
  test("a row that is no e-mail is read by its places: lies about it are refuted, and others are looked at", async () => {
    // One byte of the row's frame, which no place is read from: its label and words are the same.
    const content = made.rows[5]!.content.slice();
    content[0] = "[".charCodeAt(0);
    const rows = made.rows.with(5, { ...made.rows[5]!, content });
    const recipe = { ...made.model.recipe, datanet: datanetOf(rows) };
    const model = registeredDirect({ ...made.model, rows, recipe, accuracy: null });
    const contents = rows.map((row) => row.content);
    const verified = verifyModel({
      model,
      facts: { staticsHash: model.staticsHash, rowsRoot: BigInt(recipe.datanet.rowsRoot) },
      depth: "train",
    });
    const mismatch = await verified.catch((error: Error) => error.message);
    expect(mismatch).toContain("not a row of kind email");
    const byPlaces = directModelCommitment(model, contents, 20);
    const { features } = byPlaces.leaves;
    const ofLie = { ...made, contents, rows, model, honest: directModelCommitment(model, contents, 21) };
    const lying = lie(ofLie, { features: features.with(5, features[6]!) as Uint8Array[] });
    const files = new Map<number, PublishedFiles>([
      [20, { model, rows, leaves: encodeLeaves(byPlaces.leaves), mismatch: mismatch as string }],
      [21, { ...lying.files, mismatch: mismatch as string }],
      [11, unpublished()],
    ]);
    for (const one of [byPlaces, lying.posted, made.honest]) await f.post(one);
    const watched = await watchAll(f, f.watcherOf(f.watcher), async ({ modelId }) => files.get(modelId)!);
    expect(watched.map(({ failure, isRecomputed, sent }) => [sent?.what, isRecomputed, failure])).toEqual([
      [undefined, false, null],
      ["challenge", false, null],
      [undefined, true, null],
    ]);
    expect(watched[0]!.examined).toEqual({ ...NOTHING_WRONG, warnings: [mismatch] });
  });

  test("four leaves of a model that nobody serves are paid for, all where all may be; once they are shown, they are compared", async () => {
    const look = (watcher: Watcher) => watchAll(f, watcher, async () => null);
    const { posted } = falseTokens(made);
    const id = await f.post(posted);
    const shown = new Set<string>();
    const answerAll = async () => {
      const left = (await f.asked()).filter((place) => !shown.has(place.join("/")));
      for (const place of left) shown.add(place.join("/"));
      for (let from = 0; from < left.length; from += 40)
        await f.show(id, posted, left.slice(from, from + 40), made.rows);
    };
    await look({ ...f.watcherOf(f.watcher), mostAvailabilityChallengesWei: 0n });
    await answerAll();
    await f.passTime(4n * DAY + 1n);
    const paying = f.watcherOf(f.watcher);
    for (const what of [...Array(4).fill("challengeAvailability"), undefined]) {
      expect((await look(paying))[0]!.sent?.what).toBe(what);
      if (what !== undefined) await answerAll();
    }
    expect((await look(rich()))[0]!.sent?.what).toBe("challengeAvailability");
    for (const tree of TREES)
      for (const index of posted.leaves[tree].keys())
        if (!shown.has(`${tree}/${index}`)) await f.ask(id, tree, BigInt(index)).catch(() => {});
    await answerAll();
    expect((await look(paying))[0]).toMatchObject({ sent: { what: "challenge" }, isUnserved: true });
  });
}
