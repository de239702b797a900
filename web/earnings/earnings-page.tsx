/**
 * Page "#/earnings": a person sees what an account earned from each model and epoch, claims what is settled, and sees which rows
 * were used. Amounts are in wei, shown in OPEN.
 */
import { useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { type Column, DataTable } from "../design/data-table.tsx";
import { holdings, mainAccount } from "../ledger/holdings.ts";
import { lookAfter } from "../ledger/journey-watch.ts";
import type { PageProps } from "../ledger/page.ts";
import { session } from "../ledger/session.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { WalletChoice } from "../ledger/wallet-menu.tsx";
import { type ShownPart, showCount, showParts } from "../words/format.ts";
import { LeafLink, settlementHref } from "../words/links.tsx";
import { Open } from "../words/open.tsx";
import { type Problem, ProblemNotice, problemOf } from "../words/problem.tsx";
import { StatusBadge } from "../words/status-badge.tsx";
import { Term } from "../words/term.tsx";
import {
  type AccountEarnings,
  type EpochEarning,
  type RewardEarnings,
  readEarnings,
} from "./account-earnings.ts";
import { claimRewardsAll } from "./claim-rewards.ts";
import { EpochCharts } from "./epoch-charts.tsx";
import { MyRows } from "./my-rows.tsx";
import { Notifications } from "./notifications.tsx";
import { RowsAtWork } from "./rows-at-work.tsx";

/** Earnings of an account from models: the connected address' own, or the one in the page's address. */
export function EarningsPage(props: PageProps) {
  const { rest } = props;
  const named = rest[0] === undefined ? null : Number(rest[0]);
  const own = session.value === null ? null : mainAccount(holdings.value);
  const leafId = named ?? own?.id ?? null;
  return (
    <>
      <section class="stack">
        <h1>Earnings</h1>
        <p class="lead">
          Each paid answer pays the people whose rows helped. What an account earns from each model, epoch by{" "}
          <Term name="epoch">epoch</Term>. <a href="#/wallet">A new wallet</a> takes it all along.
        </p>
      </section>
      {leafId === null ? (
        <Nobody {...props} />
      ) : (
        <OfAccount key={leafId} {...props} leafId={leafId} isOwn={own?.id === leafId} />
      )}
    </>
  );
}

function Nobody({ site, live }: PageProps) {
  if (session.value !== null) {
    return (
      <p class="soft">
        {holdings.value === null ? (
          "Loading your account …"
        ) : (
          <>
            You have no account in the ledger yet. <a href="#/bridge/deposit">A deposit opens one.</a>
          </>
        )}
      </p>
    );
  }
  return (
    <section class="card stack narrow">
      <h2>Whose earnings?</h2>
      <p class="soft">Connect the wallet of the account. Nothing is signed until you claim.</p>
      <WalletChoice site={site} live={live} />
    </section>
  );
}

function OfAccount({ site, live, leafId, isOwn }: PageProps & { leafId: number; isOwn: boolean }) {
  const { value, problem } = useAnswer(live, `earnings ${leafId}`, () =>
    readEarnings(site.sequencer, leafId),
  );
  if (value === undefined)
    return problem === null ? <p class="soft">Loading …</p> : <ProblemNotice problem={problem} />;
  const modelIds = [...new Set(value.rewards.map(({ reward }) => reward.modelId))];
  const cards = modelIds.map((modelId) => ({
    modelId,
    rewards: value.rewards.filter(({ reward }) => reward.modelId === modelId),
  }));
  // The cards add up to what the account has earned.
  const { wholes } = showParts(cards.map(({ rewards }) => earnedOf(rewards)));
  return (
    <>
      {problem !== null && <ProblemNotice problem={problem} />}
      <Totals live={live} earnings={value} isOwn={isOwn} />
      {value.rewards.length === 0 && (
        <section class="card stack">
          <p>
            Account <LeafLink id={leafId} /> does not earn from any model yet. Contribute rows to a{" "}
            <Term name="Datanet" />, or validate them. You earn from every model that is trained on them and
            takes payments.
          </p>
        </section>
      )}
      {value.rewards.length > 0 && (
        <RowsAtWork
          leafId={leafId}
          live={live}
          site={site}
          rewards={value.rewards.map(({ reward }) => reward)}
        />
      )}
      {isOwn && <MyRows leafId={leafId} live={live} site={site} />}
      {isOwn && <Notifications leafId={leafId} live={live} site={site} />}
      <p class="soft small">Not checked here. The page of an epoch checks its settlement against Ethereum.</p>
      <EpochCharts rewards={value.rewards} />
      {cards.map(({ modelId, rewards }, i) => (
        <ModelCard key={modelId} modelId={modelId} rewards={rewards} whole={wholes[i]!} />
      ))}
    </>
  );
}

const sum = (amounts: readonly bigint[]) => amounts.reduce((total, wei) => total + wei, 0n);
const earnedOf = (rewards: readonly RewardEarnings[]) => sum(rewards.map(({ reward }) => reward.earnedWei));

function Totals({
  live,
  earnings,
  isOwn,
}: Pick<PageProps, "live"> & { earnings: AccountEarnings; isOwn: boolean }) {
  const rewards = earnings.rewards.map(({ reward }) => reward);
  const waiting = rewards.filter(({ claimableWei }) => claimableWei > 0n);
  const openWei = sum(
    earnings.rewards.flatMap(({ epochs }) =>
      epochs.filter(({ state }) => typeof state === "string").map(({ wei }) => wei),
    ),
  );
  return (
    <div class="columns columns-small">
      <section class="card stack-s" aria-label="To claim">
        <h2 class="soft small">To claim</h2>
        <Amount wei={sum(waiting.map(({ claimableWei }) => claimableWei))} />
        {isOwn ? (
          <ClaimRewards live={live} waiting={waiting} />
        ) : (
          <p class="soft small">
            of account <LeafLink id={earnings.leafId} />; its owner's wallet claims
          </p>
        )}
      </section>
      <section class="card stack-s" aria-label="Claimed">
        <h2 class="soft small">Claimed</h2>
        <Amount wei={sum(rewards.map(({ claimedWei }) => claimedWei))} />
        <p class="soft small">
          it is in the account's balance
          {isOwn && (
            <>
              : <a href="#/bridge/withdraw">take it out</a>
            </>
          )}
        </p>
      </section>
      <section class="card stack-s" aria-label="Estimated">
        <h2 class="soft small">Not settled yet</h2>
        <Amount wei={openWei} isEstimate />
        <p class="soft small">Estimate. The exact amount is known once the epoch is settled.</p>
      </section>
    </div>
  );
}

function Amount({ wei, isEstimate }: { wei: bigint; isEstimate?: boolean }) {
  return (
    <p class="figure">
      {isEstimate && "≈ "}
      <Open wei={wei} isBare /> <small>OPEN</small>
    </p>
  );
}

function ClaimRewards({
  live,
  waiting,
}: Pick<PageProps, "live"> & { waiting: readonly RewardEarnings["reward"][] }) {
  const [sent, setSent] = useState<number | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const claimRewards = async () => {
    setSent(0);
    setProblem(null);
    try {
      await claimRewardsAll(session.value!, holdings.value!, setSent);
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setSent(null);
      live.ring();
      void lookAfter(live);
    }
  };
  if (waiting.length === 0) return <p class="soft small">nothing to claim</p>;
  return (
    <>
      <Button isMain isBusy={sent !== null} onClick={() => void claimRewards()}>
        {sent === null ? "Claim" : `${sent} of ${waiting.length} accepted`}
      </Button>
      {problem !== null && <ProblemNotice problem={problem} />}
    </>
  );
}

const ROLES = { contributor: "Contributor", validator: "Validator" } as const;

/** An epoch of a model, with all that the account is in it. */
interface ModelEpoch extends Omit<EpochEarning, "isRewardClaimed"> {
  readonly claimed: "yes" | "in part" | "not yet" | "–";
}

/** Earnings from one model, in all roles of the account, whoever the other one of each pair is. */
function ModelCard({
  modelId,
  rewards,
  whole,
}: {
  modelId: number;
  rewards: readonly RewardEarnings[];
  /** Earnings of the account from this model, as a part of all its earnings. */
  whole: ShownPart;
}) {
  const roles = (Object.keys(ROLES) as (keyof typeof ROLES)[]).flatMap((role) => {
    const own = rewards.flatMap(({ reward }) => (reward.role === role ? [reward] : []));
    if (own.length === 0) return [];
    const rowCount = own.reduce((total, one) => total + one.rowCount, 0);
    return [{ role, rowCount, wei: sum(own.map(({ earnedWei }) => earnedWei)) }];
  });
  const earnedWei = earnedOf(rewards);
  const earned = showParts(
    roles.map(({ wei }) => wei),
    whole,
  );
  const epochs = epochsOf(rewards);
  // A full node of Ethereum alone knows no settlement from before it began.
  const settled = epochs.filter(({ state }) => typeof state !== "string");
  const unlistedWei = earnedWei - sum(settled.map(({ wei }) => wei));
  // The listed amounts add up to the earnings so far.
  const amountsWei = [...settled.map(({ wei }) => wei), unlistedWei > 0n ? unlistedWei : 0n];
  const written = showParts(amountsWei, sum(amountsWei) === earnedWei ? whole : undefined);
  const shownOf = new Map(settled.map(({ epoch }, i) => [epoch, written.parts[i]]));
  const columns: Column<ModelEpoch>[] = [
    {
      label: "Epoch",
      cell: ({ epoch, state }) =>
        typeof state === "string" ? (
          showCount(epoch)
        ) : (
          <a href={settlementHref(modelId, epoch)}>{showCount(epoch)}</a>
        ),
    },
    { label: "State", cell: (one) => <EpochState {...one} /> },
    {
      label: "OPEN",
      isNumber: true,
      cell: ({ epoch, state, wei }) => (
        <>
          {typeof state === "string" && "≈ "}
          <Open wei={wei} shown={shownOf.get(epoch)} isBare />
        </>
      ),
    },
    { label: "Claimed", isNumber: true, cell: ({ claimed }) => claimed },
  ];
  return (
    <section class="card stack" aria-label={`Model ${modelId}`}>
      <div class="row">
        <h2>
          Model <LeafLink id={modelId} />
        </h2>
        <span class="push soft">
          <Open wei={earnedWei} shown={earned.sum} /> so far
        </span>
      </div>
      <p class="soft">
        {roles.map(({ role, rowCount, wei }, i) => (
          <span key={role}>
            {i > 0 && " · "}
            {ROLES[role]} of {showCount(rowCount)} {rowCount === 1 ? "row" : "rows"}:{" "}
            <Open wei={wei} shown={earned.parts[i]} />
          </span>
        ))}
      </p>
      <DataTable
        caption="Epochs"
        columns={columns}
        rows={epochs}
        keyOf={({ epoch }) => epoch}
        empty="No epoch yet."
      />
      {unlistedWei > 0n && (
        <p class="soft small">
          <Open wei={unlistedWei} shown={written.parts.at(-1)} /> more come from epochs for which this server
          has no details.
        </p>
      )}
    </section>
  );
}

/** Newest first: all rewards of a model have the same epochs. */
function epochsOf(rewards: readonly RewardEarnings[]): ModelEpoch[] {
  const [first] = rewards;
  return first!.epochs.map(({ epoch, state }) => {
    const own = rewards.flatMap(({ epochs }) => epochs.filter((one) => one.epoch === epoch));
    const paid = typeof state === "string" ? [] : own.filter(({ wei }) => wei > 0n);
    const claimedCount = paid.filter(({ isRewardClaimed }) => isRewardClaimed).length;
    const claimed =
      paid.length === 0
        ? "–"
        : claimedCount === 0
          ? "not yet"
          : claimedCount < paid.length
            ? "in part"
            : "yes";
    return { epoch, state, claimed, wei: sum(own.map(({ wei }) => wei)) };
  });
}

function EpochState({ state }: Pick<EpochEarning, "state">) {
  if (state === "open") return <Badge tone="plain">open, estimated</Badge>;
  if (state === "closed") return <Badge tone="wait">closed, estimated</Badge>;
  if (state === "drawn") return <Badge tone="wait">drawn, estimated</Badge>;
  return <StatusBadge status={state.settled} />;
}
