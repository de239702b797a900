/**
 * `openledger rewards why`: recomputes a settlement and lists which drawn (sampled) payments and rows earned what, in OPEN,
 * down to the scores.
 */
import { datanetOfRow } from "@openledger/attribution/model/payee-table";
import { rowLine } from "@openledger/attribution/rows/row-line";
import { explainEarnings } from "@openledger/attribution/scores/earnings";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { hex32 } from "@openledger/foundation/hex";
import { rowNumber } from "@openledger/foundation/row-number";
import { settledModelOf } from "@openledger/models/settling/prepare-settlement";
import { openReader, resolveLeaf } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import { parseEpoch, parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { type CheckOptions, checkSettlement } from "../verify/settlement-check.ts";

export interface WhyOptions extends CheckOptions {
  leaf?: string;
  top: string;
}

/** Prints the rows with the largest earnings, of everybody or of one leaf. */
export async function explainRewards({ options, args, output }: CommandContext<WhyOptions>): Promise<void> {
  const target = { modelId: parseId(args[0]!), epoch: parseEpoch(args[1]!) };
  const client = await openReader(options);
  const verified = await checkSettlement(client, target, options, output);
  const { leaf, model, payments, sampled, settlement } = verified;
  const before = leaf.payees.map(({ accruedWei, index }) => accruedWei - sampled.earnedWei[index]!);
  const earnings = explainEarnings(
    sampled,
    { model: settledModelOf(leaf, before), payments },
    settlement.earnedWei,
  );
  const only = options.leaf === undefined ? null : (await resolveLeaf(client, options, options.leaf)).id;
  const rows = earnings.rows
    .filter(
      ({ contributorId, validatorId }) => only === null || contributorId === only || validatorId === only,
    )
    .slice(0, Number(options.top))
    .map((row) => ({ ...row, ...datanetOfRow(model, row.row) }));
  const isJoint = model.recipe.furtherDatanets !== undefined;
  const lines = [
    `epoch ${target.epoch} of model ${target.modelId}: draws ${sampled.draws.map(({ paymentIndex }) => paymentIndex).join(", ")} of ${payments.length} payments; L1 transaction ${settlement.l1TransactionHash}`,
    ...renderTable([
      [
        "row",
        ...(isJoint ? ["of"] : []),
        "contributor",
        "validator",
        "earned (OPEN)",
        "by draws (payment: score)",
        "row",
      ],
      ...rows.map((row) => [
        String(rowNumber(row.row)),
        ...(isJoint ? [`datanet ${row.datanetId}, row ${rowNumber(row.versionRow)}`] : []),
        `leaf ${row.contributorId}`,
        `leaf ${row.validatorId}`,
        formatOpen(row.earnedWei),
        row.draws.map(({ paymentIndex, score }) => `${paymentIndex}: ${score}`).join(", "),
        excerpt(model.rows?.[row.row]?.content),
      ]),
    ]),
    ...renderTable(
      earnings.payees.map((payee) => [
        `payee ${payee.payeeIndex}`,
        `leaf ${payee.contributorId} ${formatOpen(payee.contributorWei)}`,
        `leaf ${payee.validatorId} ${formatOpen(payee.validatorWei)}`,
      ]),
    ),
    "recomputed from payments, openings and L1's randomness, and equal to L1's values to the wei",
  ];
  output.answer(lines, {
    ...target,
    draws: sampled.draws.map(({ paymentIndex, isValid }) => ({
      paymentIndex,
      isValid,
      receipt: hex32(payments[paymentIndex]!.receipt),
    })),
    rows: rows.map((row) => ({
      ...row,
      draws: row.draws.map((draw) => ({ ...draw, receipt: hex32(draw.receipt) })),
    })),
    payees: earnings.payees,
  });
}

/** Characters of a row. */
const EXCERPT_LENGTH = 40;

/** Beginning of a row, if the model is published with its rows. */
const excerpt = (content: Uint8Array | undefined) =>
  content === undefined ? "" : rowLine(content, EXCERPT_LENGTH);
