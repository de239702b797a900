/**
 * Withdrawal form of the bridge page: OPEN from the ledger account to the visitor's address on Ethereum, by the sequencer or
 * forced through L1's queue.
 */
import { useState } from "preact/hooks";
import { Check } from "../design/field.tsx";
import { mainAccount } from "../ledger/holdings.ts";
import { session } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { showDuration, showOpen } from "../words/format.ts";
import { Open } from "../words/open.tsx";
import { Term } from "../words/term.tsx";
import { readAmount } from "./amount.ts";
import { AmountForm } from "./amount-form.tsx";
import { InTwoSteps } from "./contract-wallet.tsx";
import { type FormProps, feeOf, NoAccountYet } from "./form-parts.tsx";
import { startForcedWithdraw, startWithdraw } from "./start.ts";

/** Amount, way and fee. Paying out takes one more transaction, which the transfer list offers. */
export function WithdrawForm({ live, info, owned, fees }: FormProps) {
  const [text, setText] = useState("");
  const isContract = session.value!.isContract;
  const [isChosen, setForced] = useState(false);
  const isForced = isChosen || isContract;
  const [isInTwo, setInTwo] = useState(false);
  const action = useAction();
  const account = mainAccount(owned);
  if (account === null) return <NoAccountYet />;
  // A forced one pays its fee on Ethereum.
  const feeWei = isForced ? 0n : feeOf("withdraw", fees, info);
  const maxWei = account.balanceWei - feeWei;
  const amount = readAmount(text, { maxWei, maxWhy: "your balance minus the fee" });
  const submit = () =>
    action.run(async () => {
      if (isForced)
        await startForcedWithdraw(session.value!, owned, amount.wei!, isInTwo ? "approve" : "batch");
      else await startWithdraw(session.value!, owned, amount.wei!);
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
      submitLabel={isForced ? "Force the withdrawal" : "Withdraw"}
      busyLabel={isForced ? "Confirm in your wallet …" : "Sending …"}
      after={
        isContract ? (
          <InTwoSteps isChecked={isInTwo} onCheck={setInTwo} />
        ) : (
          <Check
            label={
              <>
                Go through Ethereum's queue, as a <Term name="forced inclusion">forced operation</Term>
              </>
            }
            help="Slower and more expensive, but the operator can neither refuse nor change it."
            isChecked={isForced}
            onCheck={setForced}
          />
        )
      }
      summary={[
        ["Goes to", "your address on Ethereum"],
        isForced
          ? ["Fee, burned on Ethereum", <Open wei={owned.forcedFeeWei} />]
          : ["Fee, at most", <Open wei={feeWei} />],
        [
          <Term name="finalizable">Finalizable</Term>,
          isForced
            ? "with the next batch; after a day, anyone can include it"
            : estimates === undefined
              ? "–"
              : `in about ${showDuration(Math.max(1_000, estimates.closeMs + estimates.proveMs + estimates.postMs))}`,
        ],
        ["Then", "one more click and a transaction on Ethereum"],
      ]}
    />
  );
}
