/** Random table batches: the formal sums cancel, and the circuit has the C, y and z of TypeScript, batch after batch. */
import { initPoseidon } from "../../circuits/field/poseidon.ts";
import { closedTableInputs } from "../../circuits/table/table-builder.ts";
import { tableStatement } from "../../circuits/table/table-data.ts";
import { tableTerms, unbalanced } from "../../circuits/table/table-terms.ts";
import { RandomLedger } from "../../circuits/testing/random-ledger.ts";
import { fillTable, SMALL_DEPTH, SMALL_TABLE, smallTableTester } from "../../circuits/testing/table-world.ts";

/** Batches of one ledger before a new one begins. */
const BATCHES_PER_LEDGER = 10;

export async function benchTableEquality(count: number) {
  await initPoseidon();
  const tester = await smallTableTester();
  let operations = 0;
  let world = new RandomLedger(1, SMALL_DEPTH);
  for (let i = 0; i < count; i++) {
    if (i % BATCHES_PER_LEDGER === 0) {
      world = new RandomLedger(1 + i, SMALL_DEPTH);
      console.log(`${i} of ${count} batches, ${operations} operations`);
    }
    const closed = fillTable(world, SMALL_TABLE, world.random.below(14));
    const { data } = closed.batch;
    const left = unbalanced(tableTerms(closed.layout, data.feePerUnitWei));
    const { commitment, y, z } = tableStatement(data, closed.layout, 0n);
    const witness = await tester.calculateWitness(closedTableInputs(closed, z, SMALL_DEPTH));
    const isEqual = witness[1] === commitment && witness[2] === y && witness[3] === z;
    if (left.length > 0 || !isEqual || tester.checkConstraints(witness) !== null)
      throw new Error(`batch ${i}: the template and the model differ`);
    operations += data.signedCount;
  }
  return { batches: count, operations, different: 0 };
}
