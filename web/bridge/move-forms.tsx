/** Card of the bridge page with a tab each for deposit, transfer and withdrawal. */
import { Tabs } from "../design/tabs.tsx";
import { openPart } from "../routes.ts";
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

/** Card of the bridge page with the forms of deposit, transfer and withdrawal. `named` is the one in the address. */
export function MoveForms({ named, ...props }: FormProps & { named: string | undefined }) {
  const usual: TabName = props.owned.accounts.length === 0 ? "deposit" : "transfer";
  const tab = TABS.find(({ name }) => name === (named ?? usual)) ?? TABS[0];
  return (
    <section class="card stack" aria-label="Move money">
      <Tabs
        label="What to do"
        tabs={TABS}
        selected={tab.name}
        onSelect={(name) => openPart(`#/bridge/${name}`)}
        panelId="move-panel"
      />
      <div id="move-panel" role="tabpanel" aria-label={tab.label}>
        <tab.show {...props} />
      </div>
      <p class="soft small">The fee is shown above. Deposits and forced withdrawals also pay Ethereum gas.</p>
    </section>
  );
}
