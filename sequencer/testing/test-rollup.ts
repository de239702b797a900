/** Common parts of the tests of this folder and of load.ts: a deployment that no chain knows, funded users, a clock. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { hashCircuit } from "@openledger/circuits/compiler/compile";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { genesisLedger } from "@openledger/circuits/ledger/ledger";
import { leafReference, operationMessage, type SignedOperation } from "@openledger/circuits/ledger/operation";
import { type BatchShape, KIND, kindRule, LEAF_KIND, shapeName } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { batchSizes } from "@openledger/circuits/registry/circuit-sizes";
import type { Deployment } from "@openledger/circuits/registry/deployment";
import { derivePublicKey, signMessage } from "@openledger/circuits/testing/known-signers";
import { hex20, hex32 } from "@openledger/foundation/hex";
import { createLogger } from "@openledger/foundation/logger";
import type { OutsideProver } from "@openledger/prover/process/outside-prover";
import { type Config, loadConfig } from "../config.ts";
import { createSequencerProcess, type SequencerProcess } from "../sequencer-process.ts";

export const OPERATOR_TOKEN = "an operator's token for tests";
/** The first key of every development chain; it holds nothing anywhere else. */
const PRECONFIRMATION_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";
const OPERATOR_SECRET = 7n;
export const TEST_DOMAIN = 123456789n;
/** L1 time of the tests; any will do. */
export const L1_TIMESTAMP = 1_800_000_000;
export const ONE_OPEN_WEI = 10n ** 18n;
/** 1 OPEN as a 40-bit code: 1 · 10^18. */
export const ONE_OPEN_CODE = (18n << 35n) | 1n;

export interface TestUser {
  readonly secret: bigint;
  readonly id: number;
  readonly l1Owner: bigint;
  readonly keyX: bigint;
}

/** Users get the ids from 2 on, by the deposits of `depositsFor`. */
export function testUser(index: number): TestUser {
  const secret = 1_000n + BigInt(index);
  return { secret, id: 2 + index, l1Owner: 0xa000n + BigInt(index), keyX: derivePublicKey(secret).x };
}

/** Rollup to which the directories of the tests' sequencers belong. */
export const TEST_ROLLUP = { chainId: 31337, rollupAddress: hex20(2n) };

/** Small enough that tests fill batches. No circuit is needed for it: nothing is proved here. */
export const TEST_SHAPE = {
  narrow: 6,
  wide: 2,
  table: { members: 2, rows: 8, units: 2, low: 1, top: 1 },
} satisfies BatchShape;

export async function testDeployment(shape: BatchShape = TEST_SHAPE): Promise<Deployment> {
  await initPoseidon();
  const operatorKeyX = derivePublicKey(OPERATOR_SECRET).x;
  const genesis = { treasuryOwner: 0xfeedn, operatorOwner: 0xbeefn, operatorKeyX };
  return {
    ...TEST_ROLLUP,
    rpcUrl: "http://127.0.0.1:8545",
    tokenAddress: hex20(1n),
    deployedAtBlock: 0,
    domain: TEST_DOMAIN,
    genesis: {
      treasuryOwner: hex20(genesis.treasuryOwner),
      operatorOwner: hex20(genesis.operatorOwner),
      operatorKeyX,
      root: genesisLedger(genesis).root,
    },
    idFeeWei: ONE_OPEN_WEI,
    circuits: [
      {
        name: shapeName(shape),
        ...batchSizes(shape),
        circuitId: 99n,
        isDevelopment: true,
        verificationKeyPath: "none",
        zkeyPath: "none",
        wasmPath: "none",
        // A process of its own starts with no other version's circuits.
        contentHash: hashCircuit(circuitSpec(shapeName(shape)).mainSource),
      },
    ],
  };
}

export function testEnvironment(
  dataPath: string,
  overrides: Record<string, string> = {},
): Record<string, string> {
  return {
    SEQUENCER_DEPLOYMENT_PATH: "none",
    SEQUENCER_DATA_PATH: dataPath,
    SEQUENCER_PORT: "0",
    SEQUENCER_OPERATOR_TOKEN: OPERATOR_TOKEN.replaceAll(" ", "-"),
    SEQUENCER_PRECONFIRMATION_PRIVATE_KEY: PRECONFIRMATION_KEY,
    SEQUENCER_FEE_PER_UNIT_WEI: "1000",
    SEQUENCER_RATE_LIMIT_PER_MINUTE: "10000000",
    SEQUENCER_LOG_LEVEL: "silent",
    SEQUENCER_PROVING: "off",
    SEQUENCER_SIGNATURE_THREADS: "0",
    ...overrides,
  };
}

export function temporaryFolder(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "sequencer-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export const operatorHeaders = { authorization: `Bearer ${OPERATOR_TOKEN.replaceAll(" ", "-")}` };

export function depositsFor(userCount: number, amountWei = 1_000n * ONE_OPEN_WEI, firstIndex = 0) {
  return Array.from({ length: userCount }, (_, i) => {
    const user = testUser(firstIndex + i);
    return {
      queueIndex: firstIndex + i,
      kind: KIND.depositNew,
      a: 0,
      b: 0,
      amountWei: amountWei.toString(),
      word1: hex32(user.l1Owner),
      word2: hex32(user.keyX),
      word3: hex32(0n),
      word4: hex32(0n),
      sender: hex20(user.l1Owner),
      l1BlockNumber: 1,
      l1TransactionHash: hex32(1n),
    };
  });
}

/** Signs an operation of a user. @param fields.bOwner, fields.bKind who B is, for kinds that use an existing one */
export function signedBy(
  user: Pick<TestUser, "secret" | "id">,
  fields: Partial<Omit<SignedOperation, "signature" | "a">> & {
    kind: number;
    nonce: bigint;
    bOwner?: bigint;
    bKind?: number;
    domain?: bigint;
  },
): SignedOperation {
  const { bOwner = 0n, bKind = LEAF_KIND.account, domain = TEST_DOMAIN, ...rest } = fields;
  const operation = { b: 0, amountCode: 0n, words: [], maxFeePerUnitWei: 1_000_000n, ...rest, a: user.id };
  const rule = kindRule(operation.kind);
  const bRef = rule?.usesB && !rule.isCreate ? leafReference({ l1Owner: bOwner, kind: bKind }) : 0n;
  return { ...operation, signature: signMessage(user.secret, operationMessage(operation, { domain, bRef })) };
}

export function transfer(
  from: TestUser,
  to: TestUser,
  nonce: bigint,
  fields: Partial<SignedOperation> = {},
): SignedOperation {
  return signedBy(from, {
    kind: KIND.transfer,
    b: to.id,
    bOwner: to.l1Owner,
    amountCode: ONE_OPEN_CODE,
    nonce,
    ...fields,
  });
}

/** Body of POST /v1/operations. */
export function operationJson(operation: SignedOperation) {
  const { signature } = operation;
  return {
    kind: kindRule(operation.kind)?.name ?? "unknown",
    a: operation.a,
    b: operation.b,
    amountCode: operation.amountCode.toString(),
    words: operation.words.map(hex32),
    nonce: Number(operation.nonce),
    maxFeePerUnitWei: operation.maxFeePerUnitWei.toString(),
    signature: { r8x: hex32(signature.r8x), r8y: hex32(signature.r8y), s: hex32(signature.s) },
  };
}

export interface TestRollup extends SequencerProcess {
  readonly config: Config;
  readonly clock: { nowMs: number };
  readonly users: TestUser[];
  readonly fatal: unknown[];
  post(
    url: string,
    payload: object,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: Answer }>;
  get(url: string, headers?: Record<string, string>): Promise<{ status: number; body: Answer }>;
}

/** Any answer of the API; tests read what they expect. */
// biome-ignore lint/suspicious/noExplicitAny: the shape is what the tests check
export type Answer = any;

/** L1's place as the bridge reports it, of an L1 that has the posted batches, and nothing else. */
export function l1PositionOf({ sequencer }: Pick<SequencerProcess, "sequencer">) {
  const { registry } = sequencer.pipeline;
  const { batchNumber, opIndex, queueHead, root } = registry.positionAfter(registry.reached("posted"));
  return { batchNumber, opIndex, queueHead, root: hex32(root) };
}

/** L1's place as the bridge reports it, of an L1 that has no batch yet. */
export const positionOfGenesis = ({ genesis }: Pick<Deployment, "genesis">) => ({
  batchNumber: 0,
  opIndex: 0,
  queueHead: 0,
  root: hex32(genesis.root),
});

/** A sequencer on a data directory, without a port. Fresh ones get an L1 head and funded users in closed batches. */
export async function startTestRollup(options: {
  dataPath: string;
  userCount?: number;
  shape?: BatchShape;
  environment?: Record<string, string>;
  /** Deployment instead of the plain test deployment. */
  deployment?: Deployment;
  isL1HeadKnown?: boolean;
  /** Opens the prover, once the rollup listens; absent: nobody makes proofs. */
  openProver?: () => Promise<OutsideProver>;
}): Promise<TestRollup> {
  const config = loadConfig(testEnvironment(options.dataPath, options.environment));
  const deployment = options.deployment ?? (await testDeployment(options.shape));
  const clock = { nowMs: 1_000_000 };
  const fatal: unknown[] = [];
  const started = await createSequencerProcess(config, deployment, {
    logger: createLogger("test", config.logLevel),
    onFatal: (error) => fatal.push(error),
    clock: () => clock.nowMs,
    openProver: options.openProver ?? null,
  });
  const { app, sequencer } = started;
  const answer = (response: { statusCode: number; body: string }) => ({
    status: response.statusCode,
    body: response.body === "" ? null : (JSON.parse(response.body) as Answer),
  });
  const rollup: TestRollup = {
    ...started,
    config,
    clock,
    fatal,
    users: Array.from({ length: options.userCount ?? 3 }, (_, i) => testUser(i)),
    post: async (url, payload, headers = {}) =>
      answer(await app.inject({ method: "POST", url, payload, headers })),
    get: async (url, headers = {}) => answer(await app.inject({ method: "GET", url, headers })),
  };
  if (options.isL1HeadKnown !== false)
    await rollup.post(
      "/operator/l1-head",
      { blockNumber: 10, timestamp: L1_TIMESTAMP, place: l1PositionOf(started) },
      operatorHeaders,
    );
  if (sequencer.pipeline.queueSeenIndex === 0 && rollup.users.length > 0) {
    await rollup.post(
      "/operator/queue-entries",
      { entries: depositsFor(rollup.users.length) },
      operatorHeaders,
    );
    await rollup.post("/operator/close", {}, operatorHeaders);
  }
  return rollup;
}
