/**
 * Column of the bridge page with the visitor's money: OPEN and ether in the wallet, OPEN in the ledger account with its check
 * against Ethereum, and the withdrawals that can be paid out. Amounts are in wei.
 */
import { DEVNET_CHAIN_ID } from "@openledger/contracts/l1/devnet-chain";
import { Badge } from "../design/badge.tsx";
import { type BalanceCheck, type Holdings, mainAccount } from "../ledger/holdings.ts";
import { isFinalizable } from "../ledger/journey.ts";
import { journeys } from "../ledger/journey-store.ts";
import type { Live } from "../ledger/live.ts";
import type { Session } from "../ledger/session.ts";
import type { Site } from "../ledger/site.ts";
import { showOpen } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import { Faucet } from "./faucet.tsx";
import { FinalizeButton } from "./finalize-button.tsx";

interface BalancesProps {
  readonly site: Site;
  readonly live: Live;
  readonly session: Session;
  /** null until the first look is back. */
  readonly owned: Holdings | null;
}

/** Cards of both balances. Shown once a wallet is connected. */
export function Balances({ site, live, session, owned }: BalancesProps) {
  const account = mainAccount(owned);
  const info = live.info.value;
  return (
    <div class="stack">
      <section class="card stack-s" aria-label="On Ethereum">
        <h2 class="soft small">
          On <Term name="L1">Ethereum</Term>
        </h2>
        <Amount wei={owned?.l1.tokenWei ?? null} />
        <p class="soft small">
          {owned === null ? "asking …" : `and ${showOpen(owned.l1.etherWei)} ETH for transactions`}
        </p>
        {info?.chainId === DEVNET_CHAIN_ID && site.l1Url !== null && (
          <Faucet
            live={live}
            session={session}
            info={info}
            l1Url={site.l1Url}
            isMain={owned?.l1.tokenWei === 0n}
          />
        )}
        {owned !== null && owned.l1.pendingWei > 0n && (
          <FinalizeWithdrawal live={live} session={session} pendingWei={owned.l1.pendingWei} />
        )}
      </section>
      <section class="card stack-s" aria-label="In the ledger">
        <h2 class="soft small">
          In the <Term name="ledger">ledger</Term>
        </h2>
        <Amount wei={owned === null ? null : (account?.balanceWei ?? 0n)} />
        {owned !== null && account === null && <p class="soft small">no account yet; a deposit opens one</p>}
        {account !== null && (
          <>
            <p class="soft small row">
              account <LeafLink id={account.id} />
              <CheckBadge checked={owned?.checked ?? null} balanceWei={account.balanceWei} />
            </p>
            <CheckText checked={owned?.checked ?? null} balanceWei={account.balanceWei} />
          </>
        )}
      </section>
    </div>
  );
}

interface CheckProps {
  readonly checked: BalanceCheck | null;
  readonly balanceWei: bigint;
}

/**
 * Mark of a verified balance: this very balance leads to the root in the contract. A newer one is the operator's word
 * until it is posted.
 */
function CheckBadge({ checked, balanceWei }: CheckProps) {
  if (checked !== null && "problem" in checked) return <Badge tone="bad">contradicted</Badge>;
  if (checked?.balanceWei === balanceWei) {
    return (
      <Badge tone="good">
        <Term name="verified" />
      </Badge>
    );
  }
  return (
    <Badge tone="wait">
      <Term name="unverified">not on Ethereum yet</Term>
    </Badge>
  );
}

function CheckText({ checked, balanceWei }: CheckProps) {
  if (checked === null) return <p class="soft small">Ethereum does not have this account yet.</p>;
  if ("problem" in checked) return <ProblemNotice problem={checked.problem} />;
  if (checked.balanceWei === balanceWei)
    return <p class="soft small">Ethereum has it so since batch {checked.batchNumber} at the latest.</p>;
  return (
    <p class="soft small">
      Ethereum has <Open wei={checked.balanceWei} />, as of batch {checked.batchNumber}; the rest is on its
      way.
    </p>
  );
}

function Amount({ wei }: { wei: bigint | null }) {
  return (
    <p class="figure">
      {wei === null ? "–" : <Open wei={wei} isBare />} <small>OPEN</small>
    </p>
  );
}

/** Amount that the contract owes. If a transfer in the list below is ready, the button is there. */
function FinalizeWithdrawal({
  live,
  session,
  pendingWei,
}: {
  live: Live;
  session: Session;
  pendingWei: bigint;
}) {
  return (
    <div class="claim row">
      <p>
        <strong>
          <Open wei={pendingWei} />
        </strong>{" "}
        <Term name="finalizable">ready for you</Term>
      </p>
      <span class="push" />
      {!journeys.value.some(isFinalizable) && <FinalizeButton live={live} session={session} />}
    </div>
  );
}
