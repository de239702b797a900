/**
 * Progress of contributions from this browser: signed, on the ledger, final, at the host. Shown on the contribute tab, and in a
 * line on the other tabs.
 */
import type { HostCommitView } from "@openledger/client/datanets/row-schemas";
import { Button } from "../../design/button.tsx";
import { Timeline } from "../../design/timeline.tsx";
import { datanetHref, type TabProps } from "../../hosts/tab-props.ts";
import { showAge, showCount, showCounted, showDuration } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";
import { type Carrier, carrierOf, carryOn, sayStanding } from "./carry-on.ts";
import type { Pending } from "./contributions.ts";

/** Contributions of this browser that wait to be uploaded to a Datanet. Shown on each of its tabs. */
export function WaitingRows({ facts, live, visitor }: Pick<TabProps, "facts" | "live" | "visitor">) {
  const rollup = live.info.value;
  if (rollup === null) return null;
  const carrier = carrierOf(rollup);
  const here = carrier.contributions.pending.value.filter(({ datanetId }) => datanetId === facts.id);
  return (
    <>
      {here.map((one) => (
        <p key={one.rowsRoot} class="waiting-rows" role="status">
          {sayStanding(one, carrier.standingOf(one), visitor.client?.leafId === one.leafId)}{" "}
          <a href={datanetHref(facts.id, "contribute")}>See Contribute</a>
        </p>
      ))}
    </>
  );
}

/** Delay after which a contribution is called late. */
const LATE_MS = 20_000;

const STEPS = [
  { name: "signed", label: "Signed" },
  { name: "listed", label: "On the ledger" },
  { name: "final", label: "Final on Ethereum" },
  { name: "uploaded", label: "At the host" },
] as const;

/** One contribution on its way to the host; the frame of the pages carries it on. */
export function UnderWay({
  carrier,
  live,
  pending,
  site,
}: TabProps & { carrier: Carrier; pending: Pending }) {
  const { commit, problem, received } = carrier.standingOf(pending);
  const estimates = live.status.value?.estimates;
  const wayMs =
    estimates === undefined
      ? 0
      : estimates.closeMs + estimates.proveMs + estimates.postMs + (estimates.finalMs ?? 0);
  const leftMs = pending.startedAtMs + wayMs - live.nowMs.value;
  return (
    <article class="card stack" aria-label={`Contribution of ${showCounted(pending.rowCount, "row")}`}>
      <div class="row">
        <h2>
          {showCounted(pending.rowCount, "row")} {pending.rowCount === 1 ? "is" : "are"} under way
        </h2>
        <span class="push" />
        <span class="soft small">{showAge(pending.startedAtMs, live.nowMs.value)}</span>
      </div>
      <p class="soft small">{pending.names.join(", ").slice(0, 200)}</p>
      <Timeline label="Progress of the contribution" steps={stepsOf(commit, received, pending.rowCount)} />
      {commit?.isFinal !== true && estimates !== undefined && (
        <p class="soft small">
          {leftMs < -LATE_MS
            ? "This takes longer than usual, as batches are proven first. Nothing is lost, and you need not wait here."
            : leftMs < 1_000
              ? "Final any moment now."
              : `Final in about ${showDuration(leftMs)}.`}
        </p>
      )}
      {received !== null && (
        <progress
          class="label-progress"
          value={received}
          max={pending.rowCount}
          aria-label="Rows at the host"
        />
      )}
      <p class="soft small">
        You can use other pages: the upload continues while this site is open. If you close it, the upload
        continues once you return in this browser and unlock your key.
      </p>
      {problem !== null && (
        <>
          <ProblemNotice problem={problem} />
          <div class="row">
            <Button
              isSmall
              onClick={() => {
                carrier.retry(pending);
                void carryOn(site, live);
              }}
            >
              Try again
            </Button>
            <Button isSmall onClick={() => void carrier.contributions.forget(pending.rowsRoot)}>
              Discard it here
            </Button>
          </div>
        </>
      )}
      {(commit?.receivedCount ?? 0) > 0 && (
        <a href={datanetHref(pending.datanetId, `rows/commit/${pending.rowsRoot}`)}>Its rows</a>
      )}
    </article>
  );
}

function stepsOf(commit: HostCommitView | null, received: number | null, rowCount: number) {
  const reached = commit === null ? 1 : !commit.isFinal ? 2 : commit.isComplete ? 4 : 3;
  return STEPS.map(({ label, name }, i) => ({
    name,
    label,
    state: i < reached ? ("done" as const) : i === reached ? ("current" as const) : ("ahead" as const),
    ...(name === "uploaded" && received !== null
      ? { note: `${showCount(received)} of ${showCount(rowCount)}` }
      : {}),
  }));
}
