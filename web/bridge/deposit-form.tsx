/** Deposit form of the bridge page: OPEN from the wallet into the visitor's ledger account, which the first deposit opens. */
import { useState } from "preact/hooks";
import { Notice } from "../design/notice.tsx";
import { mainAccount } from "../ledger/holdings.ts";
import { session } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { showOpen } from "../words/format.ts";
import { Open } from "../words/open.tsx";
import { Term } from "../words/term.tsx";
import { readAmount } from "./amount.ts";
import { AmountForm } from "./amount-form.tsx";
import { InTwoSteps } from "./contract-wallet.tsx";
import type { FormProps } from "./form-parts.tsx";
import { startDeposit } from "./start.ts";

/** Amount, fee and the number of signatures; a contract wallet may approve in a transaction of its own. */
export function DepositForm({ live, owned }: FormProps) {
  const [text, setText] = useState("");
  const [isInTwo, setInTwo] = useState(false);
  const action = useAction();
  const isContract = session.value!.isContract;
  const account = mainAccount(owned);
  const feeWei = account === null ? owned.depositFeesWei.new : owned.depositFeesWei.existing;
  const maxWei = owned.l1.tokenWei - feeWei;
  const amount = readAmount(text, {
    minWei: owned.minDepositWei,
    minWhy: "the minimum deposit of the contract",
    maxWei,
    maxWhy: "your balance on Ethereum minus the fee",
  });
  // Whoever sends a contract wallet's transaction pays its gas.
  const lacksEther = !isContract && owned.l1.etherWei === 0n;
  const submit = () =>
    action.run(async () => {
      await startDeposit(session.value!, owned, amount.wei!, isInTwo ? "approve" : "batch");
      setText("");
      live.ring();
    });
  return (
    <AmountForm
      text={text}
      onText={setText}
      amount={amount}
      maxWei={maxWei}
      help={`You hold ${showOpen(owned.l1.tokenWei)} OPEN on Ethereum.`}
      action={action}
      onSubmit={() => void submit()}
      isReady={amount.wei !== null && amount.problem === null}
      submitLabel={account === null ? "Deposit and open an account" : "Deposit"}
      busyLabel="Confirm in your wallet …"
      after={
        <>
          {lacksEther && (
            <Notice tone="wait" title="This wallet has no ETH.">
              <p>
                A deposit is a transaction on Ethereum, whose gas is paid in ETH. Send some to this wallet
                first; this page notices it.
              </p>
            </Notice>
          )}
          {isContract && <InTwoSteps isChecked={isInTwo} onCheck={setInTwo} />}
        </>
      }
      summary={[
        [
          "Goes to",
          account === null ? (
            <>
              a new <Term name="account" /> of yours
            </>
          ) : (
            `your account ${account.id}`
          ),
        ],
        [account === null ? "Fee for opening it, burned" : "Fee", <Open wei={feeWei} />],
        ["In your account", "with the next batch after Ethereum confirms it"],
        [
          "Your wallet asks for",
          isContract ? (
            `${isInTwo ? "two transactions" : "one transaction"}, which its owners sign`
          ) : (
            <>
              {account === null && "two signatures for the ledger key, "}a <Term name="permit" />, and one
              transaction
            </>
          ),
        ],
      ]}
    />
  );
}
