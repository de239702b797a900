/**
 * Gate of all parts that sign: asks for a wallet, an account, then its ledger key, and renders its children with a client that
 * has them.
 */
import type { LedgerClient } from "@openledger/client/ledger-client";
import type { ComponentChildren } from "preact";
import { Button } from "../../design/button.tsx";
import type { PageProps } from "../../ledger/page.ts";
import { useAction } from "../../ledger/use-action.ts";
import { WalletChoice } from "../../ledger/wallet-menu.tsx";
import { ProblemNotice } from "../../words/problem.tsx";
import type { Visitor } from "./visitor.ts";

interface NeedsKeyProps extends Pick<PageProps, "site" | "live"> {
  readonly visitor: Visitor;
  /** Purpose of the key: "label", "answer requests". */
  readonly toDo: string;
  readonly children: (client: LedgerClient, leafId: number) => ComponentChildren;
}

/** Shown before anything is signed: a wallet, an account, and its ledger key, each asked for if it is missing. */
export function NeedsKey({ children, live, site, toDo, visitor }: NeedsKeyProps) {
  const { run, isBusy, problem } = useAction();
  if (!visitor.isConnected)
    return (
      <section class="card stack narrow">
        <h2>Connect a wallet to {toDo}</h2>
        <p class="soft">Everything you submit is signed, so anyone can verify that it is yours.</p>
        <WalletChoice site={site} live={live} />
      </section>
    );
  if (visitor.account === null)
    return (
      <section class="card stack narrow">
        {visitor.isAccountKnown ? (
          <>
            <h2>You need an account to {toDo}</h2>
            <p class="soft">
              You have no account in the ledger yet. <a href="#/bridge/deposit">A deposit opens one.</a>
            </p>
          </>
        ) : (
          <p class="soft">Loading your account …</p>
        )}
      </section>
    );
  if (visitor.client === null)
    return (
      <section class="card stack narrow">
        <h2>Unlock your key to {toDo}</h2>
        <p class="soft">
          Your wallet signs once to derive your ledger key, which stays in this page's memory. After that,
          signing takes no further prompt.
        </p>
        <Button isMain isBusy={isBusy} onClick={() => void run(async () => void (await visitor.unlock()))}>
          Unlock with your wallet
        </Button>
        {problem !== null && <ProblemNotice problem={problem} />}
      </section>
    );
  return <>{children(visitor.client, visitor.account.id)}</>;
}
