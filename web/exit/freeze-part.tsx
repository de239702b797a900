/**
 * First step of the exit page: says whether the rollup is frozen or from when it can be (times in Unix seconds of L1), and sends
 * the freeze.
 */
import type { FreezeOutlook } from "@openledger/verifier/exits/freeze";
import { freezeBy } from "@openledger/verifier/exits/freeze";
import { Button } from "../design/button.tsx";
import { Notice } from "../design/notice.tsx";
import { useAction } from "../ledger/use-action.ts";
import { showDuration } from "../words/format.ts";
import { ProblemNotice } from "../words/problem.tsx";
import { Term } from "../words/term.tsx";
import type { Access, Account } from "./access.ts";
import type { Outlook } from "./use-exit.ts";

interface FreezeProps {
  readonly access: Access;
  readonly account: Account | null;
  readonly outlook: Outlook;
}

const showMoment = (seconds: number) =>
  new Date(1_000 * seconds).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });

/** State of the freeze: the rollup is frozen, or when anybody may freeze it. */
export function FreezePart({ access, account, outlook }: FreezeProps) {
  const freezing = useAction();
  const { value } = outlook;
  if (value === null) return <p class="soft">Checking whether the rollup is frozen …</p>;
  if (value.isFrozen) {
    return (
      <Notice tone="bad" title="The rollup is frozen.">
        <p>Its last state is final, and everyone can leave with a proof.</p>
      </Notice>
    );
  }
  const freeze = () =>
    freezing.run(async () => {
      await freezeBy(access.rollup, () => account!.sender);
      await outlook.look();
    });
  const isFreezable = value.oldest !== null && value.nowSeconds >= value.oldest.freezableAtSeconds;
  return (
    <>
      <p>{sayOutlook(value)}</p>
      {isFreezable && (
        <div class="row">
          <Button isMain isBusy={freezing.isBusy} isDisabled={account === null} onClick={() => void freeze()}>
            Freeze the rollup
          </Button>
          {account === null && <span class="soft">Connect a wallet to send this.</span>}
        </div>
      )}
      {freezing.problem !== null && <ProblemNotice problem={freezing.problem} />}
    </>
  );
}

function sayOutlook({ nowSeconds, oldest, waysOut }: FreezeOutlook) {
  if (!waysOut.hasLeafExit || waysOut.payees < waysOut.neededPayees)
    return "This rollup has no circuits for exits and can never be frozen. Its queue is the way out.";
  if (oldest === null) {
    return (
      <>
        The rollup is not frozen, and nothing waits in its queue. A{" "}
        <Term name="forced inclusion">forced operation</Term> starts the clock: if no batch takes it within 7
        days, anyone can freeze the rollup.
      </>
    );
  }
  const { freezableAtSeconds, queuedAtSeconds, queueIndex } = oldest;
  const since = `Queue entry ${queueIndex} waits since ${showMoment(queuedAtSeconds)}.`;
  if (nowSeconds >= freezableAtSeconds)
    return `${since} That is longer than 7 days: anyone can freeze the rollup now. A freeze cannot be undone.`;
  const left = showDuration(1_000 * (freezableAtSeconds - nowSeconds));
  return `${since} Unless a batch takes it, anyone can freeze the rollup from ${showMoment(freezableAtSeconds)} on: ${left} left by Ethereum's clock.`;
}
