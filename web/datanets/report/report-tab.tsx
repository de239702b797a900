/**
 * Tab "Bias" of a Datanet's page, "#/datanets/ID/report" and "…/report/model/MODEL": reports that people have signed, the chosen one
 * with its plots, and the version's half computed again in the page.
 */

import { openRowStore } from "@openledger/client/actions/data/row-store";
import {
  getReport,
  listReports,
  reportBias,
  type SignedReport,
} from "@openledger/client/datanets/bias-report";
import { differenceOf, type NamedReport, type ReportDifference } from "@openledger/datanets/report/report";
import { useState } from "preact/hooks";
import { Button } from "../../design/button.tsx";
import { Choice } from "../../design/choice.tsx";
import { Identifier } from "../../design/identifier.tsx";
import { Notice } from "../../design/notice.tsx";
import { saveFile } from "../../design/save-file.ts";
import { DelegateWord } from "../../hosts/delegate-word.tsx";
import { NeedsAccess } from "../../hosts/needs-access.tsx";
import { ROW_STORE } from "../../hosts/row-store.ts";
import { isOwnKey, readableLocation, type TabProps } from "../../hosts/tab-props.ts";
import { DroppedNotice, UnsignedCheck } from "../../hosts/unsigned-records.tsx";
import { useLoad } from "../../hosts/use-load.ts";
import { useAction } from "../../ledger/use-action.ts";
import { showAge, showCounted } from "../../words/format.ts";
import { LeafLink } from "../../words/links.tsx";
import { ProblemNotice } from "../../words/problem.tsx";
import { Term } from "../../words/term.tsx";
import { ReportView } from "./report-view.tsx";

/** The reports of the Datanet, or of one model with it, the chosen one in plots. */
export function ReportTab(props: TabProps) {
  const { facts, live, place, rest, visitor } = props;
  const modelId = rest[0] === "model" && /^\d{1,8}$/.test(rest[1] ?? "") ? Number(rest[1]) : null;
  const [chosen, setChosen] = useState<string | null>(null);
  const [computed, setComputed] = useState<NamedReport | null>(null);
  const about = `${facts.here.recordCount}/${modelId}`;
  const listed = useLoad(about, () =>
    listReports(visitor.reader, { ...place, ...(modelId === null ? {} : { modelId }) }),
  );
  const readable = listed.value?.reports.filter(({ hasText }) => hasText) ?? [];
  // One that the Datanet itself has signed comes first.
  const own = readable.find(({ signers }) => signers.some(({ leafId }) => leafId === facts.id));
  const shown = readable.find(({ sha256 }) => sha256 === chosen) ?? own ?? readable[0];
  return (
    <div class="stack">
      <section class="card stack" aria-label="Reports of bias">
        <h2>
          <Term name="report of bias">Reports of bias</Term>
        </h2>
        <p class="soft small">
          Whom a version serves, and whom a model serves badly. Everybody who computes a report again has the
          same bytes, so a signature says: I have, and it is right.
        </p>
        {listed.problem !== null && <ProblemNotice problem={listed.problem} />}
        {listed.value === undefined && listed.problem === null && <p class="soft">Loading …</p>}
        {listed.value !== undefined && shown === undefined && (
          <p>
            {listed.value.reports.length === 0
              ? "Nobody has signed a report yet."
              : `${showCounted(listed.value.reports.length, "report")} signed, and no text is here: neither the Datanet nor its team has signed one.`}{" "}
            {modelId === null ? "You can compute that of the present version below. " : ""}
            The owner makes one with{" "}
            <code>
              openledger datanet report {facts.id}
              {modelId === null ? "" : ` --model ${modelId}`} --sign datanet
            </code>
            .
          </p>
        )}
        {listed.value !== undefined && <DroppedNotice dropped={listed.value.dropped} />}
        {readable.length > 1 && (
          <Choice
            label="Report"
            value={shown!.sha256}
            onChoose={setChosen}
            options={readable.map((one) => ({ name: one.sha256, label: nameOf(one, live.nowMs.value) }))}
          />
        )}
      </section>
      {shown !== undefined && (
        <NeedsAccess {...props}>
          <Stored key={shown.sha256} {...props} signed={shown} onComputed={setComputed} />
        </NeedsAccess>
      )}
      {shown === undefined && modelId === null && facts.ledger.rowCount > 0 && listed.value !== undefined && (
        <NeedsAccess {...props}>
          <Compute {...props} stated={null} onComputed={setComputed} />
        </NeedsAccess>
      )}
      {shown === undefined && computed !== null && <ReportView {...props} report={computed.report} />}
    </div>
  );
}

const nameOf = ({ modelId, signers, version }: SignedReport, nowMs: number) =>
  `version ${version}${modelId === null ? "" : ` and model ${modelId}`}, ${showAge(Math.max(...signers.map(({ atMs }) => atMs)), nowMs)}`;

type ComputedProps = TabProps & { onComputed: (report: NamedReport) => void };

/** A report whose text the host has, with who stands for it. */
function Stored(props: ComputedProps & { signed: SignedReport }) {
  const { facts, live, signed, site, visitor } = props;
  const { problem, value } = useLoad(signed.sha256, () =>
    getReport(visitor.reader, { ...readableLocation(props), sha256: signed.sha256 }),
  );
  const isOwners = signed.signers.some(({ leafId }) => leafId === facts.id);
  return (
    <>
      <section class="card stack" aria-label="Signed by">
        <h2>
          Version {signed.version}
          {signed.modelId !== null && (
            <>
              {" "}
              and model <LeafLink id={signed.modelId} />
            </>
          )}
        </h2>
        <p>
          Signed by{" "}
          {signed.signers.map(({ atMs, leafId }, i) => (
            <span key={leafId}>
              {i > 0 && ", "}
              <LeafLink id={leafId} /> {showAge(atMs, live.nowMs.value)}{" "}
              <DelegateWord leafId={leafId} live={live} site={site} />
            </span>
          ))}
          . SHA-256 <Identifier value={signed.sha256} label="the report's hash" />
        </p>
        {!isOwners && (
          <p class="soft small">
            The Datanet's own key has not signed it: its team has. Compute it again to know.
          </p>
        )}
        {problem !== null && <ProblemNotice problem={problem} />}
        {value === undefined && problem === null && <p class="soft">Loading …</p>}
        {value !== undefined && (
          <div class="row">
            <Button
              isSmall
              onClick={() =>
                saveFile(
                  `report-${facts.id}-${signed.sha256.slice(0, 8)}.json`,
                  new TextEncoder().encode(`${value.text}\n`),
                )
              }
            >
              Download
            </Button>
            {signed.modelId !== null && (
              <span class="soft small">
                Compute it again: <code>openledger datanet report {facts.id} --check FILE</code>
              </span>
            )}
          </div>
        )}
        {value !== undefined && signed.modelId === null && <Compute {...props} stated={value} />}
      </section>
      {value !== undefined && <ReportView {...props} report={value.report} />}
    </>
  );
}

/** Computes the report of a version in the page, or compares a stated one. */
function Compute(props: ComputedProps & { stated: NamedReport | null }) {
  const { facts, onComputed, place, stated, visitor } = props;
  const [progress, setProgress] = useState("");
  const [found, setFound] = useState<ReportDifference | "same" | null>(null);
  const [withoutUnsigned, setWithoutUnsigned] = useState(false);
  const { isBusy, problem, run } = useAction();
  const compute = () =>
    run(async () => {
      setFound(null);
      setProgress("fetching the rows");
      const compared = stated?.report ?? null;
      const computed = await reportBias(visitor.client ?? visitor.reader, {
        ...place,
        withoutUnsigned,
        store: await openRowStore(ROW_STORE),
        ...(isOwnKey(props) ? { from: facts.id } : {}),
        ...(compared === null ? {} : { version: compared.version.number, untilMs: compared.labels.untilMs }),
        onProgress: (done, total) =>
          setProgress(`rows: ${done.toLocaleString("en")} of ${total.toLocaleString("en")}`),
      }).finally(() => setProgress(""));
      if (compared === null) onComputed(computed);
      else setFound(differenceOf(compared, computed.report) ?? "same");
    });
  return (
    <>
      <div class="row">
        <Button isBusy={isBusy} onClick={() => void compute()}>
          {isBusy ? "Computing …" : stated === null ? "Compute it in this browser" : "Compute it again here"}
        </Button>
      </div>
      {progress !== "" && (
        <p class="soft small" role="status">
          {progress} …
        </p>
      )}
      {problem !== null && <ProblemNotice problem={problem} />}
      <UnsignedCheck problem={problem} isChecked={withoutUnsigned} onCheck={setWithoutUnsigned} />
      {found === "same" && (
        <Notice tone="good" title="The same, to the byte">
          <p>Rows, card and labels make exactly this report.</p>
        </Notice>
      )}
      {found !== null && found !== "same" && (
        <Notice tone="bad" title="Computed again, it is another report">
          <p>
            It differs first at <code>{found.path}</code>: it says {found.stated ?? "nothing"}, and{" "}
            {found.computed ?? "nothing"} was computed. Rows that were withdrawn since, or labels and keys
            that have changed, explain that; else the report is false.
          </p>
        </Notice>
      )}
    </>
  );
}
