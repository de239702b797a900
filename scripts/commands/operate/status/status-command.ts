/**
 * `openledger status`: findings about the rollup (examine.ts) with remedies, its state on L1 and at the sequencer, and an
 * owner's money in OPEN. Ends with status 1 if anything is wrong.
 */
import { MALFORMED_REMEDY } from "@openledger/bridge/l1/submission/malformed-batch";
import { type LedgerClient, rollupContract, tokenContract } from "@openledger/client/ledger-client";
import { getInfo, getStatus } from "@openledger/client/sequencer/ledger-reads";
import { listPreVerifiedSettlements } from "@openledger/client/sequencer/model-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { unusualParameters } from "@openledger/contracts/build/rollup-parameters";
import { hex32 } from "@openledger/foundation/hex";
import type { Address } from "viem";
import { OWNER_OPTION } from "../../../cli/common-options.ts";
import {
  type GlobalOptions,
  knownAnswerServers,
  openReader,
  parseAddress,
  resolveAccount,
  resolveEndpoints,
} from "../../../cli/context.ts";
import { renderTable } from "../../../cli/output.ts";
import { command } from "../../../cli/run-command.ts";
import { describePreVerified } from "../../models/pre-verified-lines.ts";
import { type OwnMoney, ownMoneyRows, readOwnMoney } from "../../money/own-money.ts";
import { examine } from "./examine.ts";
import { describeFindings } from "./finding.ts";

export const addStatusCommand = command({
  usage: "status",
  about:
    "what is wrong with the rollup and what to do (exit status 1), and its state; with --account or --owner, of your money",
  options: { ...OWNER_OPTION },
  examples: ["status", "status --account bob", "status --json"],
  run: async ({ options, output }) => {
    const endpoints = resolveEndpoints(options);
    const examination = await examine(endpoints, knownAnswerServers());
    const { findings: checks } = examination;
    const checkLines = describeFindings(checks);
    if (checks.some(({ problem }) => problem !== null)) process.exitCode = 1;
    if (!examination.isL1Readable) {
      output.answer(checkLines, { l1: null, sequencer: null, money: null, checks });
      return;
    }
    const client = await openReader(options);
    const contract = rollupContract(client);
    const [state, ledgerWei, queueTail, queueFeeWei, newAccountFeeWei, isDevelopment, unusual] =
      await Promise.all([
        client.l1.readContract({ ...contract, functionName: "state" }),
        client.l1.readContract({ ...contract, functionName: "ledgerWei" }),
        client.l1.readContract({ ...contract, functionName: "queueTail" }),
        client.l1.readContract({ ...contract, functionName: "queueFeeWei" }),
        client.l1.readContract({ ...contract, functionName: "depositFeeWei", args: [true] }),
        client.l1.readContract({ ...contract, functionName: "isDevelopment" }),
        readUnusual(client),
      ]);
    const l1 = {
      chainId: client.chain.id,
      rollupAddress: client.rollupAddress,
      tokenAddress: client.tokenAddress,
      isDevelopment,
      root: hex32(state.root),
      batchNumber: state.batchNumber,
      opIndex: state.opIndex,
      nextId: state.nextId,
      isFrozen: state.isFrozen,
      queueWaiting: Number(queueTail) - state.queueHead,
      /** Fee that a forced operation burns now, in OPEN on L1. */
      queueFeeWei,
      /** Fee that a deposit burns now if it opens an account, the id fee included. */
      newAccountFeeWei,
      /** Parameters that few would expect, in words. */
      unusual,
      oldestEntry: await readOldestEntry(client, state.queueHead),
      ledgerWei,
    };
    const owner = ownerOf(options);
    const money = owner === null ? null : await readOwnMoney(client, owner);
    const rows = [
      [
        "rollup",
        `${l1.rollupAddress} on chain ${l1.chainId}${isDevelopment ? " (development keys: proofs show nothing)" : ""}`,
      ],
      ["token", l1.tokenAddress],
      [
        "on L1",
        `batch ${l1.batchNumber}, ${l1.opIndex} operations, ${l1.nextId} leaves, ${formatOpen(ledgerWei)} OPEN`,
      ],
      ["L1 queue", `${l1.queueWaiting} waiting${l1.isFrozen ? "" : describeOldest(l1.oldestEntry)}`],
    ];
    if (!l1.isFrozen)
      rows.push([
        "forced operation",
        `burns ${formatOpen(queueFeeWei)} OPEN now, paid from the wallet on L1`,
      ]);
    if (!l1.isFrozen)
      rows.push(["new account", `burns ${formatOpen(newAccountFeeWei)} OPEN now, besides its deposit`]);
    for (const text of unusual) rows.push(["unusual", text]);
    if (l1.isFrozen)
      rows.push([
        "frozen",
        `after batch ${l1.batchNumber}, for good: take out what is yours with openledger exit`,
      ]);
    if (client.sequencerUrl === null || !examination.isSequencerReadable) {
      const lines = [...renderTable(rows), ...describeMoney(money), "", ...checkLines];
      output.answer(lines, { l1, sequencer: null, money, checks });
      return;
    }
    const [info, status, preVerifiedSettlements] = await Promise.all([
      getInfo(client),
      getStatus(client),
      listPreVerifiedSettlements(client),
    ]);
    const { head, batches, mempool, estimates } = status;
    rows.push(
      ["sequencer", `${client.sequencerUrl}, ${head.opIndex} operations, ${mempool.pending} pending`],
      ["open batch", `${head.batchNumber} with ${head.operationCount} operations`],
      [
        "batches",
        `closed ${batches.closed}, proven ${batches.proven}, posted ${batches.posted}, final ${batches.final}`,
      ],
      [
        "fees",
        `${formatOpen(info.feePerUnitWei)} OPEN a unit (a transfer has ${info.weights.transfer}), ${formatOpen(info.idFeeWei)} OPEN a new id`,
      ],
      [
        "takes about",
        `${seconds(estimates.closeMs)} to close, ${seconds(estimates.proveMs)} to prove, ${seconds(estimates.postMs)} to post`,
      ],
    );
    for (const preVerified of preVerifiedSettlements ?? [])
      rows.push(["pre-verified on L1", describePreVerified(preVerified)]);
    if (status.mode === "sunset")
      rows.push([
        "sunset",
        "the operator is ending this rollup: only withdrawals are accepted; withdraw what is yours",
      ]);
    if (status.mode === "behind")
      rows.push([
        "behind",
        "the sequencer accepts nothing: it has no report of the bridge since its start, or L1 has signed operations that its data directory does not (docs/how-to/runbook.md, BehindL1)",
      ]);
    if (status.mode === "malformed")
      rows.push([
        "malformed",
        `L1 has accepted a batch that breaks the ledger's rules, and the sequencer accepts nothing: ${MALFORMED_REMEDY}`,
      ]);
    const { circuits } = info;
    rows.push(["circuits", circuits.map(({ name }) => name).join(", ")]);
    output.answer([...renderTable(rows), ...describeMoney(money), "", ...checkLines], {
      l1,
      money,
      checks,
      sequencer: {
        url: client.sequencerUrl,
        mode: status.mode ?? null,
        head: { ...head, root: hex32(head.root) },
        batches,
        mempool,
        estimates,
        /** null if a full node answers, which does not know them. */
        preVerifiedSettlements,
        circuits,
      },
    });
  },
});

async function readUnusual(client: LedgerClient): Promise<string[]> {
  const contract = rollupContract(client);
  const [idFeeWei, minDepositWei, queueBaseFeeWei, queueCapacity, supplyWei] = await Promise.all([
    client.l1.readContract({ ...contract, functionName: "idFeeWei" }),
    client.l1.readContract({ ...contract, functionName: "minDepositWei" }),
    client.l1.readContract({ ...contract, functionName: "queueBaseFeeWei" }),
    client.l1.readContract({ ...contract, functionName: "queueCapacity" }),
    client.l1.readContract({ ...tokenContract(client), functionName: "totalSupply" }),
  ]);
  return unusualParameters({ idFeeWei, minDepositWei, queueBaseFeeWei, queueCapacity, supplyWei });
}

/** null = nobody's was asked for. @throws CMD_USAGE, CMD_ACCOUNT_INVALID */
function ownerOf(options: GlobalOptions & { owner?: string }): Address | null {
  if (options.owner !== undefined) return parseAddress(options.owner);
  const isNamed = options.account !== undefined || options.privateKeyFile !== undefined;
  return isNamed ? resolveAccount(options).l1.address : null;
}

/** Times of the entry that waits longest, in L1's seconds; null if none waits. */
async function readOldestEntry(client: LedgerClient, queueIndex: number) {
  const contract = rollupContract(client);
  const [stored, softSeconds, hardSeconds] = await Promise.all([
    client.l1.readContract({ ...contract, functionName: "queueEntries", args: [BigInt(queueIndex)] }),
    client.l1.readContract({ ...contract, functionName: "SOFT_DEADLINE" }),
    client.l1.readContract({ ...contract, functionName: "HARD_DEADLINE" }),
  ]);
  if (stored === 0n) return null;
  // The lower 40 bits of a stored entry are its time.
  const queuedAtSeconds = Number(BigInt.asUintN(40, stored));
  return {
    queueIndex,
    queuedAtSeconds,
    overdueAtSeconds: queuedAtSeconds + Number(softSeconds) + 1,
    freezableAtSeconds: queuedAtSeconds + Number(hardSeconds) + 1,
  };
}

function describeOldest(oldest: Awaited<ReturnType<typeof readOldestEntry>>): string {
  if (oldest === null) return "";
  const { freezableAtSeconds, overdueAtSeconds, queuedAtSeconds } = oldest;
  const iso = (at: number) => new Date(1_000 * at).toISOString();
  return `, the oldest since ${iso(queuedAtSeconds)}; anyone can post it from ${iso(overdueAtSeconds)}, and freeze from ${iso(freezableAtSeconds)}`;
}

function describeMoney(money: OwnMoney | null): string[] {
  if (money === null) return [];
  return [`money of ${money.owner}`, ...renderTable(ownMoneyRows(money))];
}

const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
