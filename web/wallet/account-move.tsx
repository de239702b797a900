/** First road of the page "A new wallet": both wallets are there. The new one gives its code, the old one moves each leaf. */
import { findLeaves } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { useState } from "preact/hooks";
import { isAddressEqual } from "viem";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { Timeline, type TimelineStep } from "../design/timeline.tsx";
import { lookAfter } from "../ledger/journey-watch.ts";
import type { PageProps } from "../ledger/page.ts";
import { rollupOf } from "../ledger/rollup-storage.ts";
import { disconnect, type Session, session } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { WalletChoice } from "../ledger/wallet-menu.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { SetKeyButton } from "./key-move.tsx";
import { moveLeaf } from "./move-leaf.ts";
import { codeOf, type MoveTarget, moveTarget, readCode, storeTarget } from "./move-target.ts";
import { OwnedLeaves } from "./owned-leaves.tsx";

interface AccountMoveProps extends PageProps {
  /** Leaves of the connected wallet; null until they are known. */
  readonly leaves: readonly LedgerLeaf[] | null;
}

export function AccountMove(props: AccountMoveProps) {
  const { leaves, live, site } = props;
  const now = session.value;
  const target = moveTarget.value;
  const isAtNew = now !== null && target !== null && isAddressEqual(now.address, target.address);
  const isOwned = isAtNew && leaves?.some(({ kind }) => kind === "account") === true;
  const there = useAnswer<readonly LedgerLeaf[]>(live, `leaves of the target ${target?.address}`, async () =>
    target === null ? [] : findLeaves(site.sequencer, { owner: target.address }),
  );
  /** Leaves whose owner has moved without their key, as where the old wallet's page was closed between the two. */
  const unkeyed =
    target === null || target.keyX === 0n
      ? []
      : (there.value ?? []).filter(({ keyX }) => keyX !== target.keyX);
  const hasArrived = isOwned && there.value !== undefined && unkeyed.length === 0;
  const locations = ["new", "old", "arrived"] as const;
  const at = target === null ? 0 : hasArrived ? 2 : 1;
  const labels = { new: "The new wallet", old: "The old wallet moves", arrived: "Yours again" };
  const steps = locations.map(
    (name, i): TimelineStep => ({
      name,
      label: labels[name],
      state: i < at || (hasArrived && i === at) ? "done" : i === at ? "current" : "ahead",
    }),
  );
  return (
    <section class="card stack" aria-label="Move to a new wallet">
      <Timeline label="Steps of the move" steps={steps} />
      {target === null ? (
        <ChooseTarget {...props} />
      ) : (
        <>
          <TargetFacts target={target} />
          {now === null && (
            <>
              <p>Now connect the wallet that owns the account today.</p>
              <WalletChoice site={site} live={live} />
            </>
          )}
          {hasArrived && (
            <Notice tone="good" title="The account is this wallet's.">
              <p>
                <a href="#/earnings">Earnings and rows</a> and <a href="#/bridge">the balance</a> are where
                they were. The old key is refused.
              </p>
            </Notice>
          )}
          {now !== null && unkeyed.length > 0 && (
            <>
              <Notice tone="wait" title="The owner has moved, and the ledger key has not.">
                <p>
                  {isAtNew ? (
                    <>
                      The old key still signs. Connect the old wallet, which signs for the new key at once; or
                      set this wallet's key through Ethereum, and <a href="#/wallet/key">a week's notice</a>{" "}
                      begins.
                    </>
                  ) : (
                    "The move was broken off between the two. The old wallet signs for the new key, which costs a small fee of the account."
                  )}
                </p>
              </Notice>
              <OwnedLeaves
                leaves={unkeyed}
                act={(leaf) =>
                  isAtNew ? (
                    <SetKeyButton key={leaf.id} keyX={target.keyX} leaf={leaf} live={live} now={now} />
                  ) : (
                    <MoveButton key={leaf.id} leaf={leaf} live={live} now={now} target={target} />
                  )
                }
              />
            </>
          )}
          {isAtNew && !isOwned && (
            <div class="stack-s">
              <p>This is the new wallet. Choose the old one in it, or disconnect and connect the old one.</p>
              <Button onClick={disconnect}>Disconnect</Button>
            </div>
          )}
          {now !== null && !isAtNew && leaves?.length === 0 && unkeyed.length === 0 && (
            <Notice tone="info" title="This wallet owns nothing in the ledger now.">
              <p>
                If the account was its before, the move is done: disconnect it, and connect the new wallet.
              </p>
              <Button onClick={disconnect}>Disconnect</Button>
            </Notice>
          )}
          {now !== null && !isAtNew && leaves !== null && leaves.length > 0 && (
            <OwnedLeaves
              leaves={leaves}
              act={(leaf) => <MoveButton key={leaf.id} leaf={leaf} live={live} now={now} target={target} />}
            />
          )}
        </>
      )}
    </section>
  );
}

function TargetFacts({ target }: { target: MoveTarget }) {
  const rollup = session.value === null ? null : rollupOf(session.value.client);
  return (
    <p class="row">
      <span>
        New wallet <Identifier value={target.address} label="the new wallet's address" />
      </span>
      <span class="soft small">
        its code <Identifier value={codeOf(target)} label="the new wallet's code" />
      </span>
      {rollup !== null && (
        <Button isSmall onClick={() => storeTarget(rollup, null)}>
          Another one
        </Button>
      )}
    </p>
  );
}

/** The connected wallet becomes the target, or a code from another browser. */
function ChooseTarget({ live, site }: AccountMoveProps) {
  const [text, setText] = useState("");
  const action = useAction();
  const now = session.value;
  const info = live.info.value;
  const read = readCode(text);
  if (info === null) return <p class="soft">Loading …</p>;
  const take = () =>
    action.run(async () => {
      const { deriveSessionKey } = await import("../ledger/open-wallet.ts");
      const keyX = now!.isContract ? 0n : (await deriveSessionKey(now!, [])).keyX;
      storeTarget(info, { address: now!.address, keyX });
      disconnect();
    });
  return (
    <div class="columns">
      <div class="stack-s">
        <h2>Here</h2>
        {now === null ? (
          <>
            <p class="soft">Connect the new wallet. It signs once, for its ledger key, and sends nothing.</p>
            <WalletChoice site={site} live={live} />
          </>
        ) : (
          <>
            <p class="soft">
              {now.address.slice(0, 8)}…{now.address.slice(-6)} is connected. If it is the old one, choose
              another in the wallet.
            </p>
            <Button isMain isBusy={action.isBusy} onClick={() => void take()}>
              This is my new wallet
            </Button>
          </>
        )}
        {action.problem !== null && <ProblemNotice problem={action.problem} />}
      </div>
      <div class="stack-s">
        <h2>In another browser</h2>
        <Field
          label="Code of the new wallet"
          value={text}
          onInput={setText}
          help="Open this page there, choose the new wallet, and copy its code."
          problem={text === "" || read !== null ? null : "This is no code: copy it whole."}
        />
        <Button isDisabled={read === null} onClick={() => storeTarget(info, read)}>
          Use the code
        </Button>
      </div>
    </div>
  );
}

/** Moves one leaf; again where it was broken off. */
function MoveButton({
  leaf,
  live,
  now,
  target,
}: {
  readonly leaf: LedgerLeaf;
  readonly live: PageProps["live"];
  readonly now: Session;
  readonly target: MoveTarget;
}) {
  const action = useAction();
  const [sent, setSent] = useState<"signed" | "forced" | null>(null);
  const isKeyed = leaf.keyX === target.keyX;
  const move = () =>
    action.run(async () => {
      const { key } = await moveLeaf(now, leaf, target, true);
      setSent(key !== null && "queueIndex" in key ? "forced" : "signed");
      live.ring();
      void lookAfter(live);
    });
  if (sent !== null)
    return (
      <div class="stack-s">
        <Badge tone="wait">waits for the next batch</Badge>
        <div class="row">
          <Button isSmall isBusy={action.isBusy} onClick={() => void move()}>
            Go on with it
          </Button>
          <span class="soft small">Signs only what is missing, if the wait does not end.</span>
        </div>
        {action.problem !== null && <ProblemNotice problem={action.problem} />}
        {sent === "forced" && (
          <p class="soft small">
            The old key did not sign: <a href="#/wallet/key">a week's notice</a> begins.
          </p>
        )}
      </div>
    );
  return (
    <div class="stack-s">
      {isKeyed && <Badge tone="wait">has the new key, not yet the new owner</Badge>}
      <Button isSmall isMain isBusy={action.isBusy} onClick={() => void move()}>
        {action.isBusy
          ? "Confirm in your wallet …"
          : isKeyed
            ? "Move the owner"
            : isAddressEqual(leaf.l1Owner, target.address)
              ? "Sign for the new key"
              : "Move it"}
      </Button>
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </div>
  );
}
