import { useState } from "preact/hooks";
import { mainAccount } from "../ledger/holdings.ts";
import { session } from "../ledger/session.ts";
import { showDuration, showOpen } from "../words/format.ts";
import { Term } from "../words/term.tsx";
import { readAmount } from "./amount.ts";
import { AmountForm } from "./amount-form.tsx";
import type { FormProps } from "./move-forms.tsx";
import { NoAccountYet } from "./no-account.tsx";
import { startWithdraw } from "./start.ts";
import { useAction } from "./use-action.ts";

export function WithdrawForm({ live, info, owned }: FormProps) {
  const [text, setText] = useState("");
  const action = useAction();
  const account = mainAccount(owned);
  if (account === null) return <NoAccountYet />;
  const feeWei = BigInt(info.weights.withdraw ?? 0) * info.feePerUnitWei;
  const maxWei = account.balanceWei - feeWei;
  const amount = readAmount(text, { maxWei, maxWhy: "your account holds no more, the fee counted in" });
  const submit = () =>
    action.run(async () => {
      await startWithdraw(session.value!, owned, amount.wei!);
      setText("");
      live.ring();
    });
  const estimates = live.status.value?.estimates;
  return (
    <AmountForm
      text={text}
      onText={setText}
      amount={amount}
      maxWei={maxWei}
      help={`Your account holds ${showOpen(account.balanceWei)} OPEN.`}
      action={action}
      onSubmit={() => void submit()}
      isReady={amount.wei !== null && amount.problem === null}
      submitLabel="Withdraw"
      busyLabel="Sending …"
      summary={[
        ["Goes to", "your address on Ethereum"],
        ["Fee", `${showOpen(feeWei)} OPEN`],
        [
          <Term name="claimable">Claimable</Term>,
          estimates === undefined
            ? "–"
            : `in about ${showDuration(estimates.closeMs + estimates.proveMs + estimates.postMs)}`,
        ],
        ["Then", "one more click, and a transaction on Ethereum"],
      ]}
    />
  );
}
