/**
 * Section "What changed" of the versions tab: a person chooses two versions and sees which rows were added, removed or
 * reassigned.
 */
import type { HostVersionView } from "@openledger/client/datanets/host-schemas";
import { compareVersions } from "@openledger/client/datanets/hosted-history";
import { useState } from "preact/hooks";
import { Badge } from "../../design/badge.tsx";
import { Choice } from "../../design/choice.tsx";
import { datanetHref, type TabProps } from "../../hosts/tab-props.ts";
import { textsOf } from "../../hosts/texts-of.ts";
import { DroppedNotice } from "../../hosts/unsigned-records.tsx";
import { useLoad } from "../../hosts/use-load.ts";
import { RowText } from "../../rows/row-text.tsx";
import { showCount, showCounted } from "../../words/format.ts";
import { ProblemNotice } from "../../words/problem.tsx";

/** Changes of the list; their count is shown whole. */
const SHOWN_CHANGES = 50;
const TONES = { added: "good", removed: "bad", reassigned: "wait" } as const;

/** Rows that were added, removed or reassigned between two versions. */
export function VersionChanges(props: TabProps & { versions: readonly HostVersionView[] }) {
  const here = props.versions.filter(({ isHere }) => isHere);
  // What nobody has chosen follows the newest versions.
  const [chosen, choose] = useState<{ before?: string; after?: string }>({});
  const after = chosen.after ?? String(here.at(-1)?.version ?? "");
  const before = chosen.before ?? String(here.at(-2)?.version ?? "");
  if (here.length < 2) return null;
  const options = here.map(({ rowCount, version }) => ({
    name: String(version),
    label: `Version ${version}, ${showCounted(rowCount, "row")}`,
  }));
  const rootOf = (version: string) => here.find((one) => String(one.version) === version)?.rowsRoot;
  const [from, to] = [rootOf(before), rootOf(after)];
  return (
    <section class="card stack" aria-label="What changed">
      <h2>What changed</h2>
      <div class="columns columns-small">
        <Choice
          label="From"
          value={before}
          options={options}
          onChoose={(version) => choose({ ...chosen, before: version })}
        />
        <Choice
          label="To"
          value={after}
          options={options}
          onChoose={(version) => choose({ ...chosen, after: version })}
        />
      </div>
      {from !== undefined && to !== undefined && (
        <Changes key={`${from}/${to}`} {...props} before={from} after={to} />
      )}
    </section>
  );
}

function Changes(props: TabProps & { before: string; after: string }) {
  const { after, before, facts, place, visitor } = props;
  const { problem, value } = useLoad(`${before}/${after}/${visitor.reader.leafId}`, async () => {
    const difference = await compareVersions(visitor.reader, {
      ...place,
      before,
      after,
      limit: SHOWN_CHANGES,
    });
    return {
      difference,
      texts: await textsOf(
        props,
        difference.changes.map(({ digest }) => digest),
      ),
    };
  });
  if (problem !== null) return <ProblemNotice problem={problem} />;
  if (value === undefined) return <p class="soft">Comparing …</p>;
  const { difference, texts } = value;
  return (
    <>
      <p>
        <Badge tone="good">{showCount(difference.addedCount)} added</Badge>{" "}
        <Badge tone="bad">{showCount(difference.removedCount)} removed</Badge>{" "}
        <Badge tone="wait">{showCount(difference.reassignedCount)} changed owners</Badge>{" "}
        <span class="soft">{showCount(difference.keptCount)} the same</span>
      </p>
      <ul class="change-list">
        {difference.changes.map(({ after: now, before: then, change, digest, withdrawal }) => (
          <li key={digest} class={`change-${change}`}>
            <Badge tone={TONES[change]}>{change}</Badge>
            <a href={datanetHref(facts.id, `row/${digest}`)} class="change-text">
              <RowText text={texts.get(digest) ?? `${digest.slice(0, 16)}…`} isOneLine />
            </a>
            <span class="soft small">
              {[then, now]
                .filter((owners) => owners !== undefined)
                .map(({ contributorId, validatorId }) => `by ${contributorId}, validated by ${validatorId}`)
                .join(" → ")}
            </span>
            {withdrawal !== null && (
              <span class="soft small change-why">
                withdrawn by its contributor{withdrawal.note === "" ? "" : `: ${withdrawal.note}`}
              </span>
            )}
          </li>
        ))}
      </ul>
      <DroppedNotice dropped={difference.dropped} />
      {difference.total > SHOWN_CHANGES && (
        <p class="soft small">and {showCount(difference.total - SHOWN_CHANGES)} more</p>
      )}
    </>
  );
}
