/**
 * Fixture of the contracts' tests and gas measurements: a node, a deployment, and batches with forged proofs.
 */
import { setTimeout } from "node:timers/promises";
import {
  type BatchData,
  batchElements,
  encodeWire,
  type L1Header,
  type SlotRecord,
} from "@openledger/circuits/batch/batch-data";
import { challenge, evaluate } from "@openledger/circuits/field/element-vector";
import { type ContractEntry, toContractEntry } from "@openledger/circuits/ledger/operation";
import { type BatchShape, FIELD_ORDER, KIND, shapeName } from "@openledger/circuits/protocol";
import { batchSizes, type CircuitSizes } from "@openledger/circuits/registry/circuit-sizes";
import {
  encodeEntries,
  entryElements,
  type SettlementData,
} from "@openledger/circuits/settlement/settlement-data";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import type { ContractProof } from "@openledger/circuits/wire/groth16-proof";
import { isRollupError } from "@openledger/foundation/rollup-error";
import {
  type Address,
  BaseError,
  bytesToHex,
  type Chain,
  ContractFunctionRevertedError,
  type CustomTransport,
  createPublicClient,
  createTestClient,
  createWalletClient,
  custom,
  getContract,
  type Hex,
  numberToHex,
  type PublicActions,
  parseEther,
  publicActions,
  stringify,
  type TestClient,
  type TransactionReceipt,
  TransactionReceiptNotFoundError,
  type WaitForTransactionReceiptParameters,
  type WalletActions,
  walletActions,
} from "viem";
import { foundry } from "viem/chains";
import { type DeployOptions, deployRollup } from "../build/deploy.ts";
import { openTokenAbi, rollupAbi } from "../build/rollup-abi.ts";
import type { CircuitConfig } from "../build/verifying-key.ts";
import { type Anvil, startAnvil } from "../l1/anvil.ts";
import { MAX_TRANSACTION_GAS } from "../l1/fee-policy.ts";
import { askNode } from "./ask-node.ts";
import { type Chain as SpareChain, spareChain } from "./spare-chains.ts";
import { type SharedSecrets, type SimulatedCircuit, simulateCircuit } from "./test-prover.ts";

export const OPEN = parseEther("1");
/** Maximum fee for calls that do not test the fee: no fee is above it. */
export const ANY_FEE = 2n ** 96n - 1n;
/**
 * Shapes: a small one with two words of room everywhere, a second one, and one for queue entries with the
 * smallest table.
 */
export const SHAPES = [shapeOf(6, 3), shapeOf(4, 10), shapeOf(2, 9)] as const;

type Client = TestClient<"anvil", CustomTransport, Chain> &
  PublicActions<CustomTransport, Chain> &
  WalletActions<Chain, undefined>;

export const ROLES = ["holder", "sequencer", "treasury", "operator", "alice", "bob", "stranger"] as const;
export type Role = (typeof ROLES)[number];

export interface ClosedBatch {
  readonly batch: { circuit: number; commitment: bigint; data: Hex };
  readonly proof: ContractProof;
  readonly content: BatchData;
  /** Entries for its Settle and Activation records, in their order. */
  readonly settlements?: readonly ProvenSettlementFixture[];
}

export interface ProvenSettlementFixture {
  readonly settlement: { circuit: number; commitment: bigint; data: Hex };
  readonly proof: ContractProof;
  /** True if the record takes a pre-verified settlement. */
  readonly isPreVerified?: boolean;
}

export type Fixture = Awaited<ReturnType<typeof deployFixture>>;

/** Methods after which a transaction of before may have another receipt, or none. */
const CHANGES_HISTORY = new Set(["evm_revert", "anvil_reorg", "anvil_reset", "anvil_rollback"]);

/** Requests for a pool's size until its transactions stay there on purpose. */
const POOL_REQUESTS = 1_000;
/**
 * Waits until the pool has dropped what is mined. anvil answers a transaction a moment before that: a revert in between would have it
 * mined once more, or the next transaction of its sender dropped for it.
 */
async function emptyPool(url: string): Promise<void> {
  for (let i = 0; i < POOL_REQUESTS; i++) {
    const { pending } = (await askNode(url, "txpool_status", [])) as { readonly pending: Hex };
    if (pending === "0x0" || !(await askNode(url, "anvil_getAutomine", []))) return;
  }
}

/**
 * Client of a node that mines each transaction. A write returns once its block is there.
 * @param methods gets those that the node is asked by
 */
export async function connect(
  anvil: Pick<Anvil, "url">,
  chainId: number = foundry.id,
  methods = new Set<string>(),
): Promise<Client> {
  const chain = { ...foundry, id: chainId as typeof foundry.id };
  /** Receipts that came with the answer to a transaction, until they are asked for. */
  const receipts = new Map<Hex, { readonly status: Hex }>();
  const transport = custom({
    async request({ method, params }) {
      methods.add(method);
      // viem asks for it before each transaction.
      if (method === "eth_chainId") return numberToHex(chainId);
      if (method === "eth_sendTransaction") {
        const [transaction] = params as [object];
        // To the plain call anvil answers before the block is there; tests read the effect in their next line. Without a limit
        // of gas it searches for the least one: it would check a proof ten times.
        const receipt = (await askNode(anvil.url, "eth_sendTransactionSync", [
          { gas: numberToHex(MAX_TRANSACTION_GAS), ...transaction },
        ])) as { readonly status: Hex; readonly transactionHash: Hex };
        const { status, transactionHash } = receipt;
        if (status !== "0x1") throw new BaseError(`transaction ${transactionHash} reverted`);
        receipts.set(transactionHash, receipt);
        return transactionHash;
      }
      if (method === "eth_getTransactionReceipt") {
        const [hash] = params as [Hex];
        const receipt = receipts.get(hash);
        receipts.delete(hash);
        if (receipt !== undefined) return receipt;
      }
      if (CHANGES_HISTORY.has(method)) receipts.clear();
      if (method === "evm_revert") await emptyPool(anvil.url);
      return askNode(anvil.url, method, params);
    },
  });
  // `evm_revert` takes the chain back, and viem would go on with the block number of before for its polling interval.
  return createTestClient({ chain, mode: "anvil", transport, pollingInterval: 10, cacheTime: 0 })
    .extend(publicActions)
    .extend(walletActions)
    .extend((client) => ({ waitForTransactionReceipt: receiptOf.bind(null, client) }));
}

const RECEIPT_TIMEOUT_MS = 60_000;

/**
 * Polls for the receipt. viem itself polls once a block, perhaps before anvil has the block's receipts, and then
 * waits for another block. Where each transaction makes one, none comes.
 */
async function receiptOf(
  client: PublicActions & { readonly pollingInterval: number },
  { hash }: WaitForTransactionReceiptParameters,
): Promise<TransactionReceipt> {
  const until = Date.now() + RECEIPT_TIMEOUT_MS;
  for (;;) {
    try {
      return await client.getTransactionReceipt({ hash });
    } catch (error) {
      if (!(error instanceof TransactionReceiptNotFoundError) || Date.now() > until) throw error;
    }
    await setTimeout(client.pollingInterval);
  }
}

const fixtureCircuits = new Map<string, SimulatedCircuit>();

/** The circuit of these sizes at this place of a fixture: all fixtures of a process share its key, a second of work for ten. */
function fixtureCircuit(sizes: CircuitSizes, position: number): SimulatedCircuit {
  const { size0, size1, sort, tableSizes = 0n } = sizes;
  const name = [position, sort, size0, size1, tableSizes].join();
  const circuit = fixtureCircuits.get(name) ?? simulateCircuit(sizes);
  fixtureCircuits.set(name, circuit);
  return circuit;
}

/** Starts a node and deploys on it; `stop` ends both. */
export async function startFixture(
  overrides: Partial<DeployOptions> = {},
  settlementSizes: readonly CircuitSizes[] = [],
) {
  const { deployed, stop } = await startDeployed(overrides, SHAPES, settlementSizes);
  return { ...deployed, stop };
}

/** Parameters of `deployFixture` after the client. */
type DeploymentParameters = Parameters<typeof deployFixture> extends [unknown, ...infer Rest] ? Rest : never;

/** A node with what `deployFixture` deploys of the same parameters: a new one, or one that an earlier test has ended with. */
export function startDeployed(...deployment: DeploymentParameters): Promise<SpareChain<Fixture>> {
  return spareChain(stringify(deployment), async () => {
    const { stop, url } = await startAnvil();
    const methods = new Set<string>();
    const client = await connect({ url }, foundry.id, methods);
    const deployed = await deployFixture(client, ...deployment);
    return { url, stop, methods, deployed, request: (call) => client.request(call as never) };
  });
}

export async function deployFixture(
  client: Client,
  overrides: Partial<DeployOptions> = {},
  shapes: readonly BatchShape[] = SHAPES,
  /** Further circuits, after those of the shapes. */
  settlementSizes: readonly CircuitSizes[] = [],
  /** Circuits with keys of a setup, after all others, and the secrets that they share. */
  real?: { readonly configs: readonly CircuitConfig[]; readonly shared: SharedSecrets },
) {
  const addresses = await client.getAddresses();
  const roles = Object.fromEntries(ROLES.map((role, i) => [role, addresses[i]!])) as Record<Role, Address>;
  const circuits = [...shapes.map(batchSizes), ...settlementSizes].map((sizes, position) =>
    real === undefined ? fixtureCircuit(sizes, position) : simulateCircuit(sizes, { shared: real.shared }),
  );
  const deployment = await deployRollup({
    walletClient: createWalletClient({
      account: roles.holder,
      chain: client.chain,
      transport: custom(client),
    }),
    publicClient: createPublicClient({ chain: client.chain, transport: custom(client), pollingInterval: 10 }),
    sequencer: roles.sequencer,
    genesisRoot: 123n,
    treasuryOwner: roles.treasury,
    operatorOwner: roles.operator,
    operatorKeyX: 456n,
    circuits: [...circuits, ...(real?.configs ?? [])],
    ...overrides,
  });
  const rollup = getContract({ address: deployment.rollup, abi: rollupAbi, client });
  const token = getContract({ address: deployment.token, abi: openTokenAbi, client });
  const receipt = (hash: Hex) => client.waitForTransactionReceipt({ hash });
  if (overrides.token === undefined) {
    for (const role of ["alice", "bob", "stranger", "operator"] as const) {
      await token.write.transfer([roles[role], 100_000n * OPEN], { account: roles.holder });
    }
  }
  for (const role of ["alice", "bob", "stranger", "operator"] as const) {
    await token.write.approve([deployment.rollup, 2n ** 256n - 1n], { account: roles[role] });
  }

  return {
    client,
    roles,
    shapes,
    circuits,
    deployment,
    rollup,
    token,

    /** Header that L1 puts into the next batch. */
    async l1Header(): Promise<L1Header> {
      const [state, domain, idFeeWei] = await Promise.all([
        rollup.read.state(),
        rollup.read.domain(),
        rollup.read.idFeeWei(),
      ]);
      return {
        domain,
        oldRoot: state.root,
        batchNumber: BigInt(state.batchNumber) + 1n,
        firstOpIndex: BigInt(state.opIndex),
        oldNextId: state.nextId,
        idFeeWei,
      };
    },

    /** An empty batch on top of the contract's state, or on top of `after`. */
    async draft(overrides: Partial<BatchData> & { after?: BatchData } = {}): Promise<BatchData> {
      const { after, ...content } = overrides;
      const l1 = after === undefined ? await this.l1Header() : headerAfter(after);
      const block = await client.getBlock();
      return {
        ...l1,
        newRoot: randomElement(),
        timestamp: block.timestamp,
        newNextId: l1.oldNextId,
        feeAccountId: 1,
        feePerUnitWei: 7n,
        signedCount: 0,
        shape: shapes[0]!,
        narrow: [],
        wide: [],
        ...content,
      };
    },

    /** Closes a batch for posting, with a proof; `commitment` is any element, since nothing was committed. */
    close(content: BatchData, options: { commitment?: bigint } = {}): ClosedBatch {
      const circuit = shapes.findIndex((shape) => shapeName(shape) === shapeName(content.shape));
      const commitment = options.commitment ?? randomElement();
      const elements = batchElements(content);
      const z = challenge(circuits[circuit]!.circuitId, commitment, elements);
      return {
        batch: { circuit, commitment, data: bytesToHex(encodeWire(content)) },
        proof: circuits[circuit]!.forge([commitment, evaluate(elements, z), z]),
        content,
      };
    },

    /** Proves a settlement of one shard for posting; `commitment` is any element. */
    proveSettlementFixture(
      circuit: number,
      data: SettlementData,
      options: { commitment?: bigint } = {},
    ): ProvenSettlementFixture {
      return this.proveEntries([circuit], data, options)[0]!;
    },

    /** Proves the entries of a settlement for posting, by circuits in their order. */
    proveEntries(
      circuitsOfEntries: readonly number[],
      data: SettlementData,
      options: { commitment?: bigint } = {},
    ): ProvenSettlementFixture[] {
      const wires = encodeEntries(data);
      return entryElements(data).map((elements, i) => {
        const circuit = circuitsOfEntries[i]!;
        const commitment = options.commitment ?? randomElement();
        const z = challenge(circuits[circuit]!.circuitId, commitment, elements);
        return {
          settlement: { circuit, commitment, data: bytesToHex(wires[i]!) },
          proof: circuits[circuit]!.forge([commitment, evaluate(elements, z), z]),
        };
      });
    },

    /** Sends the batches in one transaction. */
    async submit(closed: readonly ClosedBatch[], from: Role = "sequencer"): Promise<TransactionReceipt> {
      return receipt(await rollup.write.submitBatches(submission(closed), { account: roles[from] }));
    },

    /** Simulates the submission: returns if it would be accepted, throws as it would revert. */
    async trySubmit(closed: readonly ClosedBatch[], from: Role = "sequencer"): Promise<void> {
      await rollup.simulate.submitBatches(submission(closed), { account: roles[from] });
    },

    /** Drafts, closes and sends one batch. */
    async post(overrides: Partial<BatchData> = {}, from: Role = "sequencer"): Promise<ClosedBatch> {
      const closed = this.close(await this.draft(overrides));
      await this.submit([closed], from);
      return closed;
    },

    /** Sets the time of the next block, this many seconds after the last one, and mines it. */
    async passTime(seconds: bigint): Promise<void> {
      await client.increaseTime({ seconds: Number(seconds) });
      await client.mine({ blocks: 1 });
    },

    /** Deposits into a new account of the sender. */
    async depositNew(from: Role, amountWei: bigint): Promise<TransactionReceipt> {
      return receipt(
        await rollup.write.depositNew([amountWei, roles[from], 5n, ANY_FEE], { account: roles[from] }),
      );
    },

    /** Funds the ledger with `amountWei`: a deposit, and the batch that executes it. */
    async fund(from: Role, amountWei: bigint): Promise<void> {
      await this.depositNew(from, amountWei);
      const l1 = await this.l1Header();
      await this.post({
        newNextId: l1.oldNextId + 1,
        wide: [depositNewSlot(amountWei, roles[from], 5n, roles[from], { b: l1.oldNextId })],
      });
    },
  };
}

/** The arguments of submitBatches. */
export function submission(closed: readonly ClosedBatch[]) {
  const settlements = closed.flatMap((s) => s.settlements ?? []);
  return [
    closed.map((s) => s.batch),
    settlements.map((s) =>
      s.isPreVerified ? { circuit: 0, commitment: 0n, data: "0x" as const } : s.settlement,
    ),
    [...closed, ...settlements.filter((s) => !s.isPreVerified)].map((s) => s.proof),
  ] as const;
}

/** Header of L1 after a batch, for the next one in the same transaction. */
function headerAfter(batch: BatchData): L1Header {
  return {
    domain: batch.domain,
    oldRoot: batch.newRoot,
    batchNumber: batch.batchNumber + 1n,
    firstOpIndex: batch.firstOpIndex + BigInt(batch.signedCount),
    oldNextId: batch.newNextId,
    idFeeWei: batch.idFeeWei,
  };
}

export function slot(
  kind: number,
  words: readonly bigint[] = [],
  overrides: Partial<SlotRecord> = {},
): SlotRecord {
  return { kind, a: 0, b: 0, amountCode: 0n, isValid: false, words, ...overrides };
}

export function depositNewSlot(
  amountWei: bigint,
  l1Owner: Address,
  keyX: bigint,
  sender: Address,
  overrides: Partial<SlotRecord> = {},
): SlotRecord {
  const words = [amountWei, BigInt(l1Owner), keyX, BigInt(sender)];
  return slot(KIND.depositNew, words, { isValid: true, ...overrides });
}

export function randomElement(): bigint {
  const bytes = crypto.getRandomValues(new Uint8Array(48));
  return BigInt(bytesToHex(bytes)) % FIELD_ORDER;
}

/** The name of the contract's error that a call failed with; other failures are thrown on. */
export async function revertName(call: Promise<unknown>): Promise<string> {
  return (await revertOf(call)).name;
}

/** Follows `revertName`, with the error's operands. */
export async function revertOf(call: Promise<unknown>): Promise<{ name: string; args: readonly unknown[] }> {
  try {
    await call;
  } catch (error) {
    const outer = isRollupError(error, "CON_DEPLOY_FAILED") ? error.cause : error;
    const reverted =
      outer instanceof BaseError && outer.walk((e) => e instanceof ContractFunctionRevertedError);
    if (reverted instanceof ContractFunctionRevertedError) {
      return {
        name: reverted.data?.errorName ?? reverted.signature ?? reverted.shortMessage,
        args: reverted.data?.args ?? [],
      };
    }
    throw error;
  }
  return { name: "accepted", args: [] };
}

/** Argument of `force`; missing fields are 0. */
export const forcedEntry = (kind: number, fields: Partial<Omit<ContractEntry, "kind">> = {}) => ({
  ...toContractEntry({ kind }),
  ...fields,
});
