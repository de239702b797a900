/**
 * Which Geneses the rollup's gate admits (docs/disputes.md). L1 would refuse a batch with another one, and with it all
 * later batches; so the sequencer hears of every admission that is deep enough, again with each head.
 */
import { parseAbiItem, zeroAddress } from "viem";
import { l1Call } from "../l1/l1-client.ts";
import type { RollupContract } from "../l1/rollup-contract.ts";

/** The Genesis of a model with this J. */
export interface Admission {
  readonly modelId: number;
  readonly word: bigint;
}

const ADMITTED = parseAbiItem(
  "event Admitted(address indexed rollup, uint256 indexed modelId, uint256 word, uint256 id)",
);

export class AdmissionReader {
  readonly #rollup: RollupContract;
  readonly #maxChunkBlocks: number;
  readonly #found: Admission[] = [];
  #nextBlock: number;

  constructor(rollup: RollupContract, options: { deployedAtBlock: number; maxChunkBlocks: number }) {
    this.#rollup = rollup;
    this.#maxChunkBlocks = options.maxChunkBlocks;
    this.#nextBlock = options.deployedAtBlock;
  }

  /** All up to a block; null where the rollup has no gate. An admission is never taken back. @throws BRG_L1_* */
  async upTo(blockNumber: number): Promise<readonly Admission[] | null> {
    const { address, client } = this.#rollup;
    const gate = await this.#rollup.genesisGate();
    if (gate === zeroAddress) return null;
    while (this.#nextBlock <= blockNumber) {
      const [fromBlock, toBlock] = [
        this.#nextBlock,
        Math.min(blockNumber, this.#nextBlock + this.#maxChunkBlocks - 1),
      ];
      const logs = await l1Call(`read what is admitted in blocks ${fromBlock} to ${toBlock}`, () =>
        client.getLogs({
          ...{ address: gate, event: ADMITTED, args: { rollup: [address, zeroAddress] }, strict: true },
          ...{ fromBlock: BigInt(fromBlock), toBlock: BigInt(toBlock) },
        }),
      );
      this.#found.push(...logs.map(({ args }) => ({ modelId: Number(args.modelId), word: args.word })));
      this.#nextBlock = toBlock + 1;
    }
    return this.#found;
  }
}
