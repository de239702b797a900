import { KIND } from "../../../circuits/protocol.ts";
import { operationFeeWei } from "../../../circuits/slot.ts";
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
  PEOPLE,
  type PersonName,
  WITHDRAWAL_WEI,
} from "../config.ts";
import { planTransfer } from "./transfer.ts";

/** What every balance must be after the job, from the plan alone: nothing here asks the devnet. */
export interface Expected {
  readonly ledgerWei: Record<PersonName | "operator" | "datanet", bigint>;
  readonly l1Wei: Record<PersonName, bigint>;
}

export function expectedBalances(forcedFeeWei: bigint): Expected {
  const ledgerWei = { alice: 0n, bob: 0n, carol: 0n, dave: 0n, operator: 0n, datanet: 0n };
  const l1Wei = { alice: 0n, bob: 0n, carol: 0n, dave: 0n };
  const pay = (who: PersonName | "datanet", kind: keyof typeof KIND) => {
    const feeWei = operationFeeWei(KIND[kind], FEE_PER_UNIT_WEI);
    ledgerWei[who] -= feeWei;
    ledgerWei.operator += feeWei;
  };
  for (const name of PEOPLE) {
    const { fundedWei, depositWei } = DEPOSITS[name];
    l1Wei[name] += fundedWei - depositWei;
    ledgerWei[name] += depositWei;
  }
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
  l1Wei.carol += WITHDRAWAL_WEI;
  ledgerWei.dave -= FORCED_WITHDRAWAL_WEI;
  l1Wei.dave += FORCED_WITHDRAWAL_WEI - forcedFeeWei;
  return { ledgerWei, l1Wei };
}
