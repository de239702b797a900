/**
 * Last step of the devnet's job: compares every balance and amount with the plan, with L1, and with the ledger rebuilt from L1.
 */
import { TREASURY_ID } from "@openledger/circuits/protocol";
import { readVersion } from "@openledger/client/actions/data/published-version";
import { verifyVersion } from "@openledger/client/actions/data/verify-version";
import { getL1Balances } from "@openledger/client/actions/l1/l1-balances";
import type { SignedSubmission } from "@openledger/client/actions/ledger/send-operation";
import { verifyVouching } from "@openledger/client/datanets/reviewed-version";
import { listAccess } from "@openledger/client/datanets/signed-records";
import { rollupContract } from "@openledger/client/ledger-client";
import { getInfo, getLeaf, getOperation, getStatus } from "@openledger/client/sequencer/ledger-reads";
import { formatOpen } from "@openledger/client/sequencer/open-amount";
import type { LedgerOperation } from "@openledger/client/sequencer/sequencer-schemas";
import { readSolvency } from "../../audit/rebuild.ts";
import { devAccount } from "../accounts.ts";
import {
  FIRST_TRANSFER_COUNT,
  FORCED_WITHDRAWAL_WEI,
  LATER_TRANSFER_COUNT,
  PEOPLE,
  WITHDRAWAL_WEI,
} from "../config.ts";
import { checkPlan, reviewedCount } from "../content/label-check.ts";
import type { Job } from "../job.ts";
import {
  DATANET_NAMES,
  DATANETS,
  type DatanetName,
  MODEL_NAMES,
  MODELS,
  type ModelName,
  stepOf,
} from "../parts.ts";
import { visitorFeesWei } from "../visitors.ts";
import type { Check } from "./check.ts";
import type { CheckedEpoch } from "./check-epoch.ts";
import type { Leaves } from "./deposit.ts";
import { WITHDRAWERS } from "./earn.ts";
import { expectedBalances, type LeafName } from "./expected.ts";
import type { Verified } from "./verify.ts";

interface JobParts {
  readonly leaves: Leaves;
  readonly datanetIds: Readonly<Record<DatanetName, number>>;
  readonly epochs: Readonly<Record<ModelName, CheckedEpoch>>;
  /** Findings of checkDatanets: nothing changes them once their versions are a day old. */
  readonly datanetChecks: Promise<readonly Check[]>;
  readonly verified: Verified;
}

/** Compares the plan with L1, with the sequencer, and with the ledger rebuilt from L1 alone. */
export async function runChecks(
  job: Job,
  { datanetChecks, datanetIds, epochs, leaves, verified }: JobParts,
): Promise<Check[]> {
  const forcedFeeWei = BigInt(job.journal.get<string>("forced-fee-wei") ?? "0");
  const expected = expectedBalances(
    forcedFeeWei,
    mapNames(MODEL_NAMES, (name) => epochs[name].outcome),
    (datanet, who) =>
      DATANETS[datanet].commits(job.plan).filter(({ contributor }) => contributor === who).length,
  );
  const { feeAccountId } = await getInfo(job.people.alice);
  const ids = new Map<LeafName, number>([
    ...PEOPLE.map((name) => [name, leaves[name]] as const),
    ...DATANET_NAMES.map((name) => [`${name} datanet` as const, datanetIds[name]] as const),
    ...MODEL_NAMES.map((name) => [`${name} model` as const, epochs[name].made.modelId] as const),
    ["operator", feeAccountId],
    ["treasury", TREASURY_ID],
  ]);
  const visitorsWei = await visitorFeesWei(job.people.alice, new Set(ids.values()));
  const operatorWei = expected.ledgerWei.operator + visitorsWei;
  return [
    ...verified.checks,
    ...(await Promise.all(PEOPLE.map((name) => checkTokenBalance(job, name, expected.l1Wei[name])))),
    ...(await Promise.all(
      [...ids].map(([who, id]) =>
        checkLedgerBalance(
          ...([job, who, id] as const),
          who === "operator" ? operatorWei : expected.ledgerWei[who],
          verified.balanceOf(id),
        ),
      ),
    )),
    checkPayout(job, "carol", WITHDRAWAL_WEI),
    checkPayout(job, "dave", FORCED_WITHDRAWAL_WEI),
    ...WITHDRAWERS.map((name) => checkRewards(job, name, expected.rewardsWei[name])),
    ...(await checkOperations(job)),
    ...(await datanetChecks),
    ...MODEL_NAMES.flatMap((name) => {
      const { checks, made } = epochs[name];
      return [...checks, checkAccrued(verified.accruedWeiOf(made.modelId), epochs[name])].map((check) => ({
        ...check,
        statement: `${name}: ${check.statement}`,
      }));
    }),
    await checkSolvency(job),
    await checkHead(job),
  ];
}

async function checkTokenBalance(
  job: Job,
  name: (typeof PEOPLE)[number],
  expectedWei: bigint,
): Promise<Check> {
  const { tokenWei } = await getL1Balances(job.people[name], devAccount(name).address);
  return equal(`${name}'s OPEN on L1 is right to the wei`, tokenWei, expectedWei, formatOpen);
}

async function checkLedgerBalance(
  job: Job,
  who: string,
  id: number,
  expectedWei: bigint,
  provenWei: bigint | null,
): Promise<Check> {
  const { balanceWei } = await getLeaf(job.people.alice, id);
  const statement = `${who}'s balance in the ledger is right to the wei, at the sequencer and rebuilt from L1`;
  if (provenWei !== balanceWei)
    return failed(statement, `the sequencer says ${balanceWei}, L1 says ${provenWei}`);
  return equal(statement, balanceWei, expectedWei, formatOpen);
}

function checkPayout(job: Job, name: string, expectedWei: bigint): Check {
  const paidOutWei = BigInt(job.journal.get<string>(`payout-wei-${name}`) ?? "0");
  return equal(`${name}'s withdrawal was paid out exactly`, paidOutWei, expectedWei, formatOpen);
}

function checkRewards(job: Job, name: string, expectedWei: bigint): Check {
  const paidWei = BigInt(job.journal.get<string>(`rewards-wei-${name}`) ?? "0");
  return equal(`${name}'s rewards were paid out on L1 exactly`, paidWei, expectedWei, formatOpen);
}

/** Compares what each payee accrued by L1's records with what payments, openings and randomness give it. */
function checkAccrued(accruedWei: readonly bigint[] | null, { outcome }: CheckedEpoch): Check {
  const expected = outcome.payees.map(({ earnedWei }) => earnedWei);
  return equal(
    "every payee has accrued what its rows earned, in the ledger rebuilt from L1",
    (accruedWei ?? []).join(),
    expected.join(),
    (text) => `${text.split(",").map(BigInt).map(formatOpen).join(", ")} OPEN`,
  );
}

async function checkOperations(job: Job): Promise<Check[]> {
  const transferCount = FIRST_TRANSFER_COUNT + LATER_TRANSFER_COUNT;
  const keys = [
    ...Array.from({ length: transferCount }, (_, i) => `transfer-${i}`),
    ...DATANET_NAMES.flatMap((name) => [
      ...DATANETS[name].commits(job.plan).map((_, i) => stepOf(name, `commit-${i}`)),
      stepOf(name, "create-datanet"),
      stepOf(name, "publish-version"),
      stepOf(name, "publish-card"),
    ]),
    ...MODEL_NAMES.flatMap((name) => [
      ...MODELS[name].prompts(job.plan).map((_, i) => stepOf(name, `pay-${i}`)),
      ...["create-model", "approve-model", "closeEpoch"].map((step) => stepOf(name, step)),
      ...job.journal.keys().filter((key) => key.startsWith(stepOf(name, "reward-"))),
    ]),
    "withdraw-carol",
    ...WITHDRAWERS.map((name) => `withdraw-rewards-${name}`),
  ];
  const operations = await Promise.all(
    keys.map((key) => getOperation(job.people.alice, job.journal.get<SignedSubmission>(key)!.hash)),
  );
  const onL1 = operations.filter(
    (operation) => operation?.status === "posted" || operation?.status === "final",
  );
  const fulfilled = operations.filter((operation) => operation != null && isPromiseKept(operation));
  return [
    equal(
      `all ${keys.length} signed operations (${transferCount} of them transfers) are on L1`,
      onL1.length,
      keys.length,
      String,
    ),
    equal(
      "every preconfirmation names the place that its operation got",
      fulfilled.length,
      keys.length,
      String,
    ),
  ];
}

const isPromiseKept = ({ preconfirmation, opIndex }: LedgerOperation) =>
  preconfirmation != null && preconfirmation.opIndex === opIndex;

/** The Datanets' versions, rows and signatures against the plan. */
export async function checkDatanets(
  job: Job,
  datanetIds: Readonly<Record<DatanetName, number>>,
): Promise<Check[]> {
  return (await Promise.all(DATANET_NAMES.map((name) => checkDatanet(job, name, datanetIds[name])))).flat();
}

async function checkDatanet(job: Job, name: DatanetName, datanetId: number): Promise<Check[]> {
  const { alice } = job.people;
  const { isLabelled } = DATANETS[name];
  const commits = DATANETS[name].commits(job.plan);
  const rowCount = isLabelled ? await reviewedCount(job.plan) : (await checkPlan(commits)).versionRowCount;
  const leftOutCount = commits.reduce((sum, { rows }) => sum + rows.length, 0) - rowCount;
  const { datanet } = await getLeaf(alice, datanetId);
  const { commitments: version } = await readVersion(job.store, datanet?.rowsRoot ?? 0n);
  const compared = await verifyVersion(alice, { datanetId, store: job.store });
  const dropped = compared.exceptions.filter(({ fate }) => fate === "dropped").length;
  const roots = (v: { rowsRoot: bigint; ownersCommitment: bigint; payeeRoot: bigint } | null | undefined) =>
    v == null ? "none" : [v.rowsRoot, v.ownersCommitment, v.payeeRoot].join();
  return [
    // The first is the card.
    equal(`the published version of the ${name} is right`, datanet?.version ?? 0, 2, String),
    equal(`it has ${rowCount} rows`, datanet?.rowCount ?? 0, rowCount, String),
    {
      statement: "its roots are those of the rows in the store",
      holds: roots(datanet) === roots(version),
      detail: `${version.payees.length} payees`,
    },
    equal(
      "it leaves out exactly the commits with wrong labels and near-duplicates",
      dropped,
      leftOutCount,
      (count) => `${count} rows; the first: ${compared.firstDifference}`,
    ),
    ...(isLabelled ? await checkHosted(job, datanetId) : []),
    equal("it reassigns no other row", compared.exceptions.length - dropped, 0, String),
  ];
}

/** Checks what people have signed on the host, and what mia had to ask for. */
async function checkHosted(job: Job, datanetId: number): Promise<Check[]> {
  const { alice } = job.people;
  const location = { hostUrl: job.hostUrl, datanetId };
  const vouching = await verifyVouching(alice, { ...location, store: job.store });
  const [access] = (await listAccess(alice, location)).requests;
  const wrongRows = DATANETS.mails
    .commits(job.plan)
    .reduce((sum, { isWrong, rows }) => sum + (isWrong ? rows.length : 0), 0);
  return [
    {
      statement:
        "every row's validator is drawn by hash among those whose label was accepted, and has signed it",
      holds: vouching.rowCount > 0 && vouching.exceptions.length === 0,
      detail: `${vouching.signedCount} of ${vouching.rowCount} signatures`,
    },
    equal(
      "labels differed on the planned rows and on those that dave has labelled wrong, and the reviewer has settled them",
      job.journal.get<number>("disputed-rows") ?? 0,
      job.plan.disputedCount + wrongRows,
      String,
    ),
    equal(
      "the host refused the rows before the owner granted access",
      `${job.journal.get<string>("access-refusal")}, ${access?.answer?.answer}`,
      "DNT_ACCESS_NOT_GRANTED, grant",
      String,
    ),
  ];
}

async function checkSolvency({ deployment, rpcUrl }: Job): Promise<Check> {
  const { heldWei, owedWei } = await readSolvency(rpcUrl, deployment);
  return equal("the contract holds exactly what it owes", heldWei, owedWei, formatOpen);
}

async function checkHead(job: Job): Promise<Check> {
  const { alice } = job.people;
  const [{ head }, state] = await Promise.all([
    getStatus(alice),
    alice.l1.readContract({ ...rollupContract(alice), functionName: "state" }),
  ]);
  return equal("L1's root is the sequencer's", state.root, head.root, (root) => `0x${root.toString(16)}`);
}

function mapNames<Name extends string, Value>(
  names: readonly Name[],
  make: (name: Name) => Value,
): Record<Name, Value> {
  return Object.fromEntries(names.map((name) => [name, make(name)])) as Record<Name, Value>;
}

function equal<T>(statement: string, actual: T, expected: T, show: (value: T) => string): Check {
  const holds = actual === expected;
  return { statement, holds, detail: holds ? show(actual) : `${show(actual)}, expected ${show(expected)}` };
}

function failed(statement: string, detail: string): Check {
  return { statement, holds: false, detail };
}
