/**
 * `openledger receipt`: follows a paid answer from its payment to its settlement, and computes what each row got. Amounts are in
 * OPEN.
 */

import { KIND, kindRule } from "@openledger/circuits/protocol";
import { requestModelServer } from "@openledger/client/actions/answers/model-answers";
import { clientError } from "@openledger/client/client-errors";
import type { LedgerClient } from "@openledger/client/ledger-client";
import { getOperation, readOperations } from "@openledger/client/sequencer/ledger-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import type { LeafOperation } from "@openledger/client/sequencer/sequencer-schemas";
import { counted } from "@openledger/foundation/counted";
import { hex32 } from "@openledger/foundation/hex";
import {
  findPayment,
  type PaymentStatus,
  type PayoutReading,
  paymentStatus,
  readPayout,
  statusView,
} from "@openledger/models/settling/payment-status";
import type { RollupCircuit } from "@openledger/verifier/circuits/rollup-circuits";
import type { Hex } from "viem";
import { z } from "zod";
import { commandError } from "../../cli/cli-errors.ts";
import { modelServerOf, openReader, resolveLeaf } from "../../cli/context.ts";
import { renderTable } from "../../cli/output.ts";
import { parseId } from "../../cli/parse-id.ts";
import type { CommandContext } from "../../cli/run-command.ts";
import { openSettlementContext } from "../../cli/settlement-context.ts";
import type { CircuitOptions } from "../../cli/settlement-options.ts";
import { type PublishedOptions, publishedAt } from "../models/model-settle-direct.ts";

export interface ReceiptStatusOptions extends PublishedOptions, Pick<CircuitOptions, "circuits"> {
  model?: string;
  leaf?: string;
  top: string;
}
type Context = CommandContext<ReceiptStatusOptions>;

/** Shows one payment by its hash or receipt, or all payments of an account. */
export async function showReceiptStatus(context: Context): Promise<void> {
  const receipt = context.args[0];
  const client = await openReader(context.options);
  const { circuits } = await openSettlementContext(context.options);
  if (receipt === undefined) await showAll(context, client, circuits);
  else await showOne(context, client, circuits, parseElement(receipt));
}

const PAYMENTS: readonly (string | undefined)[] = [KIND.payInference, KIND.forcedPayInference].map(
  (kind) => kindRule(kind)?.name,
);
const isPayment = ({ kind }: LeafOperation) => PAYMENTS.includes(kind);

/** An account's payments, newest first. @throws CMD_ACCOUNT_INVALID */
async function showAll(
  { options, output }: Context,
  client: LedgerClient,
  circuits: readonly RollupCircuit[],
): Promise<void> {
  const name = options.leaf ?? options.account;
  if (name === undefined)
    throw commandError("CMD_ACCOUNT_INVALID", "name a payment, or the payer: --account or --leaf", {
      data: { reason: "no-account" },
    });
  const { id } = await resolveLeaf(client, options, name);
  const { isComplete, operations } = await readOperations(client, id, { limit: 200 });
  const paid = operations.filter((op) => op.a === id && isPayment(op));
  const statuses = [];
  for (const operation of paid) {
    const { b: modelId, status } = operation;
    const reference =
      operation.hash === null ? { queueIndex: operation.queueIndex } : { hash: operation.hash };
    const found =
      status === "dropped" || status === "pending" ? null : await findPayment(client, modelId, reference);
    const of = found && (await paymentStatus(client, found, circuits));
    statuses.push({
      hash: null,
      queueIndex: null,
      ...reference,
      modelId,
      status,
      of,
    });
  }
  const lines = renderTable([
    ["payment", "model", "epoch", "OPEN", "stage", "drawn", "L1 transaction of the settlement"],
    ...statuses.map(({ hash, modelId, of, queueIndex, status }) =>
      of === null
        ? [hash ?? "", String(modelId), "", "", status, "", ""]
        : [
            hash ?? `queue entry ${queueIndex}`,
            String(modelId),
            String(of.epoch),
            formatOpen(of.payment.amountWei),
            of.stage,
            drawnText(of),
            of.settlement?.l1TransactionHash ?? "",
          ],
    ),
  ]);
  const last = isComplete ? "" : ` among its last ${counted(operations.length, "operation")}`;
  const older = "older payments are not listed: name one by its hash, or ask a full node";
  const found = statuses.length === 0 ? [`leaf ${id} has paid for no answer${last}`] : lines;
  output.answer(isComplete ? found : [...found, older], {
    leafId: id,
    isComplete,
    payments: statuses.map(({ hash, modelId, of, status }) =>
      of === null ? { hash, modelId, operationStatus: status, stage: null } : statusView(of),
    ),
  });
}

async function showOne(
  { options, output }: Context,
  client: LedgerClient,
  circuits: readonly RollupCircuit[],
  element: Hex,
): Promise<void> {
  const operation = await getOperation(client, element);
  if (operation !== null && !isPayment(operation))
    throw commandError("CMD_USAGE", `operation ${element} is no payment but of kind ${operation.kind}`);
  if (operation?.status === "dropped" || operation?.status === "pending") {
    const why = operation.reason == null ? "" : `: ${operation.reason}`;
    output.answer([`the payment is ${operation.status}${why}`], {
      hash: element,
      modelId: operation.b,
      operationStatus: operation.status,
      stage: null,
    });
    return;
  }
  const named = options.model === undefined ? null : parseId(options.model);
  const modelId = operation?.b ?? named;
  if (modelId === null) {
    throw clientError("CLI_UNKNOWN", `no operation has the hash ${element}; of a receipt name the model`, {
      data: { reason: "payment", payment: element },
    });
  }
  const reference = operation === null ? { receipt: BigInt(element) } : { hash: element };
  const found = await findPayment(client, modelId, reference);
  if (found === null) {
    await showUnpaid({ options, output }, client, modelId, element);
    return;
  }
  const status = await paymentStatus(client, found, circuits);
  const published = () => publishedAt(modelId, status.epoch, options, (text) => output.progress(text));
  const paid = await readPayout(status, client, { circuits, published });
  output.answer([...describe(status), ...describePaid(status, paid, Number(options.top))], {
    ...statusView(status),
    ...paid,
  });
}

const answerSchema = z.object({
  payerId: z.int(),
  priceWei: z.string(),
  expiresAtMs: z.number(),
  isPaid: z.boolean(),
});

/** Describes an answer that no payment names. @throws CLI_UNKNOWN if its server does not know it either */
async function showUnpaid(
  { options, output }: Pick<Context, "options" | "output">,
  client: LedgerClient,
  modelId: number,
  receipt: Hex,
): Promise<void> {
  let answer: z.output<typeof answerSchema>;
  try {
    const serverUrl = modelServerOf(modelId, options.server);
    answer = await requestModelServer(client, serverUrl, `/v1/answers/${receipt}`, answerSchema);
  } catch (cause) {
    throw clientError("CLI_UNKNOWN", `no epoch of model ${modelId} has a payment for ${receipt}`, {
      data: { reason: "payment", payment: receipt, modelId },
      cause,
    });
  }
  const { expiresAtMs, payerId, priceWei } = answer;
  const until = new Date(expiresAtMs).toISOString();
  output.answer(
    [`not paid: the answer costs ${formatOpen(BigInt(priceWei))} OPEN, by leaf ${payerId}, until ${until}`],
    { modelId, receipt, stage: "unpaid", payerId, priceWei, expiresAtMs },
  );
}

function drawnText({ draws, isByRowCounts }: PaymentStatus): string {
  if (isByRowCounts) return "by row counts";
  if (draws === null) return "";
  return draws.hits.length === 0 ? "no" : `${draws.hits.length} of ${draws.count} draws`;
}

function describe(status: PaymentStatus): string[] {
  const { epoch, epochAmountWei, epochPaymentCount, index, modelId, operation, payment, closingBatch } =
    status;
  const what = payment.queueIndex == null ? `operation ${payment.hash}` : `queue entry ${payment.queueIndex}`;
  const l1 = operation.l1TransactionHash === null ? "" : `, L1 transaction ${operation.l1TransactionHash}`;
  return [
    `${formatOpen(payment.amountWei)} OPEN of leaf ${payment.payerId} to model ${modelId}: ${what}, ${operation.status} in batch ${payment.batchNumber}${l1}`,
    `payment ${index} of epoch ${epoch}, which has ${counted(epochPaymentCount, "payment")} of ${formatOpen(epochAmountWei)} OPEN`,
    closingBatch === null ? "the epoch is open" : `the epoch was closed in batch ${closingBatch}`,
    ...describeSettlement(status),
  ];
}

function describeSettlement({ draws, isByRowCounts, settlement, stage }: PaymentStatus): string[] {
  if (stage === "epoch-open") return [];
  if (stage === "epoch-closed")
    return ["its draws come from the L1 block 128 after the one that took that batch"];
  if (stage === "draws-fixed")
    return ["L1 has the randomness, so its draws are fixed; it is not settled yet"];
  const { batchNumber, circuit, l1TransactionHash } = settlement!;
  const where = l1TransactionHash === null ? "not on L1 yet" : `L1 transaction ${l1TransactionHash}`;
  const drawn = isByRowCounts
    ? "settled by row counts, without draws"
    : draws === null
      ? `this machine does not know how many draws ${circuit} has: --circuits`
      : draws.hits.length === 0
        ? `not drawn: none of ${draws.count} draws hit it; the drawn payments divide the whole epoch`
        : `drawn: ${draws.hits.length} of ${draws.count} draws hit it`;
  return [`settled in batch ${batchNumber} with ${circuit}, ${where}`, drawn];
}

function describePaid(
  { modelId, stage, draws }: PaymentStatus,
  { paid, paidUnknown }: PayoutReading,
  top: number,
): string[] {
  if (paidUnknown !== null)
    return [`its payees are not known here: ${paidUnknown.message} [${paidUnknown.code}]`];
  if (paid === null)
    return stage === "settling" && draws !== null && draws.hits.length > 0
      ? ["its payees are shown once L1 has it"]
      : [];
  return [
    `its draws paid ${formatOpen(paid.drawsWei)} OPEN: owner of model ${modelId} ${formatOpen(paid.ownerWei)}, treasury ${formatOpen(paid.treasuryWei)}, burned ${formatOpen(paid.burnedWei)}, rows:`,
    ...renderTable([
      ["  contributor", "rows", "earned (OPEN)"],
      ...paid.contributors.map((one) => [
        `  leaf ${one.leafId}`,
        String(one.rowCount),
        formatOpen(one.earnedWei),
      ]),
    ]),
    ...renderTable([
      ["  row", "contributor", "score", "earned (OPEN)"],
      ...paid.rows
        .slice(0, top)
        .map((row) => [
          `  ${row.row}`,
          `leaf ${row.contributorId}`,
          String(row.score),
          formatOpen(row.earnedWei),
        ]),
    ]),
    "recomputed from payments, openings and L1's randomness, and equal to L1's values; a validator's part is included in its contributor's",
  ];
}

/** @throws CMD_USAGE */
function parseElement(text: string): Hex {
  if (!/^0x[0-9a-fA-F]{1,64}$/.test(text))
    throw commandError(
      "CMD_USAGE",
      `"${text}" is neither an operation's hash nor a receipt: 0x and up to 64 digits`,
    );
  return hex32(BigInt(text));
}
