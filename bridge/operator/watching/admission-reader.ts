/**
 * Which Activations the rollup's gate admits (docs/explanation/disputes.md). L1 would refuse a batch with another one, and with it all
 * later batches; so the sequencer hears of every admission that is deep enough.
 */
import { type Address, parseAbiItem, zeroAddress } from "viem";
import { readInChunks } from "../../l1/block-chunks.ts";
import { findDeploymentBlock } from "../../l1/deployment-block.ts";
import { readGateMembers } from "../../l1/gate-members.ts";
import { type L1Client, l1Call } from "../../l1/l1-client.ts";
import type { RollupContract } from "../../l1/rollup-contract.ts";

/** The Activation of a model with this J. */
export interface Admission {
  readonly modelId: number;
  readonly word: bigint;
}

export interface ReadAdmissions {
  readonly found: readonly Admission[];
  readonly isComplete: boolean;
}

const ADMITTED = parseAbiItem(
  "event Admitted(address indexed rollup, uint256 indexed modelId, uint256 word, uint256 id)",
);

/** Looks at L1 of one call: L1's head is reported in between. */
const MAX_CHUNKS = 100;

export class AdmissionReader {
  readonly #rollup: RollupContract;
  readonly #maxChunkBlocks: number;
  readonly #maxChunks: number;
  readonly #found: Admission[] = [];
  /** Attack: anyone may admit the same again, for the price of an event. */
  readonly #keys = new Set<string>();
  /** The gate, or those that stand behind it. null: not known yet. */
  #members: readonly Address[] | null = null;
  /** null: not known yet. */
  #nextBlock: number | null = null;

  constructor(
    rollup: RollupContract,
    options: { readonly maxChunkBlocks: number; readonly maxChunks?: number },
  ) {
    this.#rollup = rollup;
    this.#maxChunkBlocks = options.maxChunkBlocks;
    this.#maxChunks = options.maxChunks ?? MAX_CHUNKS;
  }

  /**
   * Each once, in L1's order, up to a block, or up to where this call has got: then the list is not complete. null where the
   * rollup has no gate. An admission is never taken back. @throws BRG_L1_*
   */
  async upTo(blockNumber: number): Promise<ReadAdmissions | null> {
    const { client } = this.#rollup;
    const gate = await this.#rollup.activationGate();
    if (gate === zeroAddress) return null;
    if (blockNumber < 0) return { found: this.#found, isComplete: true };
    this.#members ??= await readGateMembers(client, gate);
    const members = this.#members;
    // The gate is older than the rollup, and a model without challenges is admitted for every rollup, later ones too.
    this.#nextBlock ??= await firstBlockOf(client, members, blockNumber);
    const range = {
      ...{ fromBlock: BigInt(this.#nextBlock), toBlock: BigInt(blockNumber) },
      maxChunkBlocks: this.#maxChunkBlocks,
    };
    let chunks = 0;
    for await (const { toBlock, answer } of readInChunks(range, (...blocks) =>
      this.#read(members, ...blocks),
    )) {
      for (const { args } of answer) this.#keep({ modelId: Number(args.modelId), word: args.word });
      this.#nextBlock = Number(toBlock) + 1;
      if (++chunks === this.#maxChunks) break;
    }
    return { found: this.#found, isComplete: this.#nextBlock > blockNumber };
  }

  #read(members: readonly Address[], fromBlock: bigint, toBlock: bigint) {
    const { address, client } = this.#rollup;
    return l1Call(`read what is admitted in blocks ${fromBlock} to ${toBlock}`, () =>
      client.getLogs({
        ...{ address: [...members], event: ADMITTED, args: { rollup: [address, zeroAddress] }, strict: true },
        ...{ fromBlock, toBlock },
      }),
    );
  }

  #keep(admission: Admission): void {
    const key = `${admission.modelId}/${admission.word}`;
    if (this.#keys.has(key)) return;
    this.#keys.add(key);
    this.#found.push(admission);
  }
}

async function firstBlockOf(client: L1Client, members: readonly Address[], upTo: number): Promise<number> {
  const blocks = await Promise.all(
    members.map((address) => findDeploymentBlock({ address, client }, BigInt(upTo))),
  );
  return Math.min(...blocks.map(Number));
}
