import { WHO_PAYS } from "@openledger/client/sequencer/fees";
import { useState } from "preact/hooks";
import { Tabs } from "../design/tabs.tsx";
import { DepositForm } from "./deposit-form.tsx";
import type { FormProps } from "./form-parts.tsx";
import { TransferForm } from "./transfer-form.tsx";
import { WithdrawForm } from "./withdraw-form.tsx";

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
      <p class="soft small">{WHO_PAYS}</p>
    </section>
  );
}
