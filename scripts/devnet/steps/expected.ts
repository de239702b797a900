import { operationFeeWei } from "../../../circuits/batch/slot.ts";
import { EARNER_ROLE, roleShareWei } from "../../../circuits/ledger/rewards.ts";
import { KIND } from "../../../circuits/protocol.ts";
import {
  COMMITS_EACH,
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
import { customerOf } from "../plan.ts";
import { COLLECTORS, WITHDRAWERS } from "./earn.ts";
import { planTransfer } from "./transfer.ts";

/** Everybody whose balance in the ledger is compared. */
export type LeafName = PersonName | "operator" | "datanet" | "model" | "treasury";

/** What every balance must be after the job, from the plan and the epoch's outcome: nothing here asks the devnet. */
export interface Expected {
  readonly ledgerWei: Readonly<Record<LeafName, bigint>>;
  readonly l1Wei: Readonly<Record<PersonName, bigint>>;
  /** What each collector takes out of the model. */
  readonly rewardsWei: Readonly<Record<(typeof COLLECTORS)[number], bigint>>;
}

/** Who earned what in the epoch, as computed from payments, openings and L1's randomness. */
export interface EpochOutcome {
  readonly paymentCount: number;
  readonly ownerWei: bigint;
  readonly treasuryWei: bigint;
  readonly earners: readonly {
    readonly contributor: PersonName;
    readonly validator: PersonName;
    readonly earnedWei: bigint;
  }[];
}

type Balances = Record<LeafName, bigint>;

export function expectedBalances(forcedFeeWei: bigint, outcome: EpochOutcome): Expected {
  const ledgerWei = zeros([...PEOPLE, "operator", "datanet", "model", "treasury"] as const);
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
  l1Wei.carol += WITHDRAWAL_WEI;
  l1Wei.dave += FORCED_WITHDRAWAL_WEI - forcedFeeWei;
  const rewardsWei = addModelJob(ledgerWei, pay, outcome);
  for (const name of WITHDRAWERS) {
    pay(name, "withdraw");
    ledgerWei[name] -= rewardsWei[name];
    l1Wei[name] += rewardsWei[name];
  }
  return { ledgerWei, l1Wei, rewardsWei };
}

/** Transfers, the datanet and two withdrawals. */
function addLedgerJob(ledgerWei: Balances, pay: (who: LeafName, kind: keyof typeof KIND) => void): void {
  for (let index = 0; index < FIRST_TRANSFER_COUNT + LATER_TRANSFER_COUNT; index++) {
    const { from, to, amountWei } = planTransfer(index);
    pay(from, "transfer");
    ledgerWei[from] -= amountWei;
    ledgerWei[to] += amountWei;
  }
  pay("alice", "createDatanet");
  ledgerWei.alice -= DATANET_AMOUNT_WEI + ID_FEE_WEI;
  ledgerWei.datanet += DATANET_AMOUNT_WEI;
  for (const name of CONTRIBUTORS) {
    for (let i = 0; i < COMMITS_EACH; i++) pay(name, "commitData");
  }
  pay("datanet", "publishVersion");
  pay("carol", "withdraw");
  ledgerWei.carol -= WITHDRAWAL_WEI;
  ledgerWei.dave -= FORCED_WITHDRAWAL_WEI;
}

/** The model, its payments, its settled epoch and the collections. @returns what each collector gets */
function addModelJob(
  ledgerWei: Balances,
  pay: (who: LeafName, kind: keyof typeof KIND) => void,
  outcome: EpochOutcome,
): Record<(typeof COLLECTORS)[number], bigint> {
  pay("mia", "createModel");
  ledgerWei.mia -= MODEL_AMOUNT_WEI + ID_FEE_WEI;
  ledgerWei.model += MODEL_AMOUNT_WEI;
  pay("datanet", "approveModel");
  for (let i = 0; i < outcome.paymentCount; i++) {
    pay(customerOf(i), "payInference");
    ledgerWei[customerOf(i)] -= PRICE_WEI;
  }
  pay("model", "seal");
  ledgerWei.model += outcome.ownerWei;
  ledgerWei.treasury += outcome.treasuryWei;
  const rewardsWei = zeros(COLLECTORS);
  for (const { contributor, validator, earnedWei } of outcome.earners) {
    for (const [who, role] of [
      [contributor, EARNER_ROLE.contributor],
      [validator, EARNER_ROLE.validator],
    ] as const) {
      const collector = COLLECTORS.find((name) => name === who);
      if (collector === undefined) continue;
      pay(collector, "collect");
      const shareWei = roleShareWei(earnedWei, role, SPLIT.validatorParts);
      ledgerWei[collector] += shareWei;
      rewardsWei[collector] += shareWei;
    }
  }
  return rewardsWei;
}

function zeros<Name extends string>(names: readonly Name[]): Record<Name, bigint> {
  return Object.fromEntries(names.map((name) => [name, 0n])) as Record<Name, bigint>;
}
