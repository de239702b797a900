/**
 * Sign-in before every page of the factory: connects a wallet, unlocks the ledger key, and opens a session at the factory that
 * the site names.
 */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Button } from "../design/button.tsx";
import { Notice } from "../design/notice.tsx";
import { askUntilAnswered } from "../ledger/ask-again.ts";
import { holdings, mainAccount } from "../ledger/holdings.ts";
import type { PageProps } from "../ledger/page.ts";
import { session, unlock } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { WalletChoice } from "../ledger/wallet-menu.tsx";
import { type Problem, ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { type FactorySession, openFactorySession } from "./factory-session.ts";

interface FactoryGateProps extends PageProps {
  readonly children: (factorySession: FactorySession) => ComponentChildren;
}

/** Shows pages that need a factory, once there is one, and an account has signed in. */
export function FactoryGate({ children, live, site }: FactoryGateProps) {
  const now = session.value;
  const owned = now !== null && holdings.value?.address === now.address ? holdings.value : null;
  const account = mainAccount(owned);
  const [factorySession, setFactorySession] = useState<FactorySession | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const signing = useAction();
  const isSignedIn = now !== null && now.client.l2Key !== null;
  const { factoryUrl } = site;
  useEffect(() => {
    setFactorySession(null);
    if (factoryUrl === null || !isSignedIn || account === null) return;
    return askUntilAnswered(
      () => openFactorySession(factoryUrl, now.client, account.id),
      (outcome) => {
        setProblem(outcome.state === "found" ? null : outcome.problem);
        if (outcome.state === "found") setFactorySession(outcome.value);
      },
    );
  }, [factoryUrl, isSignedIn, account?.id]);

  if (factoryUrl === null) {
    return (
      <Notice tone="info" title="This site has no factory.">
        <p>
          A factory trains models on its own machine. The operator of this site can run one and add it here.
        </p>
      </Notice>
    );
  }
  if (factorySession !== null) return <>{children(factorySession)}</>;
  if (problem !== null) return <ProblemNotice problem={problem} />;
  return (
    <section class="card stack narrow">
      <h2>Sign in to the factory</h2>
      {now === null ? (
        <>
          <p class="soft">Your wallet is your account: no password, no e-mail address.</p>
          <WalletChoice site={site} live={live} />
        </>
      ) : owned === null ? (
        <p class="soft">Loading your account …</p>
      ) : account === null ? (
        <p>
          You have no account in the <Term name="ledger" /> yet. <a href="#/bridge">A deposit</a> opens one.
        </p>
      ) : isSignedIn ? (
        <p class="soft">Connecting to the factory …</p>
      ) : (
        <>
          <p class="soft">
            Your wallet signs once; no money moves. Jobs belong to your account {account.id}, and no one else
            sees them.
          </p>
          <Button
            isMain
            isBusy={signing.isBusy}
            onClick={() =>
              void signing.run(async () => {
                await unlock(
                  now,
                  owned.accounts.map(({ keyX }) => keyX),
                );
              })
            }
          >
            Sign in
          </Button>
          {signing.problem !== null && <ProblemNotice problem={signing.problem} />}
        </>
      )}
    </section>
  );
}
