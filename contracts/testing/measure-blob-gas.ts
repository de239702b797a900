/** Gas of batches whose narrow slots stand in blobs, as receipts on a local node state it. Blob gas is told apart: it has a price of its own. */
import type { SlotRecord } from "@openledger/circuits/batch/batch-data";
import { type BatchShape, KIND } from "@openledger/circuits/protocol";
import { postedShape } from "@openledger/circuits/table/table-shape";
import { shapeOf } from "@openledger/circuits/testing/sample-shape";
import { startAnvil } from "../l1/anvil.ts";
import { type ClosedBlobBatch, closeWithBlob, submitWithBlobs, warmUpKzg } from "./blob-batches.ts";
import { connect, deployFixture, randomElement, slot } from "./rollup-fixture.ts";

const TABLE = { rows: 4_096, units: 16, low: 3, top: 3, isBlob: true };
const SHAPES = {
  small: shapeOf(6, 3),
  transfers: postedShape({ ...TABLE, transfers: 2_048, members: 2, wide: 16 }),
  manyTransfers: postedShape({ ...TABLE, transfers: 4_092, members: 2, wide: 1 }),
  payments: postedShape({ ...TABLE, transfers: 2, members: 2_046, wide: 16 }),
} satisfies Record<string, BatchShape>;

interface BlobGas {
  readonly operations: number;
  /** Execution gas of the whole transaction, with its proof. */
  readonly executionGas: number;
  readonly executionGasPerOperation: number;
  readonly blobGas: number;
}

interface BlobGasFigures {
  /** 2,048 transfers, one blob. */
  readonly blob2048: BlobGas;
  /** Gas of two batches of 4,092, with two blobs, in one transaction. */
  readonly blob8192: BlobGas;
  /** 2,046, one blob. */
  readonly payments: BlobGas;
}

/** Starts a node of its own, and ends it. */
export async function measureBlobGas(): Promise<BlobGasFigures> {
  const anvil = await startAnvil();
  try {
    const f = await deployFixture(await connect(anvil), {}, Object.values(SHAPES));
    const random = (count: number) => Number(randomElement() % BigInt(count));
    const record = (kind: number): SlotRecord => {
      const words = kind === KIND.transfer ? [] : [randomElement() >> 8n];
      const ids = { a: random(2 ** 18), b: random(kind === KIND.transfer ? 2 ** 18 : 16) };
      return slot(kind, words, { ...ids, amountCode: BigInt(random(2 ** 40)) });
    };
    const NULL = slot(KIND.null);
    const measure = async (shape: BatchShape, kind: number, batchCount: number): Promise<BlobGas> => {
      const { members } = shape.table!;
      const isMember = kind !== KIND.transfer;
      const before = isMember ? Array<SlotRecord>(shape.narrow - members).fill(NULL) : [];
      const count = isMember ? members : shape.narrow - members;
      const closed: ClosedBlobBatch[] = [];
      for (let i = 0; i < batchCount; i++) {
        const after = closed.at(-1)?.content;
        const narrow = [...before, ...Array.from({ length: count }, () => record(kind))];
        const content = { shape, narrow, signedCount: count, ...(after === undefined ? {} : { after }) };
        closed.push(await closeWithBlob(f, await f.draft(content)));
      }
      const { blobGasUsed, receipt } = await submitWithBlobs(f, closed);
      const operations = count * batchCount;
      const executionGas = Number(receipt.gasUsed);
      const executionGasPerOperation = Math.round(executionGas / operations);
      return { operations, executionGas, executionGasPerOperation, blobGas: Number(blobGasUsed) };
    };
    await warmUpKzg(f);
    // The first batch pays for words of storage that were never written.
    await f.post({ shape: SHAPES.small });
    return {
      blob2048: await measure(SHAPES.transfers, KIND.transfer, 1),
      blob8192: await measure(SHAPES.manyTransfers, KIND.transfer, 2),
      payments: await measure(SHAPES.payments, KIND.payInference, 1),
    };
  } finally {
    await anvil.stop();
  }
}
