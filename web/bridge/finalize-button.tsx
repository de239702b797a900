/**
 * Button "Finalize" of the bridge page: pays out all withdrawals that the contract on Ethereum owes to the wallet, in one
 * transaction.
 */
import { Button } from "../design/button.tsx";
import { lookAfter } from "../ledger/journey-watch.ts";
import type { Live } from "../ledger/live.ts";
import type { Session } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { finalizeWithdrawals } from "./start.ts";

/** Pays out everything that the contract owes to the wallet, in one transaction. */
export function FinalizeButton({ live, session }: { live: Live; session: Session }) {
  const action = useAction();
  const pay = async () => {
    await action.run(() => finalizeWithdrawals(session));
    void lookAfter(live);
  };
  return (
    <>
      <Button isMain isSmall isBusy={action.isBusy} onClick={() => void pay()}>
        Finalize
      </Button>
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </>
  );
}
