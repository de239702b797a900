/** Gas of batches in blobs beside that of batches in calldata, how long a blob takes to make, and where the prices are equal. */
import { blobWithProof, cellProofsOf } from "@openledger/circuits/blob/blob-sidecar";
import { commitBlob, openBlob, preloadKzg } from "@openledger/circuits/blob/kzg";
import { CALLDATA_GAS, crossover } from "@openledger/contracts/l1/data-cost";
import { type BlobGas, measureBlobGas } from "@openledger/contracts/testing/measure-blob-gas";
import { measureTableGas } from "@openledger/contracts/testing/measure-table-gas";

/** Coefficients of 2,048 transfers, as large as they can be. */
const ELEMENTS = Array.from({ length: 1_024 }, (_, i) => (1n << 184n) - 1n - BigInt(i));

export async function benchBlobs() {
  const milliseconds = await benchKzg();
  console.log(`making a blob of 2,048 transfers, in ms: ${JSON.stringify(milliseconds)}`);
  const [calldata, blobs] = [await measureTableGas(), await measureBlobGas()];
  console.log(`in calldata, ${calldata.operationsPerBatch} transfers: ${calldata.transfer} gas each`);
  const said = ([name, gas]: [string, BlobGas]) =>
    console.log(`${name}: ${gas.operations} operations, ${gas.executionGas} gas, ${gas.blobGas} blob gas`);
  Object.entries(blobs).forEach(said);
  return {
    gasPerOperation: {
      calldata: calldata.transfer,
      ...Object.fromEntries(Object.entries(blobs).map(([name, gas]) => [name, gas.executionGasPerOperation])),
    },
    blobGas: Object.fromEntries(Object.entries(blobs).map(([name, { blobGas }]) => [name, blobGas])),
    crossoverOperations: benchCrossover(),
    milliseconds,
  };
}

/** By the price of blob gas, in thousandths of that of gas: 62.5 is the floor of EIP-7918. */
function benchCrossover() {
  const perMille = [62, 1_000, 5_000];
  return perMille.map((blobGasPricePerMille) => {
    const prices = { gasPriceWei: 1_000n, blobGasPriceWei: BigInt(blobGasPricePerMille) };
    const kinds = Object.keys(CALLDATA_GAS) as (keyof typeof CALLDATA_GAS)[];
    return {
      blobGasPricePerMille,
      ...Object.fromEntries(kinds.map((kind) => [kind, crossover(kind, prices)])),
    };
  });
}

async function benchKzg() {
  const timed = async (work: () => Promise<unknown>) => {
    const startedAtMs = performance.now();
    await work();
    return Math.round(performance.now() - startedAtMs);
  };
  return {
    load: await timed(preloadKzg),
    commit: await timed(() => commitBlob(ELEMENTS)),
    open: await timed(() => openBlob(ELEMENTS, 123_456_789n)),
    cells: await timed(async () => cellProofsOf((await blobWithProof(ELEMENTS)).blob)),
  };
}
