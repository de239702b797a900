/** Gas of full batches, as receipts on a local node state it: calldata and EIP-7623's floor included. */
import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { KIND } from "@openledger/circuits/protocol";
import { postedShape } from "@openledger/circuits/table/table-shape";
import { startAnvil } from "../l1/anvil.ts";
import { type ClosedBatch, connect, deployFixture, randomElement, slot } from "./rollup-fixture.ts";

/** All of a batch's operations are of one section; what the other costs while it is empty is counted, too. */
const COUNT = 1_022;
const TABLE = { wide: 16, rows: 2_048, units: 16, low: 3, top: 3 };
const SHAPES = [
  { ...TABLE, transfers: COUNT, members: 2 },
  { ...TABLE, transfers: 2, members: COUNT },
].map(postedShape);

interface TableGas {
  readonly operationsPerBatch: number;
  /** The whole transaction, with its proof, divided by the operations. */
  readonly transfer: number;
  readonly payment: number;
  /** Two such batches in one transaction. */
  readonly transferOfTwo: number;
}

/** Starts a node of its own, and ends it. */
export async function measureTableGas(): Promise<TableGas> {
  const anvil = await startAnvil();
  try {
    const f = await deployFixture(await connect(anvil), {}, SHAPES);
    const random = (count: number) => Number(randomElement() % BigInt(count));
    const record = (kind: number): SlotRecord => {
      const words = kind === KIND.transfer ? [] : [randomElement()];
      const ids = { a: random(2 ** 18), b: random(kind === KIND.transfer ? 2 ** 18 : 16) };
      return slot(kind, words, { ...ids, amountCode: BigInt(random(2 ** 40)) });
    };
    const content = (kind: number) => ({
      shape: SHAPES[kind === KIND.transfer ? 0 : 1]!,
      narrow: Array.from({ length: COUNT }, () => record(kind)),
      signedCount: COUNT,
    });
    const each = async (kinds: readonly number[]) => {
      const closed: ClosedBatch[] = [];
      for (const kind of kinds) {
        const after = closed.at(-1)?.content;
        closed.push(f.close(await f.draft({ ...content(kind), ...(after === undefined ? {} : { after }) })));
      }
      const { gasUsed } = await f.submit(closed);
      return Math.round(Number(gasUsed) / (kinds.length * COUNT));
    };
    // The first batch pays for words of storage that were never written.
    await each([KIND.transfer]);
    return {
      operationsPerBatch: COUNT,
      transfer: await each([KIND.transfer]),
      payment: await each([KIND.payInference]),
      transferOfTwo: await each([KIND.transfer, KIND.transfer]),
    };
  } finally {
    await anvil.stop();
  }
}
