/** Texts and choices of the bridge page for a wallet that is a contract with owners, such as a Safe. */
import { Check } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { Term } from "../words/term.tsx";

/** Notice above the forms. */
export function ContractWalletNotice() {
  return (
    <Notice tone="info" title="This is a contract wallet; its owners sign for it.">
      <p>
        It can deposit, withdraw and finalize. Each needs a transaction that waits in your wallet until enough
        owners have signed. You can close this page meanwhile. Withdrawals go through Ethereum's queue as{" "}
        <Term name="forced inclusion">forced operations</Term>.
      </p>
    </Notice>
  );
}

/** Text in place of the form that needs a signature of the ledger key. */
export function NoLedgerKey() {
  return (
    <p class="soft">
      Transfers are signed with a ledger key, which a contract wallet lacks. Withdraw instead, or let one
      owner hold a key with the client library.
    </p>
  );
}

interface InTwoStepsProps {
  readonly isChecked: boolean;
  readonly onCheck: (isChecked: boolean) => void;
}

/**
 * Choice to approve in a transaction of its own. The wallet signs no permit, so it approves in one step with the rest,
 * or before.
 */
export function InTwoSteps(props: InTwoStepsProps) {
  return (
    <Check
      label="Approve first, in a separate transaction"
      help="For wallets that cannot combine two calls. Keep this page open until the first is executed."
      {...props}
    />
  );
}
