/**
 * `openledger models show`: a model's price, epochs, payees, settlements, and the circuits that settle it. Amounts are in OPEN.
 */
import { presentPayees } from "@openledger/circuits/ledger/payee-shards";
import { modelShape } from "@openledger/circuits/settlement/settlement-size";
import { fewDraws, paymentShares } from "@openledger/circuits/settlement/settlement-split";
import { activationMisfit, settlingCircuits } from "@openledger/client/actions/ledger/settling-circuit";
import { getInfo } from "@openledger/client/sequencer/ledger-reads";
import {
  approvalsOf,
  getModel,
  listPreVerifiedSettlements,
  listSettlements,
  postedOf,
  staticsOf,
} from "@openledger/client/sequencer/model-reads";
import type { LedgerModelLeaf, LedgerSettlement } from "@openledger/client/sequencer/model-schemas";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import type { SequencerInfo } from "@openledger/client/sequencer/sequencer-schemas";
import { hex32 } from "@openledger/foundation/hex";
import { openReader } from "../../cli/context.ts";
import { describeShape } from "../../cli/describe-shape.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import { command } from "../../cli/run-command.ts";
import { describePreVerified } from "./pre-verified-lines.ts";

export const addModelShowCommand = command({
  usage: "show <model>",
  about: "show a model's epoch, payees and settlements",
  examples: ["models show 15", "models show 15 --json"],
  run: async ({ options, args, output }) => {
    const client = await openReader(options);
    const leaf = await getModel(client, parseId(args[0]!));
    const [settlements, preVerified, info] = await Promise.all([
      listSettlements(client, leaf.id),
      listPreVerifiedSettlements(client, leaf.id),
      getInfo(client),
    ]);
    const settling = describeSettling(leaf, settlements, info);
    const { counters, model, closedEpoch } = leaf;
    const shares = paymentShares(model).map(({ share, to }) => `${share} to ${to}`);
    const lines = [
      `model ${leaf.id} of ${leaf.l1Owner}, on version ${model.version} of datanet ${model.datanetId}${model.furtherDatanets.map((id) => ` and rows of datanet ${id}`).join("")}`,
      `${counters.isReady ? "ready" : "no activation yet"}, ${describeApproval(leaf)}; ${formatOpen(leaf.balanceWei)} OPEN, an answer costs ${formatOpen(counters.priceWei)} OPEN`,
      `of a payment ${shares.join(", ")}`,
      fewDraws(model.drawCount) ?? `${model.drawCount} draws an epoch`,
      `epoch ${counters.epoch}: ${counters.paymentCount} of at most ${counters.cap} payments, ${formatOpen(leaf.openAmountWei)} OPEN`,
      settling.line,
      describeClosed(leaf),
      ...renderTable([
        ["  payee", "contributor", "validator", "rows", "earned (OPEN)", "claimable"],
        ...presentPayees(leaf.payees).map(([, payee]) => [
          `  ${payee.index}`,
          `leaf ${payee.contributorId}`,
          `leaf ${payee.validatorId}`,
          String(payee.rowCount),
          formatOpen(payee.accruedWei),
          formatOpen(payee.contributor.claimableWei + payee.validator.claimableWei),
        ]),
      ]),
      ...renderTable(settlements.map(describeSettlement)),
      ...(preVerified ?? []).map((one) => `  pre-verified on L1: ${describePreVerified(one)}`),
    ];
    output.answer(lines, {
      id: leaf.id,
      l1Owner: leaf.l1Owner,
      balanceWei: leaf.balanceWei,
      ...counters,
      datanetId: model.datanetId,
      version: model.version,
      furtherDatanets: model.furtherDatanets,
      drawCount: model.drawCount,
      featureCount: model.featureCount === null ? null : settling.shape.features,
      isDirect: settling.shape.isDirect === true,
      settlingCircuits: settling.circuits,
      misfit: settling.misfit,
      staticsHash: hex32(staticsOf(leaf).hash),
      openAmountWei: leaf.openAmountWei,
      closedEpoch:
        closedEpoch === null ? null : { epoch: closedEpoch.epoch, amountWei: closedEpoch.amountWei },
      payees: leaf.payees,
      settlements: settlements.map(({ epoch, kind, status, circuit, batchNumber, l1TransactionHash }) => ({
        epoch,
        kind,
        status,
        circuit,
        batchNumber,
        l1TransactionHash,
      })),
      /** null if a full node answers, which does not know them. */
      preVerifiedSettlements: preVerified,
    });
  },
});

/** Describes a model's approval; for a model of several Datanets it names those that have not approved. */
function describeApproval(leaf: LedgerModelLeaf): string {
  if (leaf.counters.isApproved) return "approved";
  const missing = approvalsOf(leaf).flatMap(({ hasApproved, id }) => (hasApproved ? [] : [id]));
  return leaf.model.furtherDatanets.length === 0
    ? "not approved"
    : `not approved by datanets ${missing.join(", ")}`;
}

/** Describes the circuits that settle the model, and says if the one that its activation names is among them. */
function describeSettling(
  leaf: LedgerModelLeaf,
  settlements: readonly LedgerSettlement[],
  info: SequencerInfo,
) {
  const { binding, drawCount, featureCount } = leaf.model;
  const shape = modelShape({ binding }, leaf.payees.length === 0 ? null : leaf.payees);
  const circuits = settlingCircuits(info, shape);
  const activation = settlements.find(({ kind }) => kind === "activation");
  const misfit =
    activation === undefined ? null : activationMisfit(info, postedOf(activation).capCircuit, shape);
  const head =
    featureCount === null
      ? `an epoch is settled by ${drawCount} draws over too many features`
      : describeShape(shape);
  const why =
    misfit === null
      ? "no circuit of the rollup does it, so only row counts are left"
      : `its activation names ${misfit.circuit}, which has ${misfit.has} ${misfit.what} and not ${misfit.given}: that circuit cannot settle it`;
  const isFine = misfit === null && circuits.length > 0;
  return { line: isFine ? `${head}: ${circuits.join(", ")}` : `⚠ ${head}; ${why}`, circuits, misfit, shape };
}

function describeClosed({ closedEpoch }: LedgerModelLeaf): string {
  if (closedEpoch === null) return "no closed epoch waits for its settlement";
  const { epoch, amountWei, prevRandao, randomnessBlock, isRandomnessMissed } = closedEpoch;
  const head = `epoch ${epoch} is closed with ${formatOpen(amountWei)} OPEN and waits for its settlement`;
  if (isRandomnessMissed) return `${head}; its randomness was missed, so only the default split is left`;
  if (prevRandao !== null) return `${head}: openledger models settle`;
  return `${head}; its draws come from L1 block ${randomnessBlock ?? "128 after the one that takes the close"}`;
}

function describeSettlement({ epoch, kind, status, circuit, earnedSumWei }: LedgerSettlement): string[] {
  if (kind === "activation") return ["  activation", status, circuit, ""];
  return [`  epoch ${epoch}`, status, circuit, `rows ${formatOpen(earnedSumWei ?? 0n)} OPEN`];
}
