/**
 * `openledger exit`: takes everything out of a frozen rollup by proofs, from an Ethereum node alone (verifier's `leave`), and
 * prints what was owed and paid, in OPEN.
 */
import { initPoseidon } from "@openledger/circuits/field/poseidon";
import { formatOpen, parseOpen } from "@openledger/client/sequencer/open-amount";
import { hex32 } from "@openledger/foundation/hex";
import { createProver } from "@openledger/prover/backends";
import type { Prover } from "@openledger/prover/proving/prover";
import { describeItem, type ExitItem } from "@openledger/verifier/exits/exit-plan";
import { type LeaveResult, leave } from "@openledger/verifier/exits/leave";
import { localExitProver } from "@openledger/verifier/exits/local-prover";
import { readSnapshot } from "@openledger/verifier/restore/snapshot-file";
import type { Address } from "viem";
import { openBlobs } from "../../cli/blob-providers.ts";
import { commandError } from "../../cli/cli-errors.ts";
import {
  type GlobalOptions,
  parseAddress,
  resolveAccount,
  resolveEndpoints,
  spendingCapOf,
} from "../../cli/context.ts";
import { describeGas } from "../../cli/describe-gas.ts";
import { renderTable } from "../../cli/output.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { requireBackend, requireBackendChoice } from "../../cli/settlement-context.ts";

export interface ExitCommandOptions {
  owner?: string;
  all?: boolean;
  leaf?: number;
  payee?: number;
  min?: string;
  dryRun?: boolean;
  keys: string;
  checkKeys?: boolean;
  fromBlock?: bigint;
  snapshot?: string;
  prover: string;
}

/** @throws CLI_EXIT_UNAVAILABLE, CMD_USAGE, CMD_ACCOUNT_INVALID, and what `leave` throws */
export async function runExit({ options, output }: CommandContext<ExitCommandOptions>): Promise<void> {
  requireBackendChoice(options.prover);
  const { rpcUrl, rollupAddress } = resolveEndpoints(options);
  const owner = selectedOwner(options);
  const minWei = options.min === undefined ? undefined : parseOpen(options.min);
  const account = options.dryRun === true ? null : resolveAccount(options).l1;
  await initPoseidon();
  const snapshot =
    options.snapshot === undefined ? undefined : (await readSnapshot(options.snapshot)).snapshot;
  let prover: Promise<Prover> | null = null;
  const open = () => {
    prover ??= requireBackend(options.prover, output.note).then((backend) => createProver(backend));
    return prover;
  };
  try {
    const result = await leave({
      rpcUrl,
      rollupAddress,
      // Never the deployment record's: it may be another chain's.
      fromBlock: options.fromBlock,
      snapshot,
      account,
      spendingCap: spendingCapOf(options),
      blobs: await openBlobs(options),
      selection: { owner, leafId: options.leaf, payeeIndex: options.payee, minWei },
      prover: localExitProver({ open, keysFolder: options.keys }),
      isKeyCheck: options.checkKeys === true,
      onProgress: (text) => output.progress(text),
    });
    output.answer(describe(result, { owner, rollupAddress, isDryRun: account === null }), {
      rollupAddress,
      owner,
      isDryRun: account === null,
      ...result,
      root: hex32(result.root),
    });
  } finally {
    await (prover as Promise<Prover> | null)?.then((opened) => opened.close());
  }
}

/** null = everybody's. @throws CMD_USAGE, CMD_ACCOUNT_INVALID */
function selectedOwner(options: GlobalOptions & ExitCommandOptions): Address | null {
  if (options.payee !== undefined && options.leaf === undefined)
    throw commandError("CMD_USAGE", "--payee needs the model's id in --leaf");
  if (options.all === true && options.owner !== undefined)
    throw commandError("CMD_USAGE", "--all and --owner exclude each other");
  if (options.all === true) return null;
  return options.owner === undefined ? resolveAccount(options).l1.address : parseAddress(options.owner);
}

interface Leaving {
  readonly owner: Address | null;
  readonly rollupAddress: Address;
  readonly isDryRun: boolean;
}

function describe(result: LeaveResult, { owner, rollupAddress, isDryRun }: Leaving): string[] {
  const { batchNumber, checkedKeys, isFrozen, items, malformedBatches, paidWei, pending, transactions } =
    result;
  const whose = owner ?? "everybody";
  const standing = isFrozen
    ? `is frozen after batch ${batchNumber}`
    : `is at batch ${batchNumber}, not frozen`;
  const lines = [`the rollup ${rollupAddress} ${standing}`];
  for (const { batchNumber: number, reason, transactionHash } of malformedBatches)
    lines.push(
      `batch ${number} (${transactionHash}) breaks the ledger's rules: ${reason.message}; its effect is known, so exits can be proven`,
    );
  if (items.length === 0 && pending.length === 0) lines.push(`it owes nothing to ${whose}`);
  else
    lines.push(
      `owed to ${whose}, in OPEN:`,
      ...renderTable([...items.map(itemRow), ...pending.map(pendingRow)]),
    );
  if (checkedKeys.length > 0) lines.push(`the keys are here: ${checkedKeys.join(", ")}`);
  if (isDryRun) return [...lines, "nothing was sent"];
  const rows = transactions.map(({ action, amountWei, count, gasUsed: gas, transactionHash }) => [
    count === 1 ? action : `${count} ${action}s`,
    formatOpen(amountWei),
    `${gas} gas${count === 1 ? "" : `, ${Math.round(gas / count)} each`}`,
    transactionHash,
  ]);
  if (rows.length === 0) return [...lines, "everything was taken before, so nothing was sent"];
  lines.push("sent to L1:", ...renderTable(rows));
  return [
    ...lines,
    `${formatOpen(paidWei)} OPEN paid out, ${describeGas(result)} in ${rows.length} transactions`,
  ];
}

const itemRow = (item: ExitItem): string[] => [
  formatOpen(item.amountWei),
  describeItem(item),
  item.owner,
  item.isTaken ? "taken before" : "",
];

const pendingRow = ({ amountWei, owner }: LeaveResult["pending"][number]): string[] => [
  formatOpen(amountWei),
  "finalizable on L1",
  owner,
  "",
];
