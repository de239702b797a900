import type { Command } from "commander";
import { toHex32 } from "../../client/hex.ts";
import { rollupContract } from "../../client/ledger-client.ts";
import { getInfo, getStatus } from "../../client/ledger-reads.ts";
import { formatOpen } from "../../client/open-amount.ts";
import { openReader } from "./context.ts";
import { renderTable } from "./output.ts";
import { onRun, withExample } from "./run-command.ts";

export function addStatusCommand(program: Command): void {
  const command = program
    .command("status")
    .description("where the ledger stands, on L1 and at the sequencer");
  withExample(command, "status", "status --json");
  onRun(command, async ({ options, output }) => {
    const client = await openReader(options);
    const contract = rollupContract(client);
    const [state, ledgerWei, queueTail, isDevelopment] = await Promise.all([
      client.l1.readContract({ ...contract, functionName: "state" }),
      client.l1.readContract({ ...contract, functionName: "ledgerWei" }),
      client.l1.readContract({ ...contract, functionName: "queueTail" }),
      client.l1.readContract({ ...contract, functionName: "isDevelopment" }),
    ]);
    const l1 = {
      chainId: client.chain.id,
      rollupAddress: client.rollupAddress,
      tokenAddress: client.tokenAddress,
      isDevelopment,
      root: toHex32(state.root),
      batchNumber: state.batchNumber,
      opIndex: state.opIndex,
      nextId: state.nextId,
      queueWaiting: Number(queueTail) - state.queueHead,
      ledgerWei,
    };
    const rows = [
      [
        "rollup",
        `${l1.rollupAddress} on chain ${l1.chainId}${isDevelopment ? " (development keys: proofs convince nobody)" : ""}`,
      ],
      ["token", l1.tokenAddress],
      [
        "on L1",
        `batch ${l1.batchNumber}, ${l1.opIndex} operations, ${l1.nextId} leaves, ${formatOpen(ledgerWei)} OPEN`,
      ],
      ["L1 queue", `${l1.queueWaiting} waiting`],
    ];
    if (client.sequencerUrl === null) {
      output.answer(renderTable(rows), { l1, sequencer: null });
      return;
    }
    const [info, status] = await Promise.all([getInfo(client), getStatus(client)]);
    const { head, batches, mempool, estimates } = status;
    rows.push(
      ["sequencer", `${client.sequencerUrl}, ${head.opIndex} operations, ${mempool.pending} pending`],
      ["open batch", `${head.batchNumber} with ${head.operationCount} operations`],
      [
        "batches",
        `sealed ${batches.sealed}, proven ${batches.proven}, posted ${batches.posted}, final ${batches.final}`,
      ],
      [
        "fees",
        `${formatOpen(info.feePerUnitWei)} OPEN a unit (a transfer has ${info.weights.transfer}), ${formatOpen(info.idFeeWei)} OPEN a new id`,
      ],
      [
        "takes about",
        `${seconds(estimates.sealMs)} to seal, ${seconds(estimates.proveMs)} to prove, ${seconds(estimates.postMs)} to post`,
      ],
    );
    const { circuits } = info;
    rows.push(["circuits", circuits.map(({ name }) => name).join(", ")]);
    output.answer(renderTable(rows), {
      l1,
      sequencer: {
        url: client.sequencerUrl,
        head: { ...head, root: toHex32(head.root) },
        batches,
        mempool,
        estimates,
        circuits,
      },
    });
  });
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
