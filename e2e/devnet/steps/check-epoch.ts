/** Step of the devnet's job that recomputes a settled epoch and compares every payee's earnings; the report prints them. */
import { isDirect } from "@openledger/attribution/features/direct-rows";
import type { PublishedModel } from "@openledger/attribution/model/model-files";
import { verifyModel } from "@openledger/attribution/model/verify-model";
import { fewDraws } from "@openledger/circuits/settlement/settlement-split";
import { getLeaf } from "@openledger/client/sequencer/ledger-reads";
import { getModel, staticsOf } from "@openledger/client/sequencer/model-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import { isRollupError } from "@openledger/foundation/rollup-error";
import { fetchOpenings } from "@openledger/models/settling/model-openings";
import { type VerifiedSettlement, verifySettlement } from "@openledger/models/settling/verify-settlement";
import { modelTrainings } from "@openledger/models/tuning/recipe/model-families";
import { openProvingCircuit } from "@openledger/verifier/circuits/rollup-circuits";
import { CONTRIBUTORS, PEOPLE, type PersonName, PRICE_WEI } from "../config.ts";
import type { Job } from "../job.ts";
import { DATANETS, type ModelName, type ModelPart, type PlannedCommit } from "../parts.ts";
import type { Check } from "./check.ts";
import type { Leaves } from "./deposit.ts";
import { SETTLED_EPOCH } from "./epoch.ts";
import type { EpochOutcome } from "./expected.ts";
import { readLabelledRows } from "./model.ts";

/** A contributor's line of the report; wei as decimal text, since it is kept in the journal. */
export interface EarningsLine {
  readonly model: ModelName;
  readonly name: string;
  readonly committedCount: number;
  readonly wrongCount: number;
  /** Rows in the version. */
  readonly rowCount: number;
  /** Earnings of their rows, validators' parts included. */
  readonly earnedWei: string;
}

/** A model of the job, once it is on the ledger and served. */
export interface MadeModel {
  readonly part: ModelPart;
  readonly name: ModelName;
  readonly datanetId: number;
  readonly modelId: number;
  readonly model: PublishedModel;
  readonly serverUrl: string;
}

export interface CheckedEpoch {
  readonly made: MadeModel;
  readonly outcome: EpochOutcome;
  readonly earnings: readonly EarningsLine[];
  readonly checks: readonly Check[];
}

/**
 * The first epoch again, from L1's randomness, the payments, the openings and the published model.
 * @param modelCheck what checkModel has found
 */
export async function checkEpoch(
  job: Job,
  leaves: Leaves,
  made: MadeModel,
  modelCheck: Check,
): Promise<CheckedEpoch> {
  const { model, modelId, part, serverUrl } = made;
  job.console.progress("computing the epoch's settlement again");
  const openings = await fetchOpenings(serverUrl, SETTLED_EPOCH, isDirect(model.features));
  const verified = await verifySettlement(
    job.people.nina,
    { modelId, epoch: SETTLED_EPOCH },
    {
      model,
      openings,
      circuits: job.circuits,
      keyOf: async (circuit) =>
        (await openProvingCircuit(circuit, job.deployment, job.console.progress)).verificationKey,
    },
  );
  const outcome = outcomeOf(verified, leaves);
  return {
    outcome,
    made,
    earnings: CONTRIBUTORS.map((name) => earningsOf(job, part, name, verified, leaves)),
    checks: [
      checkProof(verified),
      checkSum(part.prompts(job.plan).length, verified, outcome),
      checkPaymentsOpened(verified),
      modelCheck,
      ...(isDirect(model.features) ? [checkDirect(verified)] : []),
    ],
  };
}

function checkDirect({ settlement: { circuit } }: VerifiedSettlement): Check {
  return {
    statement: "a direct model's circuit has settled its epoch",
    holds: circuit.startsWith("direct-"),
    detail: circuit,
  };
}

function outcomeOf({ leaf, payments, sampled }: VerifiedSettlement, leaves: Leaves): EpochOutcome {
  const nameOf = (id: number): PersonName => PEOPLE.find((name) => leaves[name] === id)!;
  const { terms, earnedWei } = sampled;
  return {
    paymentCount: payments.length,
    ownerWei: terms.ownerWei,
    treasuryWei: terms.treasuryWei,
    payees: leaf.payees.map(({ contributorId, validatorId }, m) => ({
      contributor: nameOf(contributorId),
      validator: nameOf(validatorId),
      earnedWei: earnedWei[m]!,
    })),
  };
}

function earningsOf(
  job: Job,
  part: ModelPart,
  name: (typeof CONTRIBUTORS)[number],
  { leaf, sampled }: VerifiedSettlement,
  leaves: Leaves,
): EarningsLine {
  const own = DATANETS[part.datanet].commits(job.plan).filter(({ contributor }) => contributor === name);
  const rowsIn = (commits: readonly PlannedCommit[]) =>
    commits.reduce((sum, { rows }) => sum + rows.length, 0);
  const payees = leaf.payees.filter(({ contributorId }) => contributorId === leaves[name]);
  return {
    model: part.name,
    name,
    committedCount: rowsIn(own),
    wrongCount: rowsIn(own.filter(({ isWrong }) => isWrong)),
    rowCount: payees.reduce((sum, { rowCount }) => sum + rowCount, 0),
    earnedWei: payees.reduce((sum, { index }) => sum + sampled.earnedWei[index]!, 0n).toString(),
  };
}

function checkProof({ settlement, sampled }: VerifiedSettlement): Check {
  const drawn = sampled.draws.map(({ paymentIndex }) => paymentIndex).join(", ");
  return {
    statement: "L1's settlement matches payments, openings and L1's randomness, and its proof verifies",
    holds: true,
    detail: [
      settlement.circuit,
      `drawn payments ${drawn}`,
      ...[fewDraws(sampled.draws.length) ?? []].flat(),
      `L1 transaction ${settlement.l1TransactionHash}`,
    ].join(", "),
  };
}

function checkSum(paymentCount: number, { sampled }: VerifiedSettlement, outcome: EpochOutcome): Check {
  const paidWei = PRICE_WEI * BigInt(paymentCount);
  const rowsWei = outcome.payees.reduce((sum, { earnedWei }) => sum + earnedWei, 0n);
  const sumWei = rowsWei + outcome.ownerWei + outcome.treasuryWei + sampled.data.burnedWei;
  return {
    statement: "rows, owner and treasury got what customers paid, to the wei",
    holds: sumWei === paidWei && rowsWei > 0n,
    detail: `${formatOpen(paidWei)} OPEN: rows ${formatOpen(rowsWei)}, owner ${formatOpen(outcome.ownerWei)}, treasury ${formatOpen(outcome.treasuryWei)}, burned ${formatOpen(sampled.data.burnedWei)}`,
  };
}

function checkPaymentsOpened({ sampled }: VerifiedSettlement): Check {
  const valid = sampled.draws.filter(({ isValid }) => isValid).length;
  return {
    statement: "every drawn answer is opened",
    holds: valid === sampled.draws.length,
    detail: `${valid} of ${sampled.draws.length} draws`,
  };
}

/** Trains the model once more, by its recipe: on mia's rows where it is published without them. */
export async function checkModel(
  job: Job,
  { datanetId, model, modelId, part }: Pick<MadeModel, "datanetId" | "model" | "modelId" | "part">,
): Promise<Check> {
  const statement = "the published model matches its recipe, the Datanet's rows and the ledger";
  const [leaf, { datanet }] = await Promise.all([
    getModel(job.people.nina, modelId),
    getLeaf(job.people.nina, datanetId),
  ]);
  const { rowsRoot, policy } = datanet!;
  const input = model.rows === null ? await readLabelledRows(job, part, datanetId, rowsRoot) : null;
  try {
    const { isBaseOfCard, payeeCount, rowCount } = await verifyModel({
      trainings: await modelTrainings(),
      model,
      ...(input === null ? {} : { rows: input.rows }),
      facts: { staticsHash: staticsOf(leaf).hash, rowsRoot, policy },
      depth: "features",
    });
    return {
      statement,
      holds: true,
      detail: `${rowCount} rows, ${payeeCount} payees${isBaseOfCard ? ", and the card's base" : ""}`,
    };
  } catch (error) {
    if (!isRollupError(error)) throw error;
    return { statement, holds: false, detail: error.message };
  }
}
