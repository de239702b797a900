/** Second road of the page "A new wallet": the owner's wallet is there, the ledger key is not. The wallet sets its own key through L1. */
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Notice } from "../design/notice.tsx";
import { lookAfter } from "../ledger/journey-watch.ts";
import type { PageProps } from "../ledger/page.ts";
import { type Session, session } from "../ledger/session.ts";
import { useAction } from "../ledger/use-action.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { moveLeaf } from "./move-leaf.ts";
import { OwnedLeaves } from "./owned-leaves.tsx";

interface KeyMoveProps extends Pick<PageProps, "live"> {
  /** Leaves of the connected wallet; null until they are known. */
  readonly leaves: readonly LedgerLeaf[] | null;
}

export function KeyMove({ leaves, live }: KeyMoveProps) {
  const now = session.value;
  /** Key that the wallet derives; null until it has signed. */
  const [keyX, setKeyX] = useState<bigint | null>(null);
  const action = useAction();
  const derive = () =>
    action.run(async () => {
      const { deriveSessionKey } = await import("../ledger/open-wallet.ts");
      setKeyX(
        (
          await deriveSessionKey(
            now!,
            leaves!.map((leaf) => leaf.keyX),
          )
        ).keyX,
      );
    });
  return (
    <section class="card stack" aria-label="Replace the ledger key">
      <h2>The wallet sets a key of its own</h2>
      <p>
        A wallet derives the same ledger key whenever you ask, so most people never lose theirs. You need this
        road if the account has a key from elsewhere: a random one, another owner's, or one that a stranger
        chose. <strong>If others know the old key, withdraw at once</strong>: it signs until the new one is
        in.
      </p>
      <Notice tone="wait" title="The new key waits a week at hosts of Datanets.">
        <p>
          The old key does not sign for it, so a stolen wallet would look just like this. The ledger takes the
          key with the next batch; hosts hold back what nobody can undo.
        </p>
      </Notice>
      {now?.isContract === true && (
        <p>
          A contract wallet derives no key. Owners of a Safe set their delegate's{" "}
          <a href={`#/safe/${now.address}`}>on its page</a>. Owners of another contract use the client
          library, or <code>openledger force setKey</code>.
        </p>
      )}
      {now !== null && !now.isContract && leaves !== null && leaves.length > 0 && keyX === null && (
        <Button isMain isBusy={action.isBusy} onClick={() => void derive()}>
          Compare the wallet's key
        </Button>
      )}
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
      {now !== null && leaves !== null && (keyX !== null || leaves.length === 0) && (
        <OwnedLeaves
          leaves={leaves}
          act={(leaf) =>
            leaf.keyX === keyX ? (
              <Badge tone="good">has this wallet's key</Badge>
            ) : (
              <SetKeyButton key={leaf.id} keyX={keyX!} leaf={leaf} live={live} now={now} />
            )
          }
        />
      )}
    </section>
  );
}

/** Sets a wallet's key for one leaf through L1, without the old key's signature. */
export function SetKeyButton({
  keyX,
  leaf,
  live,
  now,
}: {
  readonly keyX: bigint;
  readonly leaf: LedgerLeaf;
  readonly live: PageProps["live"];
  readonly now: Session;
}) {
  const action = useAction();
  const [isSent, setSent] = useState(false);
  const set = () =>
    action.run(async () => {
      await moveLeaf(now, leaf, { address: now.address, keyX }, false);
      setSent(true);
      live.ring();
      void lookAfter(live);
    });
  if (isSent) return <Badge tone="wait">waits for the next batch</Badge>;
  return (
    <div class="stack-s">
      <Button isSmall isMain isBusy={action.isBusy} onClick={() => void set()}>
        {action.isBusy ? "Confirm in your wallet …" : "Set this wallet's key"}
      </Button>
      {action.problem !== null && <ProblemNotice problem={action.problem} />}
    </div>
  );
}
