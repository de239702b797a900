/** One full batch of a shape: transfers between random ids, proven and taken by a contract with the real key. */
import { randomBytes } from "node:crypto";
import { encodeWire } from "@openledger/circuits/batch/batch-data";
import { derivePublicKey, signMessage } from "@openledger/circuits/field/curve/eddsa";
import { encodeAmount } from "@openledger/circuits/ledger/amount-float";
import { accountLeaf } from "@openledger/circuits/ledger/leaf";
import { genesisLedger, type Ledger } from "@openledger/circuits/ledger/ledger";
import { leafReference, operationMessage } from "@openledger/circuits/ledger/operation";
import { type BatchShape, KIND, shapeName, TREE_DEPTH } from "@openledger/circuits/protocol";
import { batchSizes } from "@openledger/circuits/registry/circuit-sizes";
import { closedInputs, closedStatement, TableBuilder } from "@openledger/circuits/table/table-builder";
import { windowSize } from "@openledger/circuits/table/table-shape";
import { toContractProof } from "@openledger/circuits/wire/groth16-proof";
import { deployRollup } from "@openledger/contracts/build/deploy";
import { rollupAbi } from "@openledger/contracts/build/rollup-abi";
import { computeCircuitId } from "@openledger/contracts/build/verifying-key";
import { startAnvil } from "@openledger/contracts/l1/anvil";
import { toSolidityKey } from "@openledger/prover/formats/verification-key";
import type { Prover, ProvingCircuit } from "@openledger/prover/proving/prover";
import { bytesToHex, createPublicClient, createWalletClient, http, parseEther } from "viem";
import { foundry } from "viem/chains";

interface ProvenBatchFigures {
  witnessMs: number;
  proveMs: number;
  gasTotal: number;
  wireBytes: number;
}

const SECRETS = [3n, 5n, 7n, 11n];
const ID_FEE_WEI = parseEther("1");

/** Accounts at random ids below a power of 8, so that records have as few zero bytes as in a large ledger. */
function crowdedLedger(operatorOwner: bigint, idLimit: number): { ledger: Ledger; ids: number[] } {
  const keyXs = SECRETS.map((secret) => derivePublicKey(secret).x);
  const ledger = genesisLedger({ treasuryOwner: 1n, operatorOwner, operatorKeyX: keyXs[0]! });
  const ids = SECRETS.map((_, i) => {
    const id = ((randomBytes(3).readUIntBE(0, 3) | 0x010104) & (idLimit - 1) & ~3) | i;
    ledger.put(id, {
      leaf: accountLeaf({ l1Owner: BigInt(0xa0 + i), keyX: keyXs[i]!, balance: parseEther("1000") }),
    });
    return id;
  });
  return { ledger, ids };
}

function fillWithTransfers(
  ledger: Ledger,
  ids: readonly number[],
  builder: TableBuilder,
  domain: bigint,
  count: number,
) {
  for (let i = 0; i < count; i++) {
    const a = ids[i % ids.length]!;
    const b = ids[(i + 1) % ids.length]!;
    const operation = {
      kind: KIND.transfer,
      a,
      b,
      // A random mantissa and a small exponent: five bytes that are rarely zero.
      amountCode: encodeAmount(BigInt(randomBytes(4).readUInt32BE()) * 10n ** 3n),
      words: [],
      nonce: ledger.requireLeaf(a).leaf.nonce,
      maxFeePerUnitWei: 10n ** 15n,
    };
    const message = operationMessage(operation, { domain, bRef: leafReference(ledger.requireLeaf(b).leaf) });
    builder.add({ ...operation, signature: signMessage(SECRETS[ids.indexOf(a)]!, message) });
  }
}

export async function proveFullBatch(
  shape: BatchShape,
  circuit: ProvingCircuit,
  prover: Prover,
  log: (line: string) => void,
): Promise<ProvenBatchFigures> {
  const anvil = await startAnvil();
  try {
    const transport = http(anvil.url);
    const publicClient = createPublicClient({ chain: foundry, transport, pollingInterval: 50 });
    const [account] = (await publicClient.request({ method: "eth_accounts" } as never)) as `0x${string}`[];
    const walletClient = createWalletClient({ account: account!, chain: foundry, transport });
    const { ledger, ids } = crowdedLedger(BigInt(account!), windowSize(shape.table));
    const key = toSolidityKey(circuit.verificationKey);
    const config = { ...batchSizes(shape), isDevelopment: circuit.isDevelopment, key };
    const deployment = await deployRollup({
      walletClient,
      publicClient,
      sequencer: account!,
      genesisRoot: ledger.root,
      treasuryOwner: account!,
      operatorOwner: account!,
      operatorKeyX: 1n,
      circuits: [config],
    });
    const contract = { address: deployment.rollup, abi: rollupAbi } as const;
    const domain = await publicClient.readContract({ ...contract, functionName: "domain" });
    const { timestamp } = await publicClient.getBlock();
    const builder = new TableBuilder(ledger, {
      shape,
      domain,
      oldRoot: ledger.root,
      batchNumber: 1n,
      firstOpIndex: 0n,
      oldNextId: ledger.nextId,
      idFeeWei: ID_FEE_WEI,
      timestamp,
      feeAccountId: 1,
      feePerUnitWei: 10n ** 9n,
    });
    // A table's slots for commits and payments stay empty.
    const transferCount = shape.narrow - shape.table.members + shape.wide;
    fillWithTransfers(ledger, ids, builder, domain, transferCount);
    const closed = builder.close();
    const statement = closedStatement(closed, computeCircuitId(config));
    log("proving");
    const result = await prover.prove(
      { circuit, inputs: closedInputs(closed, statement.z, TREE_DEPTH) },
      { onProgress: ({ stage, elapsedMs }) => log(`${stage} after ${(elapsedMs / 1000).toFixed(1)} s`) },
    );
    const data = encodeWire(closed.batch.data);
    const hash = await walletClient.writeContract({
      ...contract,
      functionName: "submitBatches",
      args: [
        [{ circuit: 0, commitment: statement.commitment, data: bytesToHex(data) }],
        [],
        [toContractProof(result.proof)],
      ],
    });
    const receipt = await publicClient.waitForTransactionReceipt({ hash });
    if (receipt.status !== "success")
      throw new Error(`the contract refused the batch of ${shapeName(shape)}`);
    return {
      witnessMs: Math.round(result.timings.witnessMs),
      proveMs: Math.round(result.timings.proveMs),
      gasTotal: Number(receipt.gasUsed),
      wireBytes: data.length,
    };
  } finally {
    await anvil.stop();
  }
}
