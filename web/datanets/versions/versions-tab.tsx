/**
 * Tab "Versions" of a Datanet's page: reviewers approve contributions, the owner publishes versions and edits the card, anyone
 * compares and checks versions.
 */
import type { HostVersionView } from "@openledger/client/datanets/host-schemas";
import { listHostCommits, listHostVersions } from "@openledger/client/datanets/hosted-history";
import type { HostCommitView } from "@openledger/client/datanets/row-schemas";
import { useState } from "preact/hooks";
import { Badge } from "../../design/badge.tsx";
import { Button } from "../../design/button.tsx";
import { type Column, DataTable } from "../../design/data-table.tsx";
import { Field } from "../../design/field.tsx";
import { NeedsKey } from "../../hosts/keys/needs-key.tsx";
import { sayAll } from "../../hosts/say.ts";
import { datanetHref, isOwnKey, ownClient, reviewerOf, type TabProps } from "../../hosts/tab-props.ts";
import { useLoad } from "../../hosts/use-load.ts";
import { useAction } from "../../ledger/use-action.ts";
import { RowText } from "../../rows/row-text.tsx";
import { showAge, showCount } from "../../words/format.ts";
import { LeafLink } from "../../words/links.tsx";
import { ProblemNotice } from "../../words/problem.tsx";
import { EditCard } from "../edit-card.tsx";
import { BringList } from "./bring-list.tsx";
import { VersionChanges } from "./version-changes.tsx";
import { VersionCheck, VersionDownload } from "./version-check.tsx";
import { VersionPublish } from "./version-publish.tsx";
import { VersionWithdrawn } from "./version-withdrawn.tsx";

/** Contributions to approve, the versions made of them, their changes, and a check of all against the ledger. */
export function VersionsTab(props: TabProps) {
  const { facts, live, place, rest, visitor } = props;
  const about = `${facts.here.recordCount}/${facts.here.rowCount}/${facts.ledger.version}/${live.batches.value[0]?.number}`;
  const commits = useLoad(about, () => listHostCommits(visitor.reader, place));
  const versions = useLoad(about, () => listHostVersions(visitor.reader, place));
  const own = ownClient(props);
  if (rest[0] === "card") return <EditCard {...props} />;
  return (
    <div class="stack">
      {commits.problem !== null && <ProblemNotice problem={commits.problem} />}
      {commits.value !== undefined && (
        <Contributed {...props} commits={commits.value} onSaid={commits.reload} />
      )}
      {facts.ledger.rowCount > 0 && !facts.here.hasVersion && (
        <NeedsKey {...props} toDo="bring the list of the version to the host">
          {(client) => <BringList {...props} client={client} />}
        </NeedsKey>
      )}
      {facts.ledger.rowCount > 0 && <VersionWithdrawn {...props} />}
      {own !== null && commits.value !== undefined && (
        <VersionPublish {...props} client={own} commits={commits.value} />
      )}
      {versions.value !== undefined && <Published {...props} versions={versions.value} />}
      {versions.value !== undefined && versions.value.length > 1 && (
        <VersionChanges {...props} versions={versions.value} />
      )}
      {facts.ledger.rowCount > 0 && facts.here.hasVersion && (
        <NeedsKey {...props} toDo="check or download a version">
          {(client) => (
            <div class="columns">
              <VersionCheck {...props} client={client} />
              <VersionDownload {...props} client={client} />
            </div>
          )}
        </NeedsKey>
      )}
      {facts.ledger.rowCount === 0 && !isOwnKey(props) && (
        <NeedsKey {...props} toDo="publish, check or download a version">
          {() => <></>}
        </NeedsKey>
      )}
    </div>
  );
}

function Contributed(props: TabProps & { commits: readonly HostCommitView[]; onSaid: () => void }) {
  const { commits, facts, live } = props;
  const columns: Column<HostCommitView>[] = [
    {
      label: "Contribution",
      cell: ({ commitIndex, rowsRoot }) => (
        <a href={datanetHref(facts.id, `rows/commit/${rowsRoot}`)}>{commitIndex + 1}</a>
      ),
    },
    { label: "By", cell: ({ contributorId }) => <LeafLink id={contributorId} /> },
    { label: "Rows", isNumber: true, cell: ({ rowCount }) => showCount(rowCount) },
    {
      label: "When",
      cell: ({ committedAtMs }) => (committedAtMs === null ? "–" : showAge(committedAtMs, live.nowMs.value)),
    },
    {
      label: "Files",
      cell: ({ isComplete, isFinal, receivedCount, rowCount }) =>
        isComplete ? (
          <Badge tone="good">uploaded</Badge>
        ) : !isFinal ? (
          <Badge tone="wait">not final yet</Badge>
        ) : (
          <Badge tone="wait">
            {showCount(receivedCount)} of {showCount(rowCount)} uploaded
          </Badge>
        ),
    },
    { label: "Decision", cell: (commit) => <Verdict {...props} commit={commit} /> },
  ];
  return (
    <section class="card stack" aria-label="Contributions">
      <h2>Contributions</h2>
      <p class="soft small">Only approved contributions go into a version. Each decision is signed.</p>
      <DataTable
        caption="Contributions"
        columns={columns}
        rows={[...commits].reverse()}
        keyOf={({ rowsRoot }) => rowsRoot}
        empty="No contributions yet."
      />
    </section>
  );
}

function Verdict(props: TabProps & { commit: HostCommitView; onSaid: () => void }) {
  const { commit, onChange, onSaid, place, visitor } = props;
  const [isOpen, setOpen] = useState(false);
  const [note, setNote] = useState("");
  const { isBusy, problem, run } = useAction();
  const from = reviewerOf(props);
  const { verdict } = commit;
  const say = (word: "approve" | "reject") =>
    run(async () => {
      const record = { kind: "verdict", commit: commit.rowsRoot, verdict: word, note } as const;
      await sayAll(visitor.client!, { ...place, from: from!, records: [record] });
      setOpen(false);
      onSaid();
      onChange();
    });
  const canSay = from !== null && commit.isComplete && (verdict === null || isOpen);
  return (
    <div class="stack-s verdict">
      {verdict !== null && (
        <span class="row">
          <Badge tone={verdict.verdict === "approve" ? "good" : "bad"}>
            {verdict.verdict === "approve" ? "approved" : "rejected"}
          </Badge>
          <span class="soft small">
            by <LeafLink id={verdict.leafId} />
          </span>
          {from !== null && !isOpen && (
            <Button isSmall onClick={() => setOpen(true)}>
              Change
            </Button>
          )}
        </span>
      )}
      {verdict !== null && verdict.note !== "" && (
        <span class="soft small">
          <RowText text={verdict.note} />
        </span>
      )}
      {verdict === null && !canSay && <Badge tone="wait">not reviewed yet</Badge>}
      {canSay && (
        <>
          <Field
            label={<span class="visually-hidden">Reason</span>}
            value={note}
            onInput={setNote}
            placeholder="A reason (public)"
          />
          <span class="row">
            <Button isMain isSmall isBusy={isBusy} onClick={() => void say("approve")}>
              Approve
            </Button>
            <Button isSmall isBusy={isBusy} onClick={() => void say("reject")}>
              Reject
            </Button>
          </span>
        </>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
    </div>
  );
}

function Published({ facts, live, versions }: TabProps & { versions: readonly HostVersionView[] }) {
  const columns: Column<HostVersionView>[] = [
    { label: "Version", cell: ({ version }) => version },
    { label: "Rows", isNumber: true, cell: ({ rowCount }) => showCount(rowCount) },
    {
      label: "Published",
      cell: ({ publishedAtMs }) => (publishedAtMs === null ? "–" : showAge(publishedAtMs, live.nowMs.value)),
    },
    {
      label: "State",
      cell: ({ isFinal, isHere, rowCount }) => (
        <span class="row">
          <Badge tone={isFinal ? "good" : "wait"}>{isFinal ? "final" : "pending"}</Badge>
          {!isHere && rowCount > 0 && <Badge tone="bad">row list missing</Badge>}
        </span>
      ),
    },
    {
      label: "Card",
      cell: ({ policy }) => (policy === facts.policy ? "current" : "earlier"),
    },
  ];
  return (
    <section class="card stack" aria-label="Versions">
      <h2>Versions</h2>
      <DataTable
        caption="Versions"
        columns={columns}
        rows={[...versions].reverse()}
        keyOf={({ version }) => version}
        empty="No version has been published."
      />
    </section>
  );
}
