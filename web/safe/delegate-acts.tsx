/** Newest acts of a Safe's leaves: signed by their keys, or executed by its owners through Ethereum; and how to follow them. */
import { nameOfOperation, readOperations } from "@openledger/client/sequencer/ledger-reads";
import type { LedgerLeaf } from "@openledger/client/sequencer/sequencer-schemas";
import { useState } from "preact/hooks";
import { Choice } from "../design/choice.tsx";
import { KIND_NAMES } from "../explorer/leaf-kinds.ts";
import { showKind } from "../explorer/records.tsx";
import type { PageProps } from "../ledger/page.ts";
import { useAnswer } from "../ledger/use-answer.ts";
import { showAge } from "../words/format.ts";
import { OperationLink, QueueLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";

interface DelegateActsProps extends Pick<PageProps, "live" | "site"> {
  readonly leaves: readonly LedgerLeaf[];
}

const SHOWN_ACTS = 10;

export function DelegateActs({ leaves, live, site }: DelegateActsProps) {
  const [chosen, setChosen] = useState("");
  const leaf = leaves.find(({ id }) => String(id) === chosen) ?? leaves[0];
  if (leaf === undefined) return null;
  const [hostUrl] = site.datanetHosts;
  return (
    <section class="card stack" aria-label="What the delegate did">
      <h2>What the delegate did</h2>
      {leaves.length > 1 && (
        <Choice
          label="Of"
          value={String(leaf.id)}
          options={leaves.map(({ id, kind }) => ({ name: String(id), label: `${KIND_NAMES[kind]} ${id}` }))}
          onChoose={setChosen}
        />
      )}
      <Acts key={leaf.id} leafId={leaf.id} live={live} site={site} />
      {hostUrl !== undefined && (
        <div class="row">
          <a href={`${hostUrl.replace(/\/$/, "")}/v1/leaves/${leaf.id}/acts/feed`}>Atom feed of its acts</a>
          <span class="soft small">for any feed reader; it is public, and needs no key</span>
        </div>
      )}
    </section>
  );
}

function Acts({ leafId, live, site }: Pick<PageProps, "live" | "site"> & { readonly leafId: number }) {
  const { problem, value } = useAnswer(live, `acts of ${leafId}`, () =>
    readOperations(site.sequencer, leafId, { limit: 2 * SHOWN_ACTS }),
  );
  if (problem !== null) return <ProblemNotice problem={problem} />;
  if (value === undefined) return <p class="soft">Loading …</p>;
  const acts = value.operations.filter(({ a }) => a === leafId).slice(0, SHOWN_ACTS);
  if (acts.length === 0) return <p class="soft">Nothing yet.</p>;
  return (
    <ul class="left-out-list">
      {acts.map((act) => (
        <li key={nameOfOperation(act)} class="row">
          <span class="soft small">
            {act.hash === null ? "the owner, through Ethereum" : "the delegate's key"}
          </span>
          {act.hash === null ? (
            <QueueLink index={act.queueIndex} label={showKind(act.kind)} />
          ) : (
            <OperationLink hash={act.hash} label={showKind(act.kind)} />
          )}
          <span class="push" />
          <span class="soft small">
            {act.acknowledgedAtMs == null ? "now" : showAge(act.acknowledgedAtMs, live.nowMs.value)}
          </span>
        </li>
      ))}
    </ul>
  );
}
