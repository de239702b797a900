import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type HistoryFixture, startHistoryFixture } from "@openledger/bridge/testing/history-fixture";
import { behindLimit, forgetsHashes } from "@openledger/bridge/testing/limited-node";
import { leafReference, type SignedOperation } from "@openledger/circuits/ledger/operation";
import { LEAF_KIND } from "@openledger/circuits/protocol";
import { transfer as sendTransfer } from "@openledger/client/actions/ledger/account-operations";
import { keyFromSecret } from "@openledger/client/l2-key";
import { createLedgerClient } from "@openledger/client/ledger-client";
import { twinsOf } from "@openledger/contracts/testing/signature-twins";
import { Secret } from "@openledger/foundation/secret";
import { checkAgainstL1 } from "@openledger/sequencer/full-node/check-preconfirmations";
import { deploymentOn, depositFor, startL1World } from "@openledger/sequencer/testing/l1-world";
import { createPreconfirmationSigner } from "@openledger/sequencer/testing/preconfirmation-signer";
import { close, send } from "@openledger/sequencer/testing/test-operator";
import {
  ONE_OPEN_WEI,
  type TestUser,
  temporaryFolder,
  testUser,
  transfer,
} from "@openledger/sequencer/testing/test-rollup";
import { EXIT_STATUS } from "@openledger/verifier/evidence/check-report";
import { checkPreconfirmations } from "@openledger/verifier/evidence/preconfirmation-check";
import {
  encodeEvidence,
  type PreconfirmationEvidence,
  parseEvidence,
} from "@openledger/verifier/evidence/preconfirmation-evidence";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { storedPreconfirmationPaths, storePreconfirmation } from "../../cli/preconfirmation-store.ts";
import { runInProcess } from "../testing/run-in-process.ts";

// Before workspace.ts is loaded: preconfirmations are stored below it.
const home = vi.hoisted(() => {
  const folder = `${process.env.TMPDIR ?? "/tmp"}/openledger-preconfirmations-${process.pid}`;
  process.env.OPENLEDGER_HOME = folder;
  return folder;
});
/** Private key of anvil's second account, which is the contract's sequencer in l1-world.ts. */
const OPERATOR_L1_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d";
const folder = temporaryFolder();
const [alice, bob] = [testUser(0), testUser(1)];
let f: HistoryFixture;
/** The preconfirmation that the first sequencer gave for alice's third payment, and the one that L1 made true. */
let promised: PreconfirmationEvidence;
let kept: PreconfirmationEvidence;
let unposted: PreconfirmationEvidence;
let bobs: PreconfirmationEvidence;

/**
 * A sequencer that equivocates: it acknowledges alice's payment as operation 2, is stopped, and goes on from a copy of its
 * data directory of before as if it had not, with bob's payment in that place, which it posts.
 */
beforeAll(async () => {
  f = await startHistoryFixture();
  const deployment = await deploymentOn(f);
  const { chainId } = deployment;
  const { roles } = f.l1;
  const owners = { [alice.id]: BigInt(roles.alice), [bob.id]: BigInt(roles.bob) };
  await depositFor(f, { alice: alice.keyX, bob: bob.keyX }, 9n * ONE_OPEN_WEI);
  const honest = join(folder.path, "honest");
  const lying = join(folder.path, "lying");
  let w = await startL1World(f, deployment, honest);
  const pay = async (from: TestUser, to: TestUser, nonce: bigint): Promise<PreconfirmationEvidence> => {
    const l1Owner = owners[to.id]!;
    const fields = { domain: deployment.domain } as Partial<SignedOperation>;
    const operation = transfer(from, { ...to, l1Owner }, nonce, fields);
    const { body, status } = await send(w.rollup, operation);
    expect(status, JSON.stringify(body)).toBe(202);
    const bRef = leafReference({ l1Owner, kind: LEAF_KIND.account });
    const opening = { operation, bRef };
    return { chainId, rollupAddress: f.rollup.address, preconfirmation: body.preconfirmation, opening };
  };
  const post = async () => {
    await close(w.rollup);
    for (let i = 0; i < 3; i++) await w.turn();
  };
  await w.watch();
  kept = await pay(alice, bob, 0n);
  await pay(alice, bob, 1n);
  await post();
  await w.stop();
  cpSync(honest, lying, { recursive: true });
  w = await startL1World(f, deployment, honest);
  await w.watch();
  promised = await pay(alice, bob, 2n);
  await w.stop();
  w = await startL1World(f, deployment, lying);
  await w.watch();
  bobs = await pay(bob, alice, 0n);
  await post();
  expect((await f.rollup.state()).opIndex).toBe(3);
  unposted = await pay(bob, alice, 1n);
  await w.stop();
});
afterAll(async () => {
  await f.stop();
  folder.remove();
});

const fileOf = (evidence: PreconfirmationEvidence, name: string): string => {
  const path = join(folder.path, `${name}.json`);
  writeFileSync(path, encodeEvidence(evidence));
  return path;
};
const check = async (...evidences: PreconfirmationEvidence[]) =>
  checkAgainstL1({ rpcUrl: f.rpcUrl, rollupAddress: f.rollup.address, evidences, feedUrls: [] });
const verdictOf = async (...evidences: PreconfirmationEvidence[]) =>
  (await check(...evidences)).checked[0]!.verdict;

describe("openledger verify preconfirmations", () => {
  it("finds a kept promise consistent, with the batch that keeps it", async () => {
    expect(await verdictOf(kept)).toMatchObject({
      verdict: "consistent",
      posted: { opIndex: 0, kind: "transfer", a: alice.id, b: bob.id, nonce: 0, batchNumber: 1 },
    });
  });

  it("needs no node that finds old transactions by their hash", async () => {
    const { result } = await behindLimit(f.rpcUrl, forgetsHashes, (rpcUrl) =>
      checkAgainstL1({ rpcUrl, rollupAddress: f.rollup.address, evidences: [kept], feedUrls: [] }),
    );
    const verdict = await verdictOf(kept);
    const transactionFrom = f.l1.roles.sequencer.toLowerCase();
    expect(verdict).toMatchObject({ verdict: "consistent", posted: { transactionFrom } });
    expect(result.checked[0]!.verdict).toEqual(verdict);
  });

  it("shows the preconfirmation and the operation that L1 has in its place", async () => {
    const verdict = await verdictOf(promised);
    expect(promised.preconfirmation.opIndex).toBe(2);
    expect(verdict).toMatchObject({
      verdict: "broken",
      reason: "other-operation",
      posted: { opIndex: 2, a: bob.id, b: alice.id, nonce: 0, batchNumber: 3 },
      elsewhere: null,
    });
  });

  it("does not call an operation contradicted that L1 has not reached, until its deadline has passed", async () => {
    expect(await verdictOf(unposted)).toMatchObject({ verdict: "not-posted" });
    const snapshot = await f.l1.client.snapshot();
    await f.l1.client.increaseTime({ seconds: 86_400 + 3_600 });
    await f.l1.client.mine({ blocks: 1 });
    expect(await verdictOf(unposted)).toMatchObject({ verdict: "broken", reason: "overdue" });
    await f.l1.client.revert({ id: snapshot });
  });

  it("takes two preconfirmations for one place as an equivocation before L1 has anything", async () => {
    const atGenesis = { toBlock: f.l1.deployment.blockNumber };
    const { checked } = await checkPreconfirmations(
      f.rollup,
      [promised, { ...bobs, opening: null }],
      atGenesis,
    );
    expect(checked[0]!.verdict).toMatchObject({
      verdict: "broken",
      reason: "two-preconfirmations",
      other: { preconfirmation: { opIndex: 2 } },
    });
  });

  it("tells an operation that was moved from one that was left out, and one that came too late", async () => {
    // The operator's key is at hand here: whatever it signs counts.
    const key = new Secret<`0x${string}`>(OPERATOR_L1_KEY);
    const signer = createPreconfirmationSigner(
      { chainId: kept.chainId, rollupAddress: kept.rollupAddress },
      key,
    );
    const { signature: _signature, ...facts } = kept.preconfirmation;
    const moved = await signer.sign({ ...facts, opIndex: 2 });
    expect(await verdictOf({ ...kept, preconfirmation: moved })).toMatchObject({
      reason: "other-operation",
      posted: { opIndex: 2, a: bob.id },
      elsewhere: { opIndex: 0, a: alice.id, nonce: 0 },
    });
    const late = await signer.sign({ ...facts, deadlineSeconds: 1 });
    expect(await verdictOf({ ...kept, preconfirmation: late })).toMatchObject({
      verdict: "broken",
      reason: "late",
      posted: { opIndex: 0 },
    });
  });

  it("refuses other bytes of the operator's own signature", async () => {
    for (const twin of Object.values(twinsOf)) {
      const preconfirmation = { ...kept.preconfirmation, signature: twin(kept.preconfirmation.signature) };
      await expect(check({ ...kept, preconfirmation }), String(twin)).rejects.toMatchObject({
        code: "BRG_PRECONFIRMATION_INVALID",
        data: { reason: "not-operators" },
      });
    }
  });

  it("refuses preconfirmations that are not the operator's, of this rollup, or of the operation beside them", async () => {
    const { preconfirmation } = promised;
    const other = { ...promised, opening: kept.opening };
    const moved = { ...promised, preconfirmation: { ...preconfirmation, opIndex: 1 } };
    const elsewhere = { ...promised, chainId: 1 };
    for (const forged of [other, moved, elsewhere])
      await expect(check(forged)).rejects.toMatchObject({
        code: "BRG_PRECONFIRMATION_INVALID",
        data: { reason: "not-operators" },
      });
    await expect(check({ ...promised, opening: null })).rejects.toMatchObject({
      code: "BRG_PRECONFIRMATION_INVALID",
      data: { reason: "unopened" },
    });
    expect(() => parseEvidence("{}", "x")).toThrow(
      expect.objectContaining({
        code: "BRG_PRECONFIRMATION_INVALID",
        data: expect.objectContaining({ reason: "unreadable" }),
      }),
    );
  });

  it("takes what a running sequencer has acknowledged, and what the command line has stored", async () => {
    const w = await startL1World(f, await deploymentOn(f), join(folder.path, "lying"));
    await w.watch();
    const { port } = w.rollup.app.server.address() as AddressInfo;
    const sequencerUrl = `http://127.0.0.1:${port}`;
    const { rpcUrl } = f;
    const rollupAddress = f.rollup.address;
    const secret = `0x${alice.secret.toString(16).padStart(64, "0")}` as const;
    const l2Key = await keyFromSecret(secret);
    const options = {
      rpcUrl,
      rollupAddress,
      sequencerUrl,
      l2Key,
      leafId: alice.id,
      onPreconfirmation: storePreconfirmation,
    };
    const client = await createLedgerClient(options);
    const { preconfirmation } = await sendTransfer(client, { to: bob.id, amountWei: ONE_OPEN_WEI });
    expect(preconfirmation!.opIndex).toBe(unposted.preconfirmation.opIndex + 1);

    const fed = await checkAgainstL1({ rpcUrl, rollupAddress, evidences: [], feedUrls: [sequencerUrl] });
    const seen = new Map(
      fed.checked.map(({ evidence, verdict }) => [evidence.preconfirmation.opIndex, verdict.verdict]),
    );
    expect(seen.get(preconfirmation!.opIndex)).toBe("not-posted");
    expect(
      fed.checked.some(({ evidence }) => evidence.preconfirmation.signature === preconfirmation!.signature),
    ).toBe(true);
    const feedAndFile = { rpcUrl, rollupAddress, feedUrls: [sequencerUrl] };
    expect((await checkAgainstL1({ ...feedAndFile, evidences: [promised] })).outcome).toBe("broken");
    await w.stop();

    const paths = await storedPreconfirmationPaths(rollupAddress);
    expect(paths).toHaveLength(1);
    const evidences = [parseEvidence(readFileSync(paths[0]!, "utf8"), paths[0]!)];
    const stored = await checkAgainstL1({ rpcUrl, rollupAddress, evidences, feedUrls: [] });
    expect(stored.checked).toMatchObject([
      { evidence: { preconfirmation: { ...preconfirmation } }, verdict: { verdict: "not-posted" } },
    ]);
    rmSync(home, { recursive: true });
  });

  it("prints both facts and ends with the status that says what it found", async () => {
    const run = (path: string, ...args: string[]) =>
      runInProcess(
        "verify",
        "preconfirmations",
        path,
        "--rpc",
        f.rpcUrl,
        "--rollup",
        f.rollup.address,
        ...args,
      );
    const { status, stdout } = await run(fileOf(promised, "promised"));
    expect(status).toBe(EXIT_STATUS.broken);
    expect(stdout).toContain("signed fact 1: the preconfirmation promises operation");
    expect(stdout).toContain(promised.preconfirmation.signature);
    expect(stdout).toContain("signed fact 2: batch 3 on L1 has as number 2");
    expect(stdout).toContain("the operator's key");
    const json = await run(fileOf(kept, "kept"), "--json");
    expect(json.status).toBe(EXIT_STATUS.consistent);
    expect(JSON.parse(json.stdout)).toMatchObject({
      outcome: "consistent",
      preconfirmations: [{ verdict: "consistent", preconfirmation: { preconfirmation: { opIndex: 0 } } }],
    });
    expect((await run(fileOf(unposted, "unposted"))).status).toBe(EXIT_STATUS["not-posted"]);
  });
});
