/**
 * Page "#/bridge": a person connects a wallet, moves OPEN between Ethereum and accounts of the ledger, and follows each transfer
 * to its end.
 */
import { estimateFees } from "@openledger/client/sequencer/fees";
import { Notice } from "../design/notice.tsx";
import { holdings } from "../ledger/holdings.ts";
import { lookProblem } from "../ledger/journey-watch.ts";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { WalletChoice } from "../ledger/wallet-menu.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { Balances } from "./balances.tsx";
import { ContractWalletNotice } from "./contract-wallet.tsx";
import { JourneyList } from "./journey-list.tsx";
import { MoveForms } from "./move-forms.tsx";

/** Page of deposits, transfers and withdrawals, and of the state of each at every moment. */
export function BridgePage({ site, live, rest }: PageProps) {
  const now = session.value;
  const fees = useAnswer(live, "fees", () => estimateFees(site.sequencer));
  const info = live.info.value;
  if (now === null) {
    return (
      <>
        <BridgeHead />
        <section class="card stack narrow">
          <h2>Connect a wallet to start</h2>
          <p class="soft">
            Your wallet signs; this page never sees its key. The key of your ledger account is derived from
            one of its signatures and is forgotten when you close the page.
          </p>
          <WalletChoice site={site} live={live} />
        </section>
      </>
    );
  }
  const owned = holdings.value?.address === now.address ? holdings.value : null;
  // On a phone: where OPEN comes from before the form that moves it.
  const isEmpty = owned?.accounts.length === 0 && owned.l1.tokenWei === 0n;
  return (
    <>
      <BridgeHead />
      {now.wallet.isTest && (
        <Notice tone="wait" title="This is a test wallet of the devnet.">
          <p>Its key is public: anyone can spend what it holds. Never send it anything of value.</p>
        </Notice>
      )}
      {now.isContract && <ContractWalletNotice />}
      {lookProblem.value !== null && live.problem.value === null && (
        <ProblemNotice problem={lookProblem.value} />
      )}
      <div class={isEmpty ? "beside" : "beside beside-first"}>
        {owned === null || info === null ? (
          <p class="soft">Loading your balances …</p>
        ) : (
          <MoveForms
            key={now.address}
            named={rest[0]}
            site={site}
            live={live}
            info={info}
            owned={owned}
            fees={fees.value}
          />
        )}
        <Balances site={site} live={live} session={now} owned={owned} />
      </div>
      <JourneyList live={live} session={now} />
    </>
  );
}

function BridgeHead() {
  return (
    <section class="stack">
      <h1>Bridge</h1>
      <p class="lead">
        Bring OPEN from <Term name="L1">Ethereum</Term> into the ledger, pay others, and withdraw. Ethereum
        enforces every step.
      </p>
    </section>
  );
}
