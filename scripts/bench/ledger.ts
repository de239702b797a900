import { stat } from "node:fs/promises";
import { compileCircuit } from "@openledger/circuits/compiler/compile";
import { templatePath } from "@openledger/circuits/compiler/template-files";
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { shapeName } from "@openledger/circuits/protocol";
import { circuitSpec } from "@openledger/circuits/registry/circuit-registry";
import { parseTableName, postedShape } from "@openledger/circuits/table/table-shape";
import { measureBlobGas } from "@openledger/contracts/testing/measure-blob-gas";
import { measureGas } from "@openledger/contracts/testing/measure-gas";
import { developmentSetup } from "@openledger/prover/keys/development-setup";
import { createSnarkjsProver } from "@openledger/prover/snarkjs/snarkjs-backend";
import { proveFullBatch } from "./ledger-batch.ts";
import { benchTableCounts, benchTableGas } from "./table.ts";

/** 23 bytes hold two narrow records; a payment also posts its receipt. */
const BYTES_PER_TRANSFER = 11.5;
const BYTES_PER_PAYMENT = BYTES_PER_TRANSFER + 32;

const log = (line: string) => console.log(line);

/** Compiles a slot by itself: what one more of it adds, its glue in the batch (a line or two) aside. */
async function slotConstraints(template: string, file: string) {
  const { constraintCounts } = await compileCircuit({
    name: `bench-${file}`,
    mainSource: `pragma circom 2.1.6;\ninclude "${templatePath(file)}";\ncomponent main = ${template};\n`,
  });
  return constraintCounts;
}

export async function benchLedger(options: { shapes: string; acceptance: boolean }) {
  await initPoseidon();
  const constraintsPerSlot = {
    transfer: await slotConstraints("TransferSlot(2)", "transfer-slot"),
    member: await slotConstraints("MemberSlot(2)", "member-slot"),
    wide: await slotConstraints("WideSlot(8, 86400)", "wide-slot"),
  };
  for (const [name, { nonLinear, linear }] of Object.entries(constraintsPerSlot)) {
    log(`${name} slot: ${nonLinear + linear} constraints (${nonLinear} + ${linear} linear)`);
  }

  const batches = [];
  for (const text of options.shapes.split(",")) {
    const table = parseTableName(text);
    if (table === null) throw new Error(`${text} is no batch circuit's name`);
    const shape = postedShape(table);
    const name = shapeName(shape);
    log(`${name}: compiling`);
    const compiled = await compileCircuit(circuitSpec(name));
    log(`${name}: making or loading the development key`);
    const circuit = await developmentSetup(compiled);
    const prover = createSnarkjsProver();
    try {
      const figures = await proveFullBatch(shape, circuit, prover, (line) => log(`${name}: ${line}`));
      const operations = table.transfers + table.wide;
      const row = {
        shape,
        operations,
        ...compiled.constraintCounts,
        wires: compiled.wireCount,
        keyBytes: (await stat(circuit.zkeyPath)).size,
        witnessMs: figures.witnessMs,
        proveMs: figures.proveMs,
        gasTotal: figures.gasTotal,
        gasPerTransfer: Math.round(figures.gasTotal / operations),
        bytesPerTransfer: BYTES_PER_TRANSFER,
        bytesPerPayment: BYTES_PER_PAYMENT,
      };
      batches.push(row);
      log(
        `${name}: ${row.nonLinear + row.linear} constraints, key ${(row.keyBytes / 2 ** 20).toFixed(0)} MiB, ` +
          `witness ${row.witnessMs} ms, proof ${row.proveMs} ms (snarkjs), ${row.gasTotal} gas, ${row.gasPerTransfer} a transfer`,
      );
    } finally {
      await prover.close();
    }
  }

  log("gas: one transaction with four batches of 512 slots (proofs forged with the trapdoor of a test key)");
  const gas = await measureGas();
  const gasPerFurtherProof = Number(gas.furtherProofSameCircuit);
  const extrapolated = {
    operations: 2048,
    batchesPerTransaction: 4,
    // Measured for 4 · 510 transfers, with proofs that a test key's trapdoor forged: circom's compiler ends near 200 slots.
    gasPerTransfer: Number(gas.fourFullBatchesPerTransfer),
    isExtrapolated: true,
  };
  log(
    `gas of a further proof: ${gasPerFurtherProof}; at 2,048 transfers (extrapolated): ${extrapolated.gasPerTransfer} each`,
  );

  let acceptance = {
    acceptedPerSecond: null as number | null,
    acknowledgeMs: null as object | null,
  };
  if (options.acceptance) {
    const { DEFAULT_LOAD, measureLoad } = await import("@openledger/sequencer/testing/load");
    const { acceptedPerSecond, openLoop } = await measureLoad(DEFAULT_LOAD, log);
    acceptance = { acceptedPerSecond, acknowledgeMs: openLoop.acknowledgeMs };
    log(`accepted durably: ${acceptance.acceptedPerSecond} operations a second`);
  }
  const { constraintsPerOperation } = benchTableCounts();
  const gasPerOperation = await tableGas();
  log("proven operations a second: npm run bench -- table --domain 20");
  return {
    ...{ constraintsPerSlot, constraintsPerOperation, batches, gasPerFurtherProof, extrapolated },
    gasPerOperation,
    ...acceptance,
  };
}

/** Of full batches, from receipts: in calldata, and with their slots in blobs, whose blob gas is told apart. */
async function tableGas() {
  const { payment, transfer } = await benchTableGas();
  log("posting batches with blobs to a local node");
  const { blob2048, blob8192, payments } = await measureBlobGas();
  return {
    calldata: transfer,
    blob2048: blob2048.executionGasPerOperation,
    blob8192: blob8192.executionGasPerOperation,
    payments: payments.executionGasPerOperation,
    paymentsInCalldata: payment,
  };
}
