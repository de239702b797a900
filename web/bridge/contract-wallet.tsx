/** Texts and choices of the bridge page for a wallet that is a contract with owners, such as a Safe. */
import { Check } from "../design/field.tsx";
import { Notice } from "../design/notice.tsx";
import { Term } from "../words/term.tsx";

/** Notice above the forms. */
export function ContractWalletNotice() {
  return (
    <Notice tone="info" title="This is a contract wallet: its owners sign for it.">
      <p>
        It can deposit, withdraw and finalize. Each needs a transaction, which waits in your wallet until
        enough owners have signed it. You can close this page meanwhile. Withdrawals go through Ethereum's
        queue, as <Term name="forced inclusion">forced operations</Term>.
      </p>
    </Notice>
  );
}

/** Text in place of the form that needs a signature of the ledger key. */
export function NoLedgerKey() {
  return (
    <p class="soft">
      A transfer is signed with a ledger key, and a contract wallet has none. Withdraw instead, or let one
      owner hold a key for it: the client library can do that.
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
      label="Approve first, in a transaction of its own"
      help="For wallets that cannot take two calls as one. Keep this page open until the first is executed."
      {...props}
    />
  );
}
