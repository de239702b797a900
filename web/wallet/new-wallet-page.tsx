/**
 * Page "#/wallet": a person who changed or lost a wallet gives an account, with all it earned and earns, another owner and another
 * key. Two roads, and what nobody can recover.
 */

import { estimateFees } from "@openledger/client/sequencer/fees";
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { useEffect } from "preact/hooks";
import { FactList } from "../design/fact-list.tsx";
import { Nav } from "../design/tabs.tsx";
import { holdings } from "../ledger/holdings.ts";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { WalletChoice } from "../ledger/wallet-menu.tsx";
import { Open } from "../words/open.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { AccountMove } from "./account-move.tsx";
import { KeyMove } from "./key-move.tsx";
import { loadTarget } from "./move-target.ts";
import { NameAgain } from "./name-again.tsx";

const ROADS = [
  { href: "#/wallet", label: "I have the old wallet" },
  { href: "#/wallet/key", label: "I lost the ledger key" },
  { href: "#/wallet/lost", label: "I lost the wallet" },
] as const;

export function NewWalletPage(props: PageProps) {
  const { live, rest, site } = props;
  const info = live.info.value;
  const now = session.value;
  useEffect(() => {
    if (info !== null) loadTarget(info);
  }, [info === null]);
  const owned = useAnswer<readonly LedgerLeaf[] | null>(live, `leaves of ${now?.address}`, async () =>
    now === null ? null : findLeaves(site.sequencer, { owner: now.address }),
  );
  const road = rest[0] ?? "";
  const leaves = owned.value ?? null;
  return (
    <>
      <section class="stack">
        <h1>A new wallet</h1>
        <p class="lead">
          What you earned belongs to the number of your account, not to a wallet. Two things make the account
          yours: the <strong>owner</strong>, a wallet on <Term name="L1">Ethereum</Term>, and the{" "}
          <strong>ledger key</strong>, which signs inside the ledger. Both can be replaced. Rows, names,
          rewards and payments keep the number.
        </p>
        <Nav pages={ROADS} current={`#/wallet${road === "" ? "" : `/${road}`}`} label="Roads" />
      </section>
      {owned.problem !== null && <ProblemNotice problem={owned.problem} />}
      {road === "lost" ? (
        <Lost />
      ) : road === "key" ? (
        <KeyMove {...props} leaves={leaves} />
      ) : (
        <AccountMove {...props} leaves={leaves} />
      )}
      {now !== null && <NameAgain {...props} leaves={leaves} />}
      {road !== "lost" && <Needs {...props} isForcedKey={road === "key"} />}
      {now === null && road === "key" && (
        <section class="card stack narrow">
          <h2>Connect the owner's wallet</h2>
          <WalletChoice site={site} live={live} />
        </section>
      )}
    </>
  );
}

/** Cost, signers and duration of a way to move. */
function Needs({ live, site, isForcedKey }: PageProps & { isForcedKey: boolean }) {
  const fees = useAnswer(live, "fees of keys", () => estimateFees(site.sequencer));
  const keyFeeWei = fees.value?.operations["setKey"]?.nextFeeWei ?? null;
  const queueFeeWei = holdings.value?.forcedFeeWei ?? null;
  return (
    <section class="card stack" aria-label="What it takes">
      <h2>What it takes</h2>
      <FactList
        facts={
          isForcedKey
            ? [
                ["Who signs", "the owner's wallet: a transaction on Ethereum"],
                [
                  "Fee",
                  <>
                    {queueFeeWei === null ? "the queue's fee" : <Open wei={queueFeeWei} />}, burned on
                    Ethereum, and gas
                  </>,
                ],
                ["Time", "with the next batch; after a day, anyone can include it"],
                [
                  "Notice",
                  "for a week, hosts of Datanets erase no rows, grant no access and show no permissioned rows to the new key",
                ],
              ]
            : [
                ["Who signs", "the old ledger key and the old wallet; the new wallet once, for its key"],
                [
                  "Fee",
                  <>
                    {queueFeeWei === null ? "the queue's fee" : <Open wei={queueFeeWei} />}, burned on
                    Ethereum, and gas; the key {keyFeeWei === null ? "a small fee" : <Open wei={keyFeeWei} />}
                  </>,
                ],
                [
                  "Time",
                  "the key at once; the owner with the next batch; after a day, anyone can include it",
                ],
                ["Notice", "none, since the old key signs for the new one"],
              ]
        }
      />
      <p class="soft small">
        Withdrawals that are on Ethereum already, and not yet in your wallet, go to the old address. Finalize
        them first. If the ledger is frozen before the new owner is on Ethereum, only the old one can leave
        with the money.
      </p>
    </section>
  );
}

/** List of what cannot be recovered, in plain words. */
function Lost() {
  return (
    <section class="card stack" aria-label="What is left">
      <h2>What is left without the owner's wallet</h2>
      <FactList
        facts={[
          [
            "With the ledger key alone",
            "You can claim rewards, transfer and withdraw to any address, sign names and records, and hand the key on (openledger account rotate-key). You cannot change the owner, force an operation, or leave a frozen ledger.",
          ],
          [
            "With neither",
            "Nobody can help: no operator, no host and no vote can move an account. Later rewards add up in it, out of reach.",
          ],
          [
            "With the wallet's recovery words",
            "Restore the wallet in any software. It derives the same ledger key again, and nothing is lost.",
          ],
          [
            "If somebody else has the wallet",
            "Move the account before they do: the first entry in Ethereum's queue wins. Withdraw and transfer what is there at once.",
          ],
        ]}
      />
      <p>
        As long as a page still has your ledger key in its memory, use it:{" "}
        <a href="#/earnings">claim what you earned</a>, then <a href="#/bridge/transfer">transfer it</a> to an
        account of a new wallet.
      </p>
    </section>
  );
}
