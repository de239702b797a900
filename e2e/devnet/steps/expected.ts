/** Balances that the devnet's job must leave, computed from the plan alone; checks.ts compares the devnet with them. */
import { operationFeeWei } from "@openledger/circuits/batch/slot";
import { PAYEE_ROLE, roleShareWei } from "@openledger/circuits/ledger/rewards";
import { KIND } from "@openledger/circuits/protocol";
import {
  CONTRIBUTORS,
  DATANET_AMOUNT_WEI,
  DEPOSITS,
  FEE_PER_UNIT_WEI,
  FIRST_TRANSFER_COUNT,
  FORCED_WITHDRAWAL_WEI,
  ID_FEE_WEI,
  LATER_TRANSFER_COUNT,
  MODEL_AMOUNT_WEI,
  PEOPLE,
  type PersonName,
  PRICE_WEI,
  SPLIT,
  WITHDRAWAL_WEI,
} from "../config.ts";
import { DATANET_NAMES, type DatanetName, MODEL_NAMES, MODELS, type ModelName } from "../parts.ts";
import { customerOf } from "../plan.ts";
import { CLAIMERS, WITHDRAWERS } from "./earn.ts";
import { planTransfer } from "./transfer.ts";

/** Everybody whose balance in the ledger is compared. */
export type LeafName = PersonName | "operator" | "treasury" | `${DatanetName} datanet` | `${ModelName} model`;

const PART_LEAVES = [
  ...DATANET_NAMES.map((name) => `${name} datanet` as const),
  ...MODEL_NAMES.map((name) => `${name} model` as const),
];

/** Balances that the job must leave, from the plan and the epoch's outcome: nothing here asks the devnet. */
interface Expected {
  readonly ledgerWei: Readonly<Record<LeafName, bigint>>;
  readonly l1Wei: Readonly<Record<PersonName, bigint>>;
  /** Reward that each claimer takes out of the model. */
  readonly rewardsWei: Readonly<Record<(typeof CLAIMERS)[number], bigint>>;
}

/** Earnings of a model's epoch, as computed from payments, openings and L1's randomness. */
export interface EpochOutcome {
  readonly paymentCount: number;
  readonly ownerWei: bigint;
  readonly treasuryWei: bigint;
  readonly payees: readonly {
    readonly contributor: PersonName;
    readonly validator: PersonName;
    readonly earnedWei: bigint;
  }[];
}

type Balances = Record<LeafName, bigint>;

/** @param commitsOf how many commits each contributor makes to a datanet */
export function expectedBalances(
  forcedFeeWei: bigint,
  outcomes: Readonly<Record<ModelName, EpochOutcome>>,
  commitsOf: (datanet: DatanetName, contributor: PersonName) => number,
): Expected {
  const ledgerWei = zeros([...PEOPLE, "operator", "treasury", ...PART_LEAVES] as const);
  const l1Wei = zeros(PEOPLE);
  const pay = (who: LeafName, kind: keyof typeof KIND) => {
    const feeWei = operationFeeWei(KIND[kind], FEE_PER_UNIT_WEI);
    ledgerWei[who] -= feeWei;
    ledgerWei.operator += feeWei;
  };
  for (const name of PEOPLE) {
    const { fundedWei, depositWei } = DEPOSITS[name];
    l1Wei[name] += fundedWei - depositWei - ID_FEE_WEI;
    ledgerWei[name] += depositWei;
  }
  addLedgerJob(ledgerWei, pay);
  for (const name of DATANET_NAMES) addDatanet(ledgerWei, pay, name, commitsOf);
  l1Wei.carol += WITHDRAWAL_WEI;
  l1Wei.dave += FORCED_WITHDRAWAL_WEI - forcedFeeWei;
  const rewardsWei = zeros(CLAIMERS);
  for (const name of MODEL_NAMES) addModelJob(ledgerWei, pay, { name, outcome: outcomes[name] }, rewardsWei);
  for (const name of WITHDRAWERS) {
    pay(name, "withdraw");
    ledgerWei[name] -= rewardsWei[name];
    l1Wei[name] += rewardsWei[name];
  }
  return { ledgerWei, l1Wei, rewardsWei };
}

/** Transfers and two withdrawals. */
function addLedgerJob(ledgerWei: Balances, pay: (who: LeafName, kind: keyof typeof KIND) => void): void {
  for (let index = 0; index < FIRST_TRANSFER_COUNT + LATER_TRANSFER_COUNT; index++) {
    const { from, to, amountWei } = planTransfer(index);
    pay(from, "transfer");
    ledgerWei[from] -= amountWei;
    ledgerWei[to] += amountWei;
  }
  pay("carol", "withdraw");
  ledgerWei.carol -= WITHDRAWAL_WEI;
  ledgerWei.dave -= FORCED_WITHDRAWAL_WEI;
}

function addDatanet(
  ledgerWei: Balances,
  pay: (who: LeafName, kind: keyof typeof KIND) => void,
  name: DatanetName,
  commitsOf: (datanet: DatanetName, contributor: PersonName) => number,
): void {
  pay("alice", "createDatanet");
  ledgerWei.alice -= DATANET_AMOUNT_WEI + ID_FEE_WEI;
  ledgerWei[`${name} datanet`] += DATANET_AMOUNT_WEI;
  for (const contributor of CONTRIBUTORS) {
    for (let i = 0; i < commitsOf(name, contributor); i++) pay(contributor, "commitData");
  }
  // The card, then the rows.
  for (let i = 0; i < 2; i++) pay(`${name} datanet`, "publishVersion");
}

/** A model, its payments, its settled epoch and the claims, which are added to what each claimer gets. */
function addModelJob(
  ledgerWei: Balances,
  pay: (who: LeafName, kind: keyof typeof KIND) => void,
  { name, outcome }: { name: ModelName; outcome: EpochOutcome },
  rewardsWei: Record<(typeof CLAIMERS)[number], bigint>,
): void {
  const leaf = `${name} model` as const;
  pay("mia", "createModel");
  ledgerWei.mia -= MODEL_AMOUNT_WEI + ID_FEE_WEI;
  ledgerWei[leaf] += MODEL_AMOUNT_WEI;
  pay(`${MODELS[name].datanet} datanet`, "approveModel");
  for (let i = 0; i < outcome.paymentCount; i++) {
    pay(customerOf(i), "payInference");
    ledgerWei[customerOf(i)] -= PRICE_WEI;
  }
  pay(leaf, "closeEpoch");
  ledgerWei[leaf] += outcome.ownerWei;
  ledgerWei.treasury += outcome.treasuryWei;
  for (const { contributor, validator, earnedWei } of outcome.payees) {
    for (const [who, role] of [
      [contributor, PAYEE_ROLE.contributor],
      [validator, PAYEE_ROLE.validator],
    ] as const) {
      const claimer = CLAIMERS.find((name) => name === who);
      if (claimer === undefined) continue;
      pay(claimer, "claimRewards");
      const shareWei = roleShareWei(earnedWei, role, SPLIT.validatorParts);
      ledgerWei[claimer] += shareWei;
      rewardsWei[claimer] += shareWei;
    }
  }
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, bigint> {
  return Object.fromEntries(names.map((name) => [name, 0n])) as Record<Name, bigint>;
}
