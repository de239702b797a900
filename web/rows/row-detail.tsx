/**
 * Details of a row on the rows tab and its own page: content, owner, labels. Its contributor objects to being left out, a
 * reviewer makes it a gold row; both are signed records.
 */
import { getHostedRow } from "@openledger/client/datanets/browse-rows";
import type { SaidRow } from "@openledger/client/datanets/row-schemas";
import { rowNumber } from "@openledger/foundation/row-number";
import { useState } from "preact/hooks";
import { Badge } from "../design/badge.tsx";
import { Button } from "../design/button.tsx";
import { Field } from "../design/field.tsx";
import { Identifier } from "../design/identifier.tsx";
import { Notice } from "../design/notice.tsx";
import { sayAll } from "../hosts/say.ts";
import { datanetHref, readableLocation, reviewerOf, type TabProps } from "../hosts/tab-props.ts";
import { useLoad } from "../hosts/use-load.ts";
import { type Action, useAction } from "../ledger/use-action.ts";
import { showCount, showTime } from "../words/format.ts";
import { LeafLink } from "../words/links.tsx";
import { ProblemNotice } from "../words/problem.tsx";
import { OutcomeBadge } from "./outcome-badge.tsx";
import { RowContent } from "./row-content.tsx";
import { RowLabels } from "./row-labels.tsx";
import { RowText } from "./row-text.tsx";
import { showBytes } from "./show-bytes.ts";
import { WithdrawRow } from "./withdraw-row.tsx";

/** Details of one row: its content, its owner, and everything that was signed about it. */
export function RowDetail(props: TabProps & { digest: string }) {
  const { digest, facts, visitor } = props;
  const loaded = useLoad(`${digest}/${facts.here.recordCount}`, () =>
    getHostedRow(visitor.reader, { ...readableLocation(props), digest }),
  );
  const row = loaded.value;
  if (loaded.problem !== null) return <ProblemNotice problem={loaded.problem} />;
  if (row === undefined || row.digest !== digest) return <p class="soft">Loading …</p>;
  return (
    <>
      {row.withdrawnAtMs === null ? (
        <>
          <RowContent {...props} row={row} />
          {facts.card.row.kind === "image" && row.excerpt !== "" && (
            <section aria-label="Notes of the contributor">
              <RowText text={row.excerpt} />
            </section>
          )}
        </>
      ) : (
        <Notice tone="wait" title="Withdrawn by its contributor">
          <p>
            {showTime(row.withdrawnAtMs)}
            {row.outcome.state === "leftOut" && row.outcome.note !== "" && `: ${row.outcome.note}`}. The host
            has erased its content; the hash stays.
          </p>
        </Notice>
      )}
      <dl class="facts">
        <dt>State</dt>
        <dd>
          {row.outcome.state === "accepted" && row.outcome.label === null ? (
            "no label needed; it counts once its contribution is approved"
          ) : (
            <OutcomeBadge outcome={row.outcome} />
          )}
        </dd>
        <dt>Contributor</dt>
        <dd>
          <LeafLink id={row.contributorId} />
        </dd>
        <dt>Contribution</dt>
        <dd>
          <a href={datanetHref(facts.id, `rows/commit/${row.commit}`)}>
            row {showCount(rowNumber(row.index))} of it
          </a>
        </dd>
        <dt>Size</dt>
        <dd>{showBytes(row.bytes)}</dd>
        <dt>SHA-256</dt>
        <dd>
          <Identifier value={row.digest} label="the row's hash" />
        </dd>
      </dl>
      {!row.isWellFormed && <Badge tone="bad">not a row of this Datanet's kind</Badge>}
      <RowLabels row={row} />
      <OwnLabel {...props} row={row} />
      {row.withdrawnAtMs === null && (
        <>
          <LeftOutWhy {...props} row={row} onSaid={loaded.reload} />
          <Gold {...props} row={row} onSaid={loaded.reload} />
          {visitor.account?.id === row.contributorId && (
            <WithdrawRow
              visitor={visitor}
              place={props.place}
              digest={row.digest}
              onDone={() => {
                loaded.reload();
                props.onChange();
              }}
            />
          )}
        </>
      )}
    </>
  );
}

function LeftOutWhy(props: TabProps & { row: SaidRow; onSaid: () => void }) {
  const { onChange, onSaid, place, row, visitor } = props;
  const [note, setNote] = useState("");
  const { isBusy, problem, run } = useAction();
  const { client } = visitor;
  const isOwn = client !== null && client.leafId === row.contributorId;
  const object = () =>
    run(async () => {
      const records = [{ kind: "objection" as const, row: row.digest, note }];
      await sayAll(client!, { ...place, from: client!.leafId!, records });
      onSaid();
      onChange();
    });
  if (row.outcome.state !== "leftOut" && row.objections.length === 0) return null;
  return (
    <>
      {row.outcome.state === "leftOut" && (
        <p>
          Left out by <LeafLink id={row.outcome.byId} />: {row.outcome.why}
          {row.outcome.note !== "" && ` – ${row.outcome.note}`}
        </p>
      )}
      {row.objections.map((objection) => (
        <p key={objection.atMs}>
          <LeafLink id={objection.leafId} /> objects: {objection.note}
        </p>
      ))}
      {isOwn && row.outcome.state === "leftOut" && (
        <>
          <Field
            label="Object"
            value={note}
            onInput={setNote}
            lineCount={2}
            placeholder="Why the row belongs in the version"
          />
          <Button isSmall isBusy={isBusy} isDisabled={note.trim() === ""} onClick={() => void object()}>
            Sign the objection
          </Button>
          {problem !== null && <ProblemNotice problem={problem} />}
        </>
      )}
    </>
  );
}

/** Label of the row's contributor while the row waits: the host shows it to them alone, and they may give another one. */
function OwnLabel(props: TabProps & { row: SaidRow }) {
  const { facts, onChange, place, row, visitor } = props;
  const { client } = visitor;
  const { isBusy, problem, run } = useAction();
  const contributor = client?.leafId === row.contributorId ? client : null;
  const own = useLoad(`own ${row.digest}/${facts.here.recordCount}/${contributor !== null}`, async () =>
    contributor === null
      ? null
      : getHostedRow(contributor, { ...place, digest: row.digest, isSigned: true, from: row.contributorId }),
  );
  if (contributor === null || row.outcome.state !== "waiting" || facts.card.labels.length === 0) return null;
  const label = own.value?.label ?? null;
  const say = (name: string) =>
    run(async () => {
      const records = [{ kind: "label" as const, row: row.digest, label: name, flags: [], note: "" }];
      await sayAll(contributor, { ...place, from: row.contributorId, records });
      own.reload();
      onChange();
    });
  return (
    <LabelButtons
      facts={facts}
      isBusy={isBusy}
      problem={problem}
      say={say}
      summary={label === null ? "Label your row" : `Your label: ${label}`}
    />
  );
}

/** Button of a reviewer who knows a row's label: makes it a test of labellers, who meet it as any other. */
function Gold(props: TabProps & { row: SaidRow; onSaid: () => void }) {
  const { facts, onSaid, place, row, visitor } = props;
  const { isBusy, problem, run } = useAction();
  const from = reviewerOf(props);
  if (from === null || facts.card.labels.length === 0) return null;
  const say = (label: string) =>
    run(async () => {
      await sayAll(visitor.client!, { ...place, from, records: [{ kind: "gold", row: row.digest, label }] });
      onSaid();
    });
  return (
    <LabelButtons
      facts={facts}
      isBusy={isBusy}
      problem={problem}
      say={say}
      summary={row.gold === null ? "Make it a gold row" : `Gold row: ${row.gold.label}`}
    />
  );
}

interface LabelButtonsProps extends Pick<TabProps, "facts">, Pick<Action, "isBusy" | "problem"> {
  readonly summary: string;
  readonly say: (label: string) => Promise<void>;
}

/** A button for each label of the card, folded. */
function LabelButtons({ facts, isBusy, problem, say, summary }: LabelButtonsProps) {
  return (
    <details>
      <summary class="row small">{summary}</summary>
      <div class="folded row">
        {facts.card.labels.map(({ name }) => (
          <Button key={name} isSmall isBusy={isBusy} onClick={() => void say(name)}>
            {name}
          </Button>
        ))}
      </div>
      {problem !== null && <ProblemNotice problem={problem} />}
    </details>
  );
}
