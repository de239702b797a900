import { useState } from "preact/hooks";
import type { SequencerInfo } from "../../client/sequencer/sequencer-schemas.ts";
import { Tabs } from "../design/tabs.tsx";
import type { Holdings } from "../ledger/holdings.ts";
import type { Live } from "../ledger/live.ts";
import { DepositForm } from "./deposit-form.tsx";
import { TransferForm } from "./transfer-form.tsx";
import { WithdrawForm } from "./withdraw-form.tsx";

export interface FormProps {
  readonly live: Live;
  readonly info: SequencerInfo;
  readonly owned: Holdings;
}

const TABS = [
  { name: "deposit", label: "Deposit", show: DepositForm },
  { name: "transfer", label: "Transfer", show: TransferForm },
  { name: "withdraw", label: "Withdraw", show: WithdrawForm },
] as const;
type TabName = (typeof TABS)[number]["name"];

/** The three ways that money moves. */
export function MoveForms(props: FormProps) {
  const [selected, select] = useState<TabName>(props.owned.accounts.length === 0 ? "deposit" : "transfer");
  const tab = TABS.find(({ name }) => name === selected)!;
  return (
    <section class="card stack" aria-label="Move money">
      <Tabs label="What to do" tabs={TABS} selected={selected} onSelect={select} panelId="move-panel" />
      <div id="move-panel" role="tabpanel" aria-label={tab.label}>
        <tab.show {...props} />
      </div>
    </section>
  );
}
