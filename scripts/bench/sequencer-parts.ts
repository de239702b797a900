/**
 * Measures the steps of accepting an operation, one by one on one core, for `npm run bench -- sequencer`; processor time, not
 * wall time.
 */
import { deserialize, serialize } from "node:v8";
import {
  derivePublicKey,
  rememberVerdict,
  signMessage,
  verifySignature,
  verifySignatureReference,
  verifySignatures,
} from "@openledger/circuits/field/curve/eddsa";
import {
  hashTagged,
  hashTaggedMany,
  initPoseidon,
  useNativeField,
} from "@openledger/circuits/field/poseidon";
import { accountLeaf } from "@openledger/circuits/ledger/leaf";
import { Ledger } from "@openledger/circuits/ledger/ledger";
import { leafReference, operationMessage } from "@openledger/circuits/ledger/operation";
import { loadNativeField } from "@openledger/circuits/native/native-field";
import { TREE_DEPTH } from "@openledger/circuits/protocol";
import {
  closedDraftOf,
  closedInputs,
  openClosedDraft,
  TableBuilder,
} from "@openledger/circuits/table/table-builder";
import { PRODUCTION_SHAPE } from "@openledger/circuits/testing/sample-shape";
import { Secret } from "@openledger/foundation/secret";
import { preconfirmationSigner } from "@openledger/sequencer/intake/signature-preconfirmations";
import { preconfirmationSignerOf } from "@openledger/sequencer/intake/signature-tasks";
import { createPreconfirmationSigner } from "@openledger/sequencer/testing/preconfirmation-signer";
import { TEST_DOMAIN, testUser, transfer } from "@openledger/sequencer/testing/test-rollup";
import { buildPoseidon } from "circomlibjs";

const USER_COUNT = 4_096;
const SENDER_COUNT = 48;
const BATCH_COUNT = 16;
const farId = (i: number) => 2 + ((i * 61 + 17) % USER_COUNT);

/** Microseconds of processor time of one of `units`, after a warm-up. */
async function microseconds(units: number, rounds: number, run: () => unknown): Promise<number> {
  for (let i = 0; i < Math.ceil(rounds / 4); i++) await run();
  const before = process.cpuUsage();
  for (let i = 0; i < rounds; i++) await run();
  const { system, user } = process.cpuUsage(before);
  return (user + system) / (rounds * units);
}

export async function benchSequencerParts() {
  await initPoseidon();
  const inputs = Array.from({ length: 8 }, (_, i) => BigInt(i + 2) ** 70n);
  const circomlib = await buildPoseidon();
  const many = Array.from({ length: 64 }, (_, i) => [BigInt(i), inputs] as const);
  const poseidonUs = {
    circomlibjs: await microseconds(1, 2_000, () => circomlib.F.toObject(circomlib(inputs, 1n, 1))),
    alone: await microseconds(1, 4_000, () => hashTagged(1n, inputs)),
    inPairs: await microseconds(64, 100, () => hashTaggedMany(many)),
  };

  const checks = Array.from({ length: SENDER_COUNT }, (_, i) => {
    const [secret, message] = [BigInt(i + 1), BigInt(i) ** 40n];
    return { keyX: derivePublicKey(secret).x, message, signature: signMessage(secret, message) };
  });
  if (!verifySignatures(checks).every(Boolean)) throw new Error("the sample's signatures are not good");
  const signatureUs = {
    noble: await microseconds(SENDER_COUNT, 4, () => checks.map(verifySignatureReference)),
    alone: await microseconds(SENDER_COUNT, 20, () => checks.map(verifySignature)),
    inPairs: await microseconds(SENDER_COUNT, 40, () => verifySignatures(checks)),
  };

  // What the sequencer does, where the addon was built.
  useNativeField(loadNativeField());
  const nativeUs = {
    poseidon: await microseconds(64, 100, () => hashTaggedMany(many)),
    signature: await microseconds(SENDER_COUNT, 40, () => verifySignatures(checks)),
  };

  const identity = {
    chainId: 31337,
    rollupAddress: `0x${"01".repeat(20)}`,
    privateKey: `0x${"02".repeat(32)}`,
  } as const;
  const facts = Array.from({ length: 16 }, (_, opIndex) => ({
    operationHash: `0x${"03".repeat(32)}` as const,
    opIndex,
    deadlineSeconds: 4,
  }));
  const viem = createPreconfirmationSigner(identity, new Secret(identity.privateKey));
  const ours = preconfirmationSignerOf(identity);
  const preconfirmationUs = {
    viem: await microseconds(16, 10, () => Promise.all(facts.map((fact) => viem.sign(fact)))),
    [preconfirmationSigner]: await microseconds(16, 40, () => ours.signAll(facts)),
  };
  return { poseidonUs, signatureUs, nativeUs, preconfirmationUs, batch: await batchParts() };
}

/** Batches of 64 transfers between leaves that lie apart among 4,096, of the production shape. */
async function batchParts() {
  const ledger = new Ledger();
  ledger.put(1, { leaf: accountLeaf({ l1Owner: 1n }) });
  for (let id = 2; id < 2 + USER_COUNT; id++) ledger.put(id, { leaf: accountLeaf({ l1Owner: BigInt(id) }) });
  const members = Array.from({ length: SENDER_COUNT }, (_, i) => ({ ...testUser(i), id: farId(i) }));
  for (const { id, keyX, l1Owner } of members)
    ledger.put(id, { leaf: accountLeaf({ l1Owner, keyX, balance: 10n ** 24n }) });
  const signed = Array.from({ length: BATCH_COUNT }, (_, nonce) =>
    members.map((user, i) => transfer(user, members[(i + 1) % SENDER_COUNT]!, BigInt(nonce))),
  );
  for (const operation of signed.flat()) {
    const { keyX } = ledger.requireLeaf(operation.a).leaf;
    const bRef = leafReference(ledger.requireLeaf(operation.b).leaf);
    const check = { keyX, message: operationMessage(operation, { domain: TEST_DOMAIN, bRef }) };
    // As the sequencer and its threads do: the message is hashed before, the verdict known.
    rememberVerdict({ ...check, signature: operation.signature }, true);
  }
  const spentUs = { execute: 0, close: 0, draft: 0, layOut: 0 };
  const bytes = { draft: 0, inputs: 0 };
  for (const [round, operations] of signed.entries()) {
    const timed = <T>(step: keyof typeof spentUs, run: () => T): T => {
      const before = process.cpuUsage();
      const result = run();
      const { system, user } = process.cpuUsage(before);
      if (round >= BATCH_COUNT / 2) spentUs[step] += (system + user) / ((BATCH_COUNT / 2) * SENDER_COUNT);
      return result;
    };
    const builder = new TableBuilder(ledger, {
      shape: PRODUCTION_SHAPE,
      domain: TEST_DOMAIN,
      oldRoot: ledger.root,
      firstOpIndex: 0n,
      batchNumber: BigInt(round + 1),
      oldNextId: 0,
      timestamp: 1n,
      feeAccountId: 1,
      feePerUnitWei: 1_000n,
      idFeeWei: 0n,
    });
    timed("execute", () => {
      for (const operation of operations) builder.add(operation);
    });
    const closed = timed("close", () => builder.close());
    const draft = timed("draft", () => serialize(closedDraftOf(closed)));
    const inputs = timed("layOut", () => closedInputs(openClosedDraft(deserialize(draft)), 5n, TREE_DEPTH));
    bytes.draft = draft.length / SENDER_COUNT;
    bytes.inputs = serialize(inputs).length / SENDER_COUNT;
  }
  return {
    /** Messages and signatures being known; no node of the tree is hashed. */
    executeUs: spentUs.execute,
    /** The new root, each node once. */
    closeUs: spentUs.close,
    draftUs: spentUs.draft,
    /** Time to lay out a batch for a prover: all paths hashed, all inputs laid out. */
    layOutUs: spentUs.layOut,
    draftBytes: bytes.draft,
    inputsBytes: bytes.inputs,
  };
}
